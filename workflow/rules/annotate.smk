"""Counts and a reference atlas -> Tangram's score of every label for every nucleus and cell."""


rule annotate:
    """Score every nucleus or cell against the reference."""
    input:
        counts="results/{slide}/counts_{table}.h5ad",
        reference=reference("path"),
        label_map=reference("label_map"),
    output:
        "results/{slide}/tangram_{table}.parquet",
    log:
        "logs/{slide}/annotate_{table}.log",
    benchmark:
        "logs/{slide}/annotate_{table}.tsv"
    threads: share_of_cores(2 * len(SLIDES))
    resources:
        mem_mb=mem_mb("annotate"),
        runtime=runtime("annotate"),
        gpu=gpus("annotate"),
    params:
        label_key=reference("label_key"),
        layer=reference("layer"),
        label_map=option("label-map"),
        settings=settings("annotate"),
    shell:
        r"""
        sthelar-build annotate \
            --counts {input.counts:q} \
            --reference {input.reference:q} \
            --label-key {params.label_key:q} \
            --layer "{params.layer}" \
            {params.label_map:q} \
            --tangram {output:q} \
            --threads {threads} \
            --settings {params.settings:q} &>{log:q}
        """
