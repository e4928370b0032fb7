"""Masks and predictions -> Dice, Jaccard and bPQ of every patch."""


rule assess:
    """Compare the masks with the segmented nuclei."""
    input:
        masks="results/{slide}/masks_{scale}/manifest.json",
        patches="results/{slide}/patches_{scale}.parquet",
        predictions="results/{slide}/instance_map_predictions_{scale}.h5",
    output:
        "results/{slide}/metrics_{scale}.parquet",
    log:
        "logs/{slide}/assess_{scale}.log",
    benchmark:
        "logs/{slide}/assess_{scale}.tsv"
    threads: share_of_cores(len(SLIDES) * len(CONFIG.scales))
    params:
        settings=settings("assess"),
    shell:
        r"""
        sthelar-build assess \
            --masks {input.masks:q} \
            --patches {input.patches:q} \
            --predictions {input.predictions:q} \
            --metrics {output:q} \
            --threads {threads} \
            --settings {params.settings:q} &>{log:q}
        """
