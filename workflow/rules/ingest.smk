"""Xenium bundle -> nuclei, cells, transcripts, and what the bundle is."""


rule ingest:
    """Read a Xenium bundle of any version into tables."""
    input:
        experiment=experiment,
        preflight=ancient("results/{slide}/preflight.json"),
        resegmented=resegmented,
    output:
        nuclei="results/{slide}/nuclei.parquet",
        cells="results/{slide}/cells.parquet",
        transcripts="results/{slide}/transcripts.parquet",
        bundle="results/{slide}/bundle.json",
    log:
        "logs/{slide}/ingest.log",
    benchmark:
        "logs/{slide}/ingest.tsv"
    resources:
        mem_mb=mem_mb("ingest"),
        runtime=runtime("ingest"),
    params:
        xenium=subpath(input.experiment, parent=True),
        resegmented=option("resegmented"),
        settings=settings("ingest"),
    shell:
        r"""
        sthelar-build ingest \
            --xenium {params.xenium:q} \
            {params.resegmented:q} \
            --nuclei {output.nuclei:q} \
            --cells {output.cells:q} \
            --transcripts {output.transcripts:q} \
            --bundle {output.bundle:q} \
            --settings {params.settings:q} &>{log:q}
        """
