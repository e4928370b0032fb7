"""The configuration and the two sheets, read once; the functions that rules take their values from."""

import json
from pathlib import Path

from snakemake.exceptions import WorkflowError
from snakemake.logging import logger

from sthelar_build.config import gpus_of, settings_json
from sthelar_build.errors import SthelarError
from sthelar_build.io.curation_targets import strays
from sthelar_build.io.run import CHECKS, load_run
from sthelar_build.needs import largest_size, needs, raw_size, recipe_size
from sthelar_build.settings.checkpoints import TOY_CHECKPOINT

try:
    RUN = load_run(config)
    for check in CHECKS:
        check(RUN)
except SthelarError as error:
    raise WorkflowError(str(error)) from None

CONFIG, SLIDES, REFERENCES = RUN.config, RUN.slides, RUN.references
CURATION = RUN.decisions()

for table in strays(CONFIG.curation, SLIDES):
    logger.warning(f"{table}: decides nothing, as no slide has this name")


wildcard_constraints:
    slide="[A-Za-z0-9_]+",
    scale="|".join(CONFIG.scales),
    table="nuclei|cells|combined|scvi",
    format="|".join(CONFIG.formats),
    shard=r"\d+",


OF_SHARD = "" if CONFIG.shards == 1 else "_{shard}"
"""Part of the names of what every shard has of its own."""


def settings(stage):
    """Return the settings of a stage as JSON: a change of one number reruns just what depends on it."""
    return lambda wildcards: settings_json(CONFIG.settings_of(stage))


def recipe(wildcards):
    """Return the recipe of a toy slide as JSON."""
    return settings_json(CONFIG.simulate[wildcards.slide])


def sheet(column):
    """Return what a column of slides.tsv says of the slide; an empty cell is no file."""
    return lambda wildcards: getattr(SLIDES[wildcards.slide], column) or []


def predictions(wildcards):
    """Return the instance maps that the sheet names for the slide at this scale; none is no file."""
    return SLIDES[wildcards.slide].predictions_at(wildcards.scale) or []


def network(wildcards):
    """Return the network that segments the slide at this scale; none is no file."""
    if SLIDES[wildcards.slide].predictions_at(wildcards.scale):
        return []
    simulated = wildcards.slide in CONFIG.simulate
    return checkpoint_file(
        CONFIG.segment.checkpoint_at(wildcards.scale, simulated=simulated)
    )


def checkpoint_file(path):
    """Return a checkpoint as an input; none is no file. The shipped one is as new as the installation, not as its content."""
    return ancient(path) if path == TOY_CHECKPOINT else path or []


def all_predictions(wildcards):
    """Return the instance maps that the sheet names for the slide at all scales."""
    found = [SLIDES[wildcards.slide].predictions_at(scale) for scale in CONFIG.scales]
    return [path for path in found if path]


def experiment(wildcards):
    """Return the file that stands for the whole Xenium bundle of the slide."""
    return SLIDES[wildcards.slide].xenium / "experiment.xenium"


def resegmentation(wildcards):
    """Return the settings of resegment for the slide: a file of nuclei goes before what holds for all slides."""
    source = SLIDES[wildcards.slide].nuclei_from(CONFIG.resegment.source)
    return CONFIG.resegment.model_copy(update={"source": source})


def nucleus_model(wildcards):
    """Return the file of the network that finds nuclei in the DAPI image; none is no file."""
    return resegmentation(wildcards).model_file or []


def resegmented(wildcards):
    """Return the nuclei of the slide, where they are not those of its bundle; else ingest does not wait for any."""
    if resegmentation(wildcards).source == "xenium":
        return []
    return f"results/{wildcards.slide}/resegmented.parquet"


def raster_bundle(wildcards):
    """Return the file that stands for the bundle of the slide, if rasterise reads its nucleus raster."""
    return [experiment(wildcards)] if CONFIG.rasterise.reads_raster else []


def reference(column):
    """Return what a column of references.tsv says of the slide's atlas; an empty cell is no file."""
    return (
        lambda wildcards: getattr(REFERENCES[SLIDES[wildcards.slide].reference], column)
        or []
    )


def curation(wildcards):
    """Return the slide's table of human decisions, if there is one."""
    return CURATION[wildcards.slide].table or []


def curation_files(wildcards):
    """Return the files that the slide's table of human decisions names: lists of cells, regions."""
    return CURATION[wildcards.slide].files


def curation_transform(wildcards):
    """Return the place of the H&E, where a region is drawn on it; else refine does not wait for it."""
    drawn_on_he = CURATION[wildcards.slide].drawn_on_he
    return f"results/{wildcards.slide}/transform.json" if drawn_on_he else []


def frozen_splits(wildcards):
    """Return the splits of an earlier run that the configuration names for this scale; none is no file."""
    return CONFIG.collect.frozen_splits_at(wildcards.scale) or []


def share_of_cores(jobs):
    """Return the cores of each of so many jobs of a rule, all at once; one on a cluster, where the profile may say more.

    Snakemake inside a job of a cluster sees the cores of the node, not those that the job was given.
    """
    if workflow.remote_exec:
        return 1
    return max(1, (workflow.resource_settings.cores or 1) // jobs)


def mem_mb(stage):
    """Return the memory, in MB, that a job of the stage asks for: by the raw size of its slide or slides, and the attempt."""
    need = needs()[stage]
    return lambda wildcards, threads, attempt: need.mem_mb(
        size_of(stage, wildcards, need.mb_slides), threads, attempt
    )


def runtime(stage):
    """Return the time, in minutes, that a job of the stage asks for, in the same way."""
    return lambda wildcards, attempt: needs()[stage].runtime(
        size_of(stage, wildcards), attempt
    )


def size_of(stage, wildcards, of="all"):
    """Return the raw size of the slide, or of all or the largest where there is no slide; what is not yet simulated has none."""
    if stage == "simulate":
        return recipe_size(CONFIG.simulate[wildcards.slide])
    one = "slide" in wildcards.keys()
    slides = [SLIDES[wildcards.slide]] if one else SLIDES.values()
    places = [(slide.xenium, slide.he) for slide in slides]
    size = raw_size(places) if of == "all" else largest_size(places)
    grown = stage == "ingest" and resegmented(wildcards)
    return size.with_grown_cells() if grown else size


def gpus(stage):
    """Return how many GPUs a job of the stage asks for: one if the configuration says so, else None."""
    return gpus_of(CONFIG, stage)


def gpus_of_network(wildcards):
    """Return how many GPUs segmenting asks for: none where no network segments."""
    return gpus("segment") if network(wildcards) else None


def gpus_of_nuclei(wildcards):
    """Return how many GPUs resegment asks for: none where the nuclei of the slide come from a file."""
    drawn = resegmentation(wildcards).source == "geojson"
    return None if drawn else gpus("resegment")


def scale_of(wildcards):
    """Return what the scale of this name is: native, native/2, or um per px."""
    return CONFIG.scales[wildcards.scale]


def folder_of_shard(wildcards, output):
    """Return the folder that a job of a shard makes; where there are none, that of the slide, by its manifest."""
    return str(Path(output[0]).parent) if CONFIG.shards == 1 else output[0]


def each_slide(path):
    """Return the path once for every slide, other wildcards left open."""
    return expand(path, slide=SLIDES, allow_missing=True)


def each_scale(path):
    """Return the path once for every scale, other wildcards left open."""
    return expand(path, scale=CONFIG.scales, allow_missing=True)


def option(name, key=None):
    """Return the option --name for every file of the input of that name: none, one, or many."""
    return lambda wildcards, input: repeated(
        name, as_list(input.get(key or name.replace("-", "_")))
    )


def made(name):
    """Return the option --name for the output of that name, if the rule has it."""
    return lambda wildcards, output: repeated(
        name, as_list(output.get(name.replace("-", "_")))
    )


def repeated(name, values):
    """Return the option once for every value, as words of a command."""
    return [word for value in values for word in (f"--{name}", value)]


def as_list(value):
    """Return files as a list, be they none, one, or many."""
    return [value] if isinstance(value, str) else list(value or [])


SHOWN = {
    "slide_report": ("1 Slides", "report of the slide"),
    "overlay": ("2 Registration", "nuclei on the H&E"),
    "drift": ("2 Registration", "shifts by tile"),
    "checkerboard": ("2 Registration", "the tile that fits worst"),
    "class_map": ("3 Annotation", "classes on the slide"),
    "umap_classes": ("3 Annotation", "UMAP by class"),
    "umap_clusters": ("3 Annotation", "UMAP by cluster"),
    "dotplot": ("3 Annotation", "markers of the classes"),
    "dataset": ("4 Datasets", "page of the dataset"),
    "samples": ("4 Datasets", "patches of every slide"),
    "class_consistency": ("4 Datasets", "classes compared over slides"),
    "evaluation": ("4 Datasets", "a trained network on it"),
}
"""What Snakemake's own report shows, by its caption in workflow/report/: in which category, and as what."""


def shown(path, caption):
    """Return an output that the report shows, with the slide or the scale that it is of."""
    category, shows = SHOWN[caption]
    of = "slide" if "{slide}" in path else "scale"
    return report(
        path,
        caption=f"../report/{caption}.rst",
        category=category,
        labels={of: f"{{{of}}}", "shows": shows},
    )


def tell(log):
    """Say at the end what was made, the verdict on every slide, and what failed; it decides nothing."""
    values = json.dumps(config, default=str)
    shell("sthelar-build summary --log {log:q} --values {values:q} || true")
