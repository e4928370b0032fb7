"""Nuclei, labels, transform -> outlines in blocks for the viewer of the report."""


rule outline:
    """Make the outlines of the report's viewer."""
    input:
        nuclei="results/{slide}/nuclei.parquet",
        labels="results/{slide}/labels.parquet",
        transform="results/{slide}/transform.json",
    output:
        "results/{slide}/viewer_nuclei/manifest.json",
    log:
        "logs/{slide}/outline.log",
    benchmark:
        "logs/{slide}/outline.tsv"
    resources:
        mem_mb=mem_mb("outline"),
        runtime=runtime("outline"),
    params:
        outlines=subpath(output[0], parent=True),
        settings=settings("outline"),
    shell:
        r"""
        sthelar-build outline \
            --nuclei {input.nuclei:q} \
            --labels {input.labels:q} \
            --transform {input.transform:q} \
            --outlines {params.outlines:q} \
            --settings {params.settings:q} &>{log:q}
        """
