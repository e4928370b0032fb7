"""Everything of a slide -> one self-contained page."""


rule report:
    """Write the report of a slide."""
    input:
        he=sheet("he"),
        preflight="results/{slide}/preflight.json",
        bundle="results/{slide}/bundle.json",
        transform="results/{slide}/transform.json",
        registration="results/{slide}/registration.parquet",
        overlay="results/{slide}/registration/overlay.png",
        clusters_cells="results/{slide}/clusters_cells.h5ad",
        counts_cells="results/{slide}/counts_cells.h5ad",
        tangram_cells="results/{slide}/tangram_cells.parquet",
        evidence="results/{slide}/evidence.parquet",
        overrides="results/{slide}/overrides.parquet",
        labels="results/{slide}/labels.parquet",
        class_map="results/{slide}/refine/class_map.png",
        patches=each_scale("results/{slide}/patches_{scale}.parquet"),
        masks=each_scale("results/{slide}/masks_{scale}/manifest.json"),
        metrics=each_scale("results/{slide}/metrics_{scale}.parquet"),
        displacement=each_scale("results/{slide}/metrics_{scale}_displacement.parquet"),
        viewer_images="results/{slide}/viewer_images/manifest.json",
        viewer_nuclei="results/{slide}/viewer_nuclei/manifest.json",
        curation=curation,
    output:
        shown("results/{slide}/report.html", "slide_report"),
    log:
        "logs/{slide}/report.log",
    benchmark:
        "logs/{slide}/report.tsv"
    resources:
        mem_mb=mem_mb("report"),
        runtime=runtime("report"),
    params:
        registration_pictures=subpath(input.overlay, parent=True),
        refine_pictures=subpath(input.class_map, parent=True),
        scales=repeated("scale", CONFIG.scales),
        patches=option("patches"),
        masks=option("masks"),
        metrics=option("metrics"),
        displacement=option("displacement"),
        curation=option("curation"),
        settings=settings("report"),
    shell:
        r"""
        sthelar-build report \
            --slide {wildcards.slide:q} \
            --he {input.he:q} \
            --preflight {input.preflight:q} \
            --bundle {input.bundle:q} \
            --transform {input.transform:q} \
            --registration {input.registration:q} \
            --registration-pictures {params.registration_pictures:q} \
            --clusters-cells {input.clusters_cells:q} \
            --counts-cells {input.counts_cells:q} \
            --tangram-cells {input.tangram_cells:q} \
            --evidence {input.evidence:q} \
            --overrides {input.overrides:q} \
            --labels {input.labels:q} \
            --refine-pictures {params.refine_pictures:q} \
            {params.scales:q} \
            {params.patches:q} \
            {params.masks:q} \
            {params.metrics:q} \
            {params.displacement:q} \
            {params.curation:q} \
            --viewer-images {input.viewer_images:q} \
            --viewer-nuclei {input.viewer_nuclei:q} \
            --report {output:q} \
            --settings {params.settings:q} &>{log:q}
        """
