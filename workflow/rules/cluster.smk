"""Counts -> clusters of nuclei, of cells, and of both combined; where asked for, of cells in the space of scVI."""


rule cluster:
    """Cluster nuclei, cells, both combined, or cells in the latent space of scVI."""
    input:
        counts_nuclei="results/{slide}/counts_nuclei.h5ad",
        counts_cells="results/{slide}/counts_cells.h5ad",
    output:
        "results/{slide}/clusters_{table}.h5ad",
    log:
        "logs/{slide}/cluster_{table}.log",
    benchmark:
        "logs/{slide}/cluster_{table}.tsv"
    threads: share_of_cores(3 * len(SLIDES))
    resources:
        mem_mb=mem_mb("cluster"),
        runtime=runtime("cluster"),
        gpu=gpus("cluster"),
    params:
        settings=settings("cluster"),
    shell:
        r"""
        sthelar-build cluster \
            --counts-nuclei {input.counts_nuclei:q} \
            --counts-cells {input.counts_cells:q} \
            --table {wildcards.table:q} \
            --clusters {output:q} \
            --threads {threads} \
            --settings {params.settings:q} &>{log:q}
        """
