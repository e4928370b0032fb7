"""Shards of the masks -> the masks of the slide; not there where one job draws them all."""

if CONFIG.shards > 1:

    rule gather:
        """Make one folder of the masks that several jobs drew."""
        input:
            patches="results/{slide}/patches_{scale}.parquet",
            shards=expand(
                "results/{slide}/masks_{scale}_shards/{shard}",
                shard=range(1, CONFIG.shards + 1),
                allow_missing=True,
            ),
        output:
            "results/{slide}/masks_{scale}/manifest.json",
        log:
            "logs/{slide}/gather_{scale}.log",
        benchmark:
            "logs/{slide}/gather_{scale}.tsv"
        resources:
            mem_mb=mem_mb("gather"),
            runtime=runtime("gather"),
        params:
            shards=option("shard", "shards"),
            masks=subpath(output[0], parent=True),
            settings=settings("gather"),
        shell:
            r"""
            sthelar-build gather \
                --patches {input.patches:q} \
                {params.shards:q} \
                --masks {params.masks:q} \
                --settings {params.settings:q} &>{log:q}
            """
