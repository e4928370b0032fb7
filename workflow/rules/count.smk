"""Transcripts, nuclei, cells -> counts per nucleus and per cell."""


rule count:
    """Count transcripts per nucleus and per cell."""
    input:
        transcripts="results/{slide}/transcripts.parquet",
        nuclei="results/{slide}/nuclei.parquet",
        cells="results/{slide}/cells.parquet",
        bundle="results/{slide}/bundle.json",
    output:
        counts_nuclei="results/{slide}/counts_nuclei.h5ad",
        counts_cells="results/{slide}/counts_cells.h5ad",
    log:
        "logs/{slide}/count.log",
    benchmark:
        "logs/{slide}/count.tsv"
    resources:
        mem_mb=mem_mb("count"),
        runtime=runtime("count"),
    params:
        settings=settings("count"),
    shell:
        r"""
        sthelar-build count \
            --transcripts {input.transcripts:q} \
            --nuclei {input.nuclei:q} \
            --cells {input.cells:q} \
            --bundle {input.bundle:q} \
            --counts-nuclei {output.counts_nuclei:q} \
            --counts-cells {output.counts_cells:q} \
            --settings {params.settings:q} &>{log:q}
        """
