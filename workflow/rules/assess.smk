"""Masks and predictions -> Dice, Jaccard and bPQ of every patch, and what a displacement of the masks does to them."""


rule assess:
    """Compare the masks with the segmented nuclei."""
    input:
        masks="results/{slide}/masks_{scale}/manifest.json",
        patches="results/{slide}/patches_{scale}.parquet",
        predictions="results/{slide}/predictions_{scale}/manifest.json",
    output:
        **(
            dict(inference_results="results/{slide}/inference_results_{scale}.json")
            if CONFIG.assess.inference_results
            else {}
        ),
        metrics="results/{slide}/metrics_{scale}.parquet",
        displacement="results/{slide}/metrics_{scale}_displacement.parquet",
    log:
        "logs/{slide}/assess_{scale}.log",
    benchmark:
        "logs/{slide}/assess_{scale}.tsv"
    threads: share_of_cores(len(SLIDES) * len(CONFIG.scales))
    resources:
        mem_mb=mem_mb("assess"),
        runtime=runtime("assess"),
    params:
        tissue=sheet("tissue"),
        inference_results=made("inference-results"),
        settings=settings("assess"),
    shell:
        r"""
        sthelar-build assess \
            --masks {input.masks:q} \
            --patches {input.patches:q} \
            --predictions {input.predictions:q} \
            --tissue {params.tissue:q} \
            --metrics {output.metrics:q} \
            --displacement {output.displacement:q} \
            {params.inference_results:q} \
            --threads {threads} \
            --settings {params.settings:q} &>{log:q}
        """
