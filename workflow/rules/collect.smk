"""Every slide -> statistics, splits and card of the dataset at one scale."""


rule collect:
    """Gather all slides."""
    input:
        slides_sheet=CONFIG.slides,
        patches=each_slide("results/{slide}/patches_{scale}.parquet"),
        masks=each_slide("results/{slide}/masks_{scale}/manifest.json"),
        metrics=each_slide("results/{slide}/metrics_{scale}.parquet"),
        labels=each_slide("results/{slide}/labels.parquet"),
        transform=each_slide("results/{slide}/transform.json"),
    output:
        patch_metrics="results/dataset/{scale}/patch_metrics.csv",
        cell_count="results/dataset/{scale}/cell_count.csv",
        types="results/dataset/{scale}/types.csv",
        splits="results/dataset/{scale}/splits.parquet",
        card="results/dataset/{scale}/card.md",
        croissant="results/dataset/{scale}/croissant.json",
        index="results/dataset/{scale}/index.html",
    log:
        "logs/dataset/collect_{scale}.log",
    benchmark:
        "logs/dataset/collect_{scale}.tsv"
    params:
        slides=repeated("slide", SLIDES),
        patches=option("patches"),
        masks=option("masks"),
        metrics=option("metrics"),
        labels=option("labels"),
        transform=option("transform"),
        out=subpath(output.index, parent=True),
        settings=settings("collect"),
    shell:
        r"""
        sthelar-build collect \
            --scale {wildcards.scale:q} \
            --slides-sheet {input.slides_sheet:q} \
            {params.slides:q} \
            {params.patches:q} \
            {params.masks:q} \
            {params.metrics:q} \
            {params.labels:q} \
            {params.transform:q} \
            --out {params.out:q} \
            --settings {params.settings:q} &>{log:q}
        """
