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
        (
            "results/{slide}/masks_{scale}/manifest.json"
            if CONFIG.shards == 1
            else temp(directory("results/{slide}/masks_{scale}_shards/{shard}"))
        ),
    log:
        f"logs/{{slide}}/rasterise_{{scale}}{OF_SHARD}.log",
    benchmark:
        f"logs/{{slide}}/rasterise_{{scale}}{OF_SHARD}.tsv"
    threads: share_of_cores(len(SLIDES) * len(CONFIG.scales) * CONFIG.shards)
    resources:
        mem_mb=mem_mb("rasterise"),
        runtime=runtime("rasterise"),
    params:
        masks=folder_of_shard,
        shard=lambda wildcards: f"{wildcards.get('shard', 1)}/{CONFIG.shards}",
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
            --shard {params.shard:q} \
            --threads {threads} \
            --settings {params.settings:q} &>{log:q}
        """
