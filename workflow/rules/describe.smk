"""Facts, splits and exports of all slides -> card, page, Croissant and samples of the dataset at one scale."""


rule describe:
    """Describe the dataset."""
    input:
        facts="results/dataset/{scale}/facts.json",
        tables=[
            "results/dataset/{scale}/patch_metrics.csv",
            "results/dataset/{scale}/cell_count.csv",
            "results/dataset/{scale}/types.csv",
            "results/dataset/{scale}/class_consistency.csv",
            "results/dataset/{scale}/marker_means.csv",
            "results/dataset/{scale}/splits.parquet",
        ],
        manifests=expand(
            "results/dataset/{scale}/{format}/manifest.json",
            format=CONFIG.patch_formats,
            allow_missing=True,
        ),
        slide_manifests=expand(
            "results/dataset/whole_slides/{format}/manifest.json",
            format=CONFIG.slide_formats,
        ),
        he=[slide.he for slide in SLIDES.values()],
        patches=each_slide("results/{slide}/patches_{scale}.parquet"),
        masks=each_slide("results/{slide}/masks_{scale}/manifest.json"),
        metrics=each_slide("results/{slide}/metrics_{scale}.parquet"),
        labels=each_slide("results/{slide}/labels.parquet"),
    output:
        card="results/dataset/{scale}/card.md",
        croissant="results/dataset/{scale}/croissant.json",
        index=shown("results/dataset/{scale}/index.html", "dataset"),
        samples=shown("results/dataset/{scale}/samples.png", "samples"),
    log:
        "logs/dataset/describe_{scale}.log",
    benchmark:
        "logs/dataset/describe_{scale}.tsv"
    resources:
        mem_mb=mem_mb("describe"),
        runtime=runtime("describe"),
    params:
        slides=repeated("slide", SLIDES),
        he=option("he"),
        patches=option("patches"),
        masks=option("masks"),
        metrics=option("metrics"),
        labels=option("labels"),
        manifests=option("manifests"),
        slide_manifests=option("slide-manifests"),
        out=subpath(output.index, parent=True),
        settings=settings("describe"),
        limits=lambda wildcards: settings_json(CONFIG.report.limits),
    shell:
        r"""
        sthelar-build describe \
            --facts {input.facts:q} \
            {params.slides:q} \
            {params.he:q} \
            {params.patches:q} \
            {params.masks:q} \
            {params.metrics:q} \
            {params.labels:q} \
            {params.manifests:q} \
            {params.slide_manifests:q} \
            --out {params.out:q} \
            --limits {params.limits:q} \
            --settings {params.settings:q} &>{log:q}
        """
