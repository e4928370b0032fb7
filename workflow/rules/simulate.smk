"""A seed and a recipe -> a toy slide: Xenium bundle, H&E, alignment, reference atlas, and the truth."""


rule simulate:
    """Make a toy slide."""
    output:
        experiment="resources/toy/{slide}/xenium/experiment.xenium",
        he="resources/toy/{slide}/he_image.ome.tif",
        matrix="resources/toy/{slide}/alignment_matrix.csv",
        keypoints="resources/toy/{slide}/alignment_keypoints.csv",
        explorer="resources/toy/{slide}/alignment_explorer.zip",
        reference="resources/toy/{slide}/reference.h5ad",
        truth="resources/toy/{slide}/truth/truth.json",
    log:
        "logs/{slide}/simulate.log",
    benchmark:
        "logs/{slide}/simulate.tsv"
    wildcard_constraints:
        slide="|".join(CONFIG.simulate) or "(?!)",
    resources:
        mem_mb=mem_mb("simulate"),
        runtime=runtime("simulate"),
    params:
        out=subpath(output.he, parent=True),
        settings=recipe,
    shell:
        r"""
        sthelar-build simulate \
            --slide {wildcards.slide:q} \
            --out {params.out:q} \
            --settings {params.settings:q} &>{log:q}
        """
