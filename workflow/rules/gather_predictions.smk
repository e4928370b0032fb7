"""Shards of the predictions -> the predictions of the slide; not there where one job makes them all."""

if CONFIG.shards > 1:

    rule gather_predictions:
        """Make one folder of the predictions that several jobs made."""
        input:
            patches="results/{slide}/patches_{scale}.parquet",
            shards=expand(
                "results/{slide}/predictions_{scale}_shards/{shard}",
                shard=range(1, CONFIG.shards + 1),
                allow_missing=True,
            ),
        output:
            predictions="results/{slide}/predictions_{scale}/manifest.json",
            instance_maps="results/{slide}/instance_map_predictions_{scale}.h5",
        log:
            "logs/{slide}/gather_predictions_{scale}.log",
        benchmark:
            "logs/{slide}/gather_predictions_{scale}.tsv"
        resources:
            mem_mb=mem_mb("gather_predictions"),
            runtime=runtime("gather_predictions"),
        params:
            shards=option("shard", "shards"),
            predictions=subpath(output.predictions, parent=True),
            settings=settings("gather_predictions"),
        shell:
            r"""
            sthelar-build gather_predictions \
                --patches {input.patches:q} \
                {params.shards:q} \
                --predictions {params.predictions:q} \
                --instance-maps {output.instance_maps:q} \
                --settings {params.settings:q} &>{log:q}
            """
