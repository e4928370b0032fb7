"""H&E, morphology image, nuclei, alignment -> the transform between them, and how well it lies."""


rule register:
    """Place the H&E on the morphology image."""
    input:
        experiment=experiment,
        preflight=ancient("results/{slide}/preflight.json"),
        he=sheet("he"),
        alignment=sheet("alignment_file"),
        bundle="results/{slide}/bundle.json",
        nuclei="results/{slide}/nuclei.parquet",
    output:
        transform="results/{slide}/transform.json",
        registration="results/{slide}/registration.parquet",
        overlay=shown("results/{slide}/registration/overlay.png", "overlay"),
        drift=shown("results/{slide}/registration/drift.png", "drift"),
        worst=shown("results/{slide}/registration/checkerboard_5.png", "checkerboard"),
    log:
        "logs/{slide}/register.log",
    benchmark:
        "logs/{slide}/register.tsv"
    threads: share_of_cores(len(SLIDES))
    resources:
        mem_mb=mem_mb("register"),
        runtime=runtime("register"),
    params:
        xenium=subpath(input.experiment, parent=True),
        alignment=sheet("alignment"),
        pictures=subpath(output.overlay, parent=True),
        settings=settings("register"),
    shell:
        r"""
        sthelar-build register \
            --he {input.he:q} \
            --xenium {params.xenium:q} \
            --bundle {input.bundle:q} \
            --nuclei {input.nuclei:q} \
            --alignment {params.alignment:q} \
            --transform {output.transform:q} \
            --registration {output.registration:q} \
            --pictures {params.pictures:q} \
            --settings {params.settings:q} \
            --threads {threads} &>{log:q}
        """
