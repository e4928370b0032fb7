"""H&E and patches -> nuclei found in the image alone, or the predictions that the sheet names."""


rule segment:
    """Find nuclei in the H&E patches."""
    input:
        he=sheet("he"),
        patches="results/{slide}/patches_{scale}.parquet",
        supplied=predictions,
    output:
        "results/{slide}/instance_map_predictions_{scale}.h5",
    log:
        "logs/{slide}/segment_{scale}.log",
    benchmark:
        "logs/{slide}/segment_{scale}.tsv"
    threads: share_of_cores(len(SLIDES) * len(CONFIG.scales))
    params:
        supplied=option("supplied"),
        settings=settings("segment"),
    shell:
        r"""
        sthelar-build segment \
            --he {input.he:q} \
            --patches {input.patches:q} \
            {params.supplied:q} \
            --predictions {output:q} \
            --threads {threads} \
            --settings {params.settings:q} &>{log:q}
        """
