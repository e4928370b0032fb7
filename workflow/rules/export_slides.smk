"""Outlines, labels, transcripts and H&E of all slides -> a dataset of whole slides in one format."""


rule export_slides:
    """Write whole slides as a dataset in one format; they have no scale, and are written once."""
    input:
        slides_sheet=CONFIG.slides,
        he=[slide.he for slide in SLIDES.values()],
        transform=each_slide("results/{slide}/transform.json"),
        nuclei=each_slide("results/{slide}/nuclei.parquet"),
        cells=each_slide("results/{slide}/cells.parquet"),
        transcripts=each_slide("results/{slide}/transcripts.parquet"),
        bundle=each_slide("results/{slide}/bundle.json"),
        labels=each_slide("results/{slide}/labels.parquet"),
    output:
        "results/dataset/whole_slides/{format}/manifest.json",
    log:
        "logs/dataset/export_slides_{format}.log",
    benchmark:
        "logs/dataset/export_slides_{format}.tsv"
    wildcard_constraints:
        format="|".join(CONFIG.slide_formats),
    threads: share_of_cores(max(1, len(CONFIG.slide_formats)))
    resources:
        mem_mb=mem_mb("export_slides"),
        runtime=runtime("export_slides"),
    params:
        slides=repeated("slide", SLIDES),
        he=option("he"),
        transform=option("transform"),
        nuclei=option("nuclei"),
        cells=option("cells"),
        transcripts=option("transcripts"),
        bundle=option("bundle"),
        labels=option("labels"),
        out=subpath(output[0], parent=True),
        settings=settings("export_slides"),
    shell:
        r"""
        sthelar-build export_slides \
            --format {wildcards.format:q} \
            --slides-sheet {input.slides_sheet:q} \
            {params.slides:q} \
            {params.he:q} \
            {params.transform:q} \
            {params.nuclei:q} \
            {params.cells:q} \
            {params.transcripts:q} \
            {params.bundle:q} \
            {params.labels:q} \
            --out {params.out:q} \
            --threads {threads} \
            --settings {params.settings:q} &>{log:q}
        """
