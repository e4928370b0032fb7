"""The sheets and the raw files -> preflight.json: what was found, and what is wrong, before any work."""


rule preflight:
    """Look at the raw files."""
    input:
        experiment=experiment,
        he=sheet("he"),
        alignment=sheet("alignment_file"),
        reference=reference("path"),
        label_map=reference("label_map"),
        predictions=all_predictions,
        nuclei=sheet("nuclei"),
    output:
        "results/{slide}/preflight.json",
    log:
        "logs/{slide}/preflight.log",
    benchmark:
        "logs/{slide}/preflight.tsv"
    resources:
        mem_mb=mem_mb("preflight"),
        runtime=runtime("preflight"),
    params:
        xenium=subpath(input.experiment, parent=True),
        label_key=reference("label_key"),
        layer=reference("layer"),
        alignment=option("alignment"),
        label_map=option("label-map"),
        predictions=option("predictions"),
        nuclei=option("nuclei"),
        settings=settings("preflight"),
    shell:
        r"""
        sthelar-build preflight \
            --slide {wildcards.slide:q} \
            --xenium {params.xenium:q} \
            --he {input.he:q} \
            {params.alignment:q} \
            --reference {input.reference:q} \
            --label-key {params.label_key:q} \
            --layer "{params.layer}" \
            {params.label_map:q} \
            {params.predictions:q} \
            {params.nuclei:q} \
            --out {output:q} \
            --settings {params.settings:q} &>{log:q}
        """
