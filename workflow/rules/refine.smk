"""Tangram, clusters, markers, curation -> a label for every cell, and the evidence for it."""


rule refine:
    """Decide a class for every cluster and cell."""
    input:
        cells="results/{slide}/cells.parquet",
        counts_cells="results/{slide}/counts_cells.h5ad",
        tangram_cells="results/{slide}/tangram_cells.parquet",
        tangram_nuclei="results/{slide}/tangram_nuclei.parquet",
        clusters_cells="results/{slide}/clusters_cells.h5ad",
        clusters_nuclei="results/{slide}/clusters_nuclei.h5ad",
        clusters_combined="results/{slide}/clusters_combined.h5ad",
        label_map=reference("label_map"),
        curation=curation,
        curation_files=curation_files,
        transform=curation_transform,
    output:
        labels="results/{slide}/labels.parquet",
        evidence="results/{slide}/evidence.parquet",
        overrides="results/{slide}/overrides.parquet",
        class_map=shown("results/{slide}/refine/class_map.png", "class_map"),
        umap_classes=shown("results/{slide}/refine/umap_classes.png", "umap_classes"),
        umap_clusters=shown("results/{slide}/refine/umap_clusters.png", "umap_clusters"),
        dotplot=shown("results/{slide}/refine/dotplot.png", "dotplot"),
    log:
        "logs/{slide}/refine.log",
    benchmark:
        "logs/{slide}/refine.tsv"
    resources:
        mem_mb=mem_mb("refine"),
        runtime=runtime("refine"),
    params:
        tissue=sheet("tissue"),
        condition=sheet("condition"),
        label_map=option("label-map"),
        curation=option("curation"),
        transform=option("transform"),
        pictures=subpath(output.class_map, parent=True),
        settings=settings("refine"),
    shell:
        r"""
        sthelar-build refine \
            --cells {input.cells:q} \
            --counts-cells {input.counts_cells:q} \
            --tangram-cells {input.tangram_cells:q} \
            --tangram-nuclei {input.tangram_nuclei:q} \
            --clusters-cells {input.clusters_cells:q} \
            --clusters-nuclei {input.clusters_nuclei:q} \
            --clusters-combined {input.clusters_combined:q} \
            --tissue {params.tissue:q} \
            --condition {params.condition:q} \
            {params.label_map:q} \
            {params.curation:q} \
            {params.transform:q} \
            --labels {output.labels:q} \
            --evidence {output.evidence:q} \
            --overrides {output.overrides:q} \
            --pictures {params.pictures:q} \
            --settings {params.settings:q} &>{log:q}
        """
