"""The checkpoint that is shipped: what it is, and that it sees nuclei on tissue it has never seen."""

import pandas as pd
import pytest

from sthelar_build.adapters.cellvit.checkpoint import open_checkpoint
from sthelar_build.adapters.cellvit.predictor import Predictor
from sthelar_build.core.agreement import agreement
from sthelar_build.core.hv_nuclei import hv_nuclei
from sthelar_build.core.voted_maps import typed_instances
from sthelar_build.io.images.he import open_he
from sthelar_build.io.masks import open_masks
from sthelar_build.schema.labels import PATCH_CLASS_NAMES
from sthelar_build.settings.checkpoints import TOY_CHECKPOINT


@pytest.fixture(scope="module")
def checkpoint():
    return open_checkpoint(TOY_CHECKPOINT)


def test_it_is_small_and_says_what_it_is_made_of(checkpoint):
    assert TOY_CHECKPOINT.stat().st_size < 6 * 2**20
    assert list(checkpoint.nuclei_types) == ["Background", *PATCH_CLASS_NAMES]
    assert list(checkpoint.tissue_types) == ["Breast", "Skin"]
    provenance = checkpoint.config["sthelar"]["provenance"]
    assert provenance["stage"] == "train"
    assert {"dataset_1", "dataset_2"} <= set(provenance["inputs"])
    assert checkpoint.config["sthelar"]["test"]["Dice"] > 0.75


def test_it_sees_nuclei_of_a_new_slide_well_above_the_classical_method(checkpoint, assessed_toy):
    results = assessed_toy.results
    metrics = pd.read_parquet(results / "metrics_40x.parquet").set_index("patch_id")
    scored = metrics[metrics.reason.isna()]
    patches = pd.read_parquet(results / "patches_40x.parquet").set_index("patch_id")
    masks = open_masks(results / "masks_40x")
    predictor = Predictor(checkpoint, "cpu", "fp32")
    found = []
    with open_he(assessed_toy.raw / "he_image.ome.tif") as image:
        for patch_id in scored.index:
            one = patches.loc[patch_id]
            pixels = image.read_area(one.x_he_px, one.y_he_px, one.side_he_px, masks.side_px)
            maps = predictor(pixels[None])
            nuclei = hv_nuclei(maps.nucleus[0], maps.hv[0], maps.types[0], 40)
            typed = typed_instances(nuclei.instances, nuclei.ids, nuclei.type_index)
            found.append(agreement(masks.instances(patch_id), typed, maps.nucleus[0]))
    dice = pd.Series([one.dice for one in found]).mean()
    bpq = pd.Series([one.bpq for one in found]).mean()
    assert dice > 0.8
    assert dice > scored.Dice.mean() + 0.05
    assert bpq > scored.bPQ.mean() + 0.05
