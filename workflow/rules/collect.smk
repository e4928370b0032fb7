"""Every slide -> statistics and splits of the dataset at one scale."""


rule collect:
    """Gather all slides."""
    input:
        slides_sheet=CONFIG.slides,
        patches=each_slide("results/{slide}/patches_{scale}.parquet"),
        masks=each_slide("results/{slide}/masks_{scale}/manifest.json"),
        metrics=each_slide("results/{slide}/metrics_{scale}.parquet"),
        labels=each_slide("results/{slide}/labels.parquet"),
        counts_cells=each_slide("results/{slide}/counts_cells.h5ad"),
        transform=each_slide("results/{slide}/transform.json"),
        frozen_splits=frozen_splits,
    output:
        patch_metrics="results/dataset/{scale}/patch_metrics.csv",
        cell_count="results/dataset/{scale}/cell_count.csv",
        types="results/dataset/{scale}/types.csv",
        splits="results/dataset/{scale}/splits.parquet",
        class_consistency=shown(
            "results/dataset/{scale}/class_consistency.csv", "class_consistency"
        ),
        marker_means="results/dataset/{scale}/marker_means.csv",
        facts="results/dataset/{scale}/facts.json",
    log:
        "logs/dataset/collect_{scale}.log",
    benchmark:
        "logs/dataset/collect_{scale}.tsv"
    resources:
        mem_mb=mem_mb("collect"),
        runtime=runtime("collect"),
    params:
        slides=repeated("slide", SLIDES),
        patches=option("patches"),
        masks=option("masks"),
        metrics=option("metrics"),
        labels=option("labels"),
        counts_cells=option("counts-cells"),
        transform=option("transform"),
        out=subpath(output.facts, parent=True),
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
            {params.counts_cells:q} \
            {params.transform:q} \
            --out {params.out:q} \
            --settings {params.settings:q} &>{log:q}
        """
