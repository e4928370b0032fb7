"""Everything of a slide -> one SpatialData zarr."""


rule assemble:
    """Put everything of a slide into one SpatialData zarr."""
    input:
        experiment=experiment,
        he=sheet("he"),
        bundle="results/{slide}/bundle.json",
        transform="results/{slide}/transform.json",
        nuclei="results/{slide}/nuclei.parquet",
        cells="results/{slide}/cells.parquet",
        transcripts="results/{slide}/transcripts.parquet",
        counts_nuclei="results/{slide}/counts_nuclei.h5ad",
        counts_cells="results/{slide}/counts_cells.h5ad",
        clusters_nuclei="results/{slide}/clusters_nuclei.h5ad",
        clusters_cells="results/{slide}/clusters_cells.h5ad",
        clusters_combined="results/{slide}/clusters_combined.h5ad",
        clusters_scvi=(
            "results/{slide}/clusters_scvi.h5ad" if CONFIG.cluster.scvi else []
        ),
        tangram_nuclei="results/{slide}/tangram_nuclei.parquet",
        tangram_cells="results/{slide}/tangram_cells.parquet",
        labels="results/{slide}/labels.parquet",
        patches=each_scale("results/{slide}/patches_{scale}.parquet"),
        metrics=each_scale("results/{slide}/metrics_{scale}.parquet"),
        features=expand(
            "results/{slide}/features_{model}.h5ad",
            model=CONFIG.embed.models,
            allow_missing=True,
        ),
    output:
        root="results/{slide}/sdata_{slide}.zarr/zarr.json",
        zipped="results/{slide}/sdata_{slide}.zarr.zip" if CONFIG.assemble.zip else [],
    log:
        "logs/{slide}/assemble.log",
    benchmark:
        "logs/{slide}/assemble.tsv"
    threads: share_of_cores(len(SLIDES))
    resources:
        mem_mb=mem_mb("assemble"),
        runtime=runtime("assemble"),
    params:
        xenium=subpath(input.experiment, parent=True),
        clusters_scvi=option("clusters-scvi"),
        scales=repeated("scale", CONFIG.scales),
        patches=option("patches"),
        metrics=option("metrics"),
        models=repeated("model", CONFIG.embed.models),
        features=option("features"),
        store=subpath(output.root, parent=True),
        settings=settings("assemble"),
    shell:
        r"""
        sthelar-build assemble \
            --slide {wildcards.slide:q} \
            --xenium {params.xenium:q} \
            --he {input.he:q} \
            --bundle {input.bundle:q} \
            --transform {input.transform:q} \
            --nuclei {input.nuclei:q} \
            --cells {input.cells:q} \
            --transcripts {input.transcripts:q} \
            --counts-nuclei {input.counts_nuclei:q} \
            --counts-cells {input.counts_cells:q} \
            --clusters-nuclei {input.clusters_nuclei:q} \
            --clusters-cells {input.clusters_cells:q} \
            --clusters-combined {input.clusters_combined:q} \
            {params.clusters_scvi:q} \
            --tangram-nuclei {input.tangram_nuclei:q} \
            --tangram-cells {input.tangram_cells:q} \
            --labels {input.labels:q} \
            {params.scales:q} \
            {params.patches:q} \
            {params.metrics:q} \
            {params.models:q} \
            {params.features:q} \
            --store {params.store:q} \
            --threads {threads} \
            --settings {params.settings:q} &>{log:q}
        """
