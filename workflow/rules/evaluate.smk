"""A trained network, patches, masks and labels -> how well they agree, nucleus by nucleus and patch by patch."""


rule evaluate:
    """Compare what a trained network sees with the masks and labels of a slide."""
    input:
        he=sheet("he"),
        patches="results/{slide}/patches_{scale}.parquet",
        masks="results/{slide}/masks_{scale}/manifest.json",
        metrics="results/{slide}/metrics_{scale}.parquet",
        nuclei="results/{slide}/nuclei.parquet",
        labels="results/{slide}/labels.parquet",
        splits="results/dataset/{scale}/splits.parquet",
        checkpoint=lambda wildcards: checkpoint_file(CONFIG.evaluate.checkpoint_file),
    output:
        "results/{slide}/evaluation_{scale}/manifest.json",
    log:
        "logs/{slide}/evaluate_{scale}.log",
    benchmark:
        "logs/{slide}/evaluate_{scale}.tsv"
    threads: share_of_cores(len(SLIDES))
    resources:
        mem_mb=mem_mb("evaluate"),
        runtime=runtime("evaluate"),
        gpu=gpus("evaluate"),
    params:
        checkpoint=option("checkpoint"),
        out=subpath(output[0], parent=True),
        settings=settings("evaluate"),
    shell:
        r"""
        sthelar-build evaluate \
            --slide {wildcards.slide:q} \
            --scale {wildcards.scale:q} \
            --he {input.he:q} \
            --patches {input.patches:q} \
            --masks {input.masks:q} \
            --metrics {input.metrics:q} \
            --nuclei {input.nuclei:q} \
            --labels {input.labels:q} \
            --splits {input.splits:q} \
            {params.checkpoint:q} \
            --out {params.out:q} \
            --threads {threads} \
            --settings {params.settings:q} &>{log:q}
        """
