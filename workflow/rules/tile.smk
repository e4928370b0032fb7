"""H&E, transform and transcripts -> the grid of patches at one scale."""


rule tile:
    """Cut the H&E into a grid of patches."""
    input:
        he=sheet("he"),
        transform="results/{slide}/transform.json",
        transcripts="results/{slide}/transcripts.parquet",
    output:
        "results/{slide}/patches_{scale}.parquet",
    log:
        "logs/{slide}/tile_{scale}.log",
    benchmark:
        "logs/{slide}/tile_{scale}.tsv"
    resources:
        mem_mb=mem_mb("tile"),
        runtime=runtime("tile"),
    params:
        scale=scale_of,
        settings=settings("tile"),
    shell:
        r"""
        sthelar-build tile \
            --he {input.he:q} \
            --transform {input.transform:q} \
            --transcripts {input.transcripts:q} \
            --scale {params.scale:q} \
            --patches {output:q} \
            --settings {params.settings:q} &>{log:q}
        """
