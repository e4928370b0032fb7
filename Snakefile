"""From raw Xenium bundles and their H&E slides to training datasets. See README.md."""

from snakemake.utils import min_version

min_version("9.20")


configfile: "config/config.yaml"


report: "workflow/report/workflow.rst"


container: "docker://ghcr.io/sthelar/sthelar_build:0.1.0"


include: "workflow/rules/common.smk"
include: "workflow/rules/simulate.smk"
include: "workflow/rules/preflight.smk"
include: "workflow/rules/resegment.smk"
include: "workflow/rules/ingest.smk"
include: "workflow/rules/count.smk"
include: "workflow/rules/register.smk"
include: "workflow/rules/annotate.smk"
include: "workflow/rules/cluster.smk"
include: "workflow/rules/refine.smk"
include: "workflow/rules/tile.smk"
include: "workflow/rules/rasterise.smk"
include: "workflow/rules/gather.smk"
include: "workflow/rules/segment.smk"
include: "workflow/rules/gather_predictions.smk"
include: "workflow/rules/assess.smk"
include: "workflow/rules/embed.smk"
include: "workflow/rules/assemble.smk"
include: "workflow/rules/view.smk"
include: "workflow/rules/outline.smk"
include: "workflow/rules/report.smk"
include: "workflow/rules/collect.smk"
include: "workflow/rules/export.smk"
include: "workflow/rules/train.smk"
include: "workflow/rules/describe.smk"
include: "workflow/rules/export_slides.smk"
include: "workflow/rules/evaluate.smk"
include: "workflow/rules/compare.smk"


rule all:
    """Every slide's zarr and report, and every dataset."""
    default_target: True
    input:
        expand("results/{slide}/report.html", slide=SLIDES),
        expand("results/{slide}/sdata_{slide}.zarr/zarr.json", slide=SLIDES),
        expand("results/dataset/{scale}/index.html", scale=CONFIG.scales),
        expand(
            "results/dataset/{scale}/{format}/manifest.json",
            scale=CONFIG.scales,
            format=CONFIG.patch_formats,
        ),
        expand(
            "results/dataset/whole_slides/{format}/manifest.json",
            format=CONFIG.slide_formats,
        ),
        expand(
            "results/dataset/{scale}/evaluation/index.html",
            scale=CONFIG.evaluated_scales,
        ),


onsuccess:
    tell(log)


onerror:
    tell(log)
