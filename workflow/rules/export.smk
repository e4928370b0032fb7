"""Patches, masks, metrics and splits of all slides -> the dataset in one format."""


rule export:
    """Write the patches of all slides as a dataset in one format."""
    input:
        slides_sheet=CONFIG.slides,
        he=[slide.he for slide in SLIDES.values()],
        transform=each_slide("results/{slide}/transform.json"),
        nuclei=each_slide("results/{slide}/nuclei.parquet"),
        cells=each_slide("results/{slide}/cells.parquet"),
        labels=each_slide("results/{slide}/labels.parquet"),
        patches=each_slide("results/{slide}/patches_{scale}.parquet"),
        masks=each_slide("results/{slide}/masks_{scale}/manifest.json"),
        metrics=each_slide("results/{slide}/metrics_{scale}.parquet"),
        splits="results/dataset/{scale}/splits.parquet",
    output:
        "results/dataset/{scale}/{format}/manifest.json",
    log:
        "logs/dataset/export_{scale}_{format}.log",
    benchmark:
        "logs/dataset/export_{scale}_{format}.tsv"
    wildcard_constraints:
        format="|".join(CONFIG.patch_formats),
    threads: share_of_cores(max(1, len(CONFIG.patch_formats) * len(CONFIG.scales)))
    resources:
        mem_mb=mem_mb("export"),
        runtime=runtime("export"),
    params:
        slides=repeated("slide", SLIDES),
        he=option("he"),
        transform=option("transform"),
        nuclei=option("nuclei"),
        cells=option("cells"),
        labels=option("labels"),
        patches=option("patches"),
        masks=option("masks"),
        metrics=option("metrics"),
        out=subpath(output[0], parent=True),
        settings=settings("export"),
    shell:
        r"""
        sthelar-build export \
            --format {wildcards.format:q} \
            --scale {wildcards.scale:q} \
            --slides-sheet {input.slides_sheet:q} \
            {params.slides:q} \
            {params.he:q} \
            {params.transform:q} \
            {params.nuclei:q} \
            {params.cells:q} \
            {params.labels:q} \
            {params.patches:q} \
            {params.masks:q} \
            {params.metrics:q} \
            --splits {input.splits:q} \
            --out {params.out:q} \
            --threads {threads} \
            --settings {params.settings:q} &>{log:q}
        """
