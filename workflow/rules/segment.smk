"""H&E and patches -> nuclei found in the image alone, or the predictions that the sheet names."""


rule segment:
    """Find nuclei in the H&E patches."""
    input:
        he=sheet("he"),
        patches="results/{slide}/patches_{scale}.parquet",
        checkpoint=network,
        supplied=predictions,
    output:
        **(
            dict(
                predictions="results/{slide}/predictions_{scale}/manifest.json",
                instance_maps="results/{slide}/instance_map_predictions_{scale}.h5",
            )
            if CONFIG.shards == 1
            else dict(
                predictions=temp(
                    directory("results/{slide}/predictions_{scale}_shards/{shard}")
                )
            )
        ),
    log:
        f"logs/{{slide}}/segment_{{scale}}{OF_SHARD}.log",
    benchmark:
        f"logs/{{slide}}/segment_{{scale}}{OF_SHARD}.tsv"
    threads: share_of_cores(len(SLIDES) * len(CONFIG.scales) * CONFIG.shards)
    resources:
        mem_mb=mem_mb("segment"),
        runtime=runtime("segment"),
        gpu=gpus_of_network,
    params:
        predictions=folder_of_shard,
        instance_maps=made("instance-maps"),
        shard=lambda wildcards: f"{wildcards.get('shard', 1)}/{CONFIG.shards}",
        checkpoint=option("checkpoint"),
        supplied=option("supplied"),
        settings=settings("segment"),
    shell:
        r"""
        sthelar-build segment \
            --he {input.he:q} \
            --patches {input.patches:q} \
            {params.checkpoint:q} \
            {params.supplied:q} \
            --predictions {params.predictions:q} \
            {params.instance_maps:q} \
            --shard {params.shard:q} \
            --threads {threads} \
            --settings {params.settings:q} &>{log:q}
        """
