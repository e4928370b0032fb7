"""DAPI image, or outlines that the sheet names -> nuclei other than those of the bundle; only where they are asked for."""


rule resegment:
    """Take the nuclei of the Xenium slide from elsewhere than the bundle."""
    input:
        experiment=experiment,
        preflight=ancient("results/{slide}/preflight.json"),
        nuclei=sheet("nuclei"),
        model=nucleus_model,
    output:
        resegmented="results/{slide}/resegmented.parquet",
    log:
        "logs/{slide}/resegment.log",
    benchmark:
        "logs/{slide}/resegment.tsv"
    threads: share_of_cores(len(SLIDES))
    resources:
        mem_mb=mem_mb("resegment"),
        runtime=runtime("resegment"),
        gpu=gpus_of_nuclei,
    params:
        xenium=subpath(input.experiment, parent=True),
        nuclei=option("nuclei"),
        model=option("model"),
        settings=lambda wildcards: settings_json(resegmentation(wildcards)),
    shell:
        r"""
        sthelar-build resegment \
            --xenium {params.xenium:q} \
            {params.nuclei:q} \
            {params.model:q} \
            --resegmented {output.resegmented:q} \
            --threads {threads} \
            --settings {params.settings:q} &>{log:q}
        """
