"""H&E, patches, masks and an image model -> features of every nucleus, and clusters by them."""


rule embed:
    """Describe every nucleus by the features of an image model."""
    input:
        he=sheet("he"),
        patches=f"results/{{slide}}/patches_{CONFIG.features_scale}.parquet",
        masks=f"results/{{slide}}/masks_{CONFIG.features_scale}/manifest.json",
        nuclei="results/{slide}/nuclei.parquet",
        transform="results/{slide}/transform.json",
        labels="results/{slide}/labels.parquet",
        source=lambda wildcards: checkpoint_file(
            CONFIG.embed.models[wildcards.model].source
        ),
    output:
        "results/{slide}/features_{model}.h5ad",
    log:
        "logs/{slide}/embed_{model}.log",
    benchmark:
        "logs/{slide}/embed_{model}.tsv"
    wildcard_constraints:
        model="|".join(CONFIG.embed.models) or "none",
    threads: share_of_cores(len(SLIDES) * max(1, len(CONFIG.embed.models)))
    resources:
        mem_mb=mem_mb("embed"),
        runtime=runtime("embed"),
        gpu=gpus("embed"),
    params:
        settings=lambda wildcards: settings_json(CONFIG.embed.only(wildcards.model)),
    shell:
        r"""
        sthelar-build embed \
            --he {input.he:q} \
            --patches {input.patches:q} \
            --masks {input.masks:q} \
            --nuclei {input.nuclei:q} \
            --transform {input.transform:q} \
            --labels {input.labels:q} \
            --source {input.source:q} \
            --model {wildcards.model:q} \
            --features {output:q} \
            --threads {threads} \
            --settings {params.settings:q} &>{log:q}
        """
