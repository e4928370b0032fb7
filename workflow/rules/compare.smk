"""Evaluations of all slides -> tables, figures and a page that say how a trained network agrees with the dataset."""


rule compare:
    """Gather what a trained network did on all slides."""
    input:
        evaluations=each_slide("results/{slide}/evaluation_{scale}/manifest.json"),
        slides_sheet=CONFIG.slides,
        features=expand(
            "results/{slide}/features_{model}.h5ad",
            slide=SLIDES,
            model=CONFIG.compare.features,
        ),
    output:
        shown("results/dataset/{scale}/evaluation/index.html", "evaluation"),
    log:
        "logs/dataset/compare_{scale}.log",
    benchmark:
        "logs/dataset/compare_{scale}.tsv"
    resources:
        mem_mb=mem_mb("compare"),
        runtime=runtime("compare"),
    params:
        evaluations=option("evaluations"),
        features=option("features"),
        out=subpath(output[0], parent=True),
        settings=settings("compare"),
    shell:
        r"""
        sthelar-build compare \
            {params.evaluations:q} \
            --slides-sheet {input.slides_sheet:q} \
            {params.features:q} \
            --out {params.out:q} \
            --settings {params.settings:q} &>{log:q}
        """
