"""H&E, DAPI image, transform -> both as tiles for the viewer of the report."""


rule view:
    """Make the images of the report's viewer."""
    input:
        experiment=experiment,
        he=sheet("he"),
        bundle="results/{slide}/bundle.json",
        transform="results/{slide}/transform.json",
    output:
        "results/{slide}/viewer_images/manifest.json",
    log:
        "logs/{slide}/view.log",
    benchmark:
        "logs/{slide}/view.tsv"
    threads: share_of_cores(len(SLIDES))
    resources:
        mem_mb=mem_mb("view"),
        runtime=runtime("view"),
    params:
        xenium=subpath(input.experiment, parent=True),
        images=subpath(output[0], parent=True),
        settings=settings("view"),
    shell:
        r"""
        sthelar-build view \
            --he {input.he:q} \
            --xenium {params.xenium:q} \
            --bundle {input.bundle:q} \
            --transform {input.transform:q} \
            --images {params.images:q} \
            --settings {params.settings:q} \
            --threads {threads} &>{log:q}
        """
