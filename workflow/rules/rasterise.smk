"""Nuclei, labels, transform, patches -> instance masks, and the class of every instance."""


rule rasterise:
    """Draw the nuclei of every patch."""
    input:
        nuclei="results/{slide}/nuclei.parquet",
        labels="results/{slide}/labels.parquet",
        transform="results/{slide}/transform.json",
        patches="results/{slide}/patches_{scale}.parquet",
        experiment=raster_bundle,
    output:
        "results/{slide}/masks_{scale}/manifest.json",
    log:
        "logs/{slide}/rasterise_{scale}.log",
    benchmark:
        "logs/{slide}/rasterise_{scale}.tsv"
    threads: share_of_cores(len(SLIDES) * len(CONFIG.scales))
    params:
        masks=subpath(output[0], parent=True),
        xenium=lambda wildcards: repeated(
            "xenium", [path.parent for path in raster_bundle(wildcards)]
        ),
        settings=settings("rasterise"),
    shell:
        r"""
        sthelar-build rasterise \
            --nuclei {input.nuclei:q} \
            --labels {input.labels:q} \
            --transform {input.transform:q} \
            --patches {input.patches:q} \
            --masks {params.masks:q} \
            {params.xenium:q} \
            --threads {threads} \
            --settings {params.settings:q} &>{log:q}
        """
