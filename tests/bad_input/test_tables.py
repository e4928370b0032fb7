"""Small tables and settings that people write: read with their habits, refused with their mistakes."""

import json
import pickle

import h5py
import numpy as np
import pytest
import torch

from bad_input.refusals import assert_one_line, contents, words
from sthelar_build.config import load_config
from sthelar_build.errors import ConfigError
from sthelar_build.sheets import load_slides

HEADER = "slide\tpatient\ttissue\tcondition\txenium\the\talignment\treference\n"
ROW = "s0\tp0\tBreast\tcancer\ta\tb.tif\tauto\tatlas\n"
SHEETS = {
    "is empty": ("", "nothing"),
    "has no rows": (HEADER, "at least one row"),
    "is separated by commas": ((HEADER + ROW).replace("\t", ","), "tab-separated"),
    "has a slide twice": (HEADER + ROW + ROW, "s0 more than once"),
    "lacks a column": (HEADER.replace("\the", "") + ROW, "he"),
    "has a column twice": (HEADER.replace("patient", "slide") + ROW, "slide more than once"),
    "has a column that no one knows": (HEADER.replace("\the", "\the\tcolour") + ROW, "colour"),
    "has a cell too many": (HEADER + ROW.replace("\tatlas", "\t\tatlas\tmore"), "line 2"),
    "has a row too short": (HEADER + "s0\tp0\n", "tissue"),
    "names a slide with a blank": (HEADER + ROW.replace("s0", "s 0"), "slide", "s 0"),
    "names a slide that climbs": (HEADER + ROW.replace("s0", "../s0"), "slide", "../s0"),
    "names no slide": (HEADER + ROW.replace("s0", ""), "slide"),
    "names a condition of its own": (HEADER + ROW.replace("cancer", "ill"), "condition", "ill"),
    "opens a quote": (HEADER + ROW.replace("p0", '"p0') + ROW.replace("s0", "s1"), "line 2", "quotes"),
    "is in latin-1": ((HEADER + ROW.replace("p0", "Müller")).encode("latin-1"), "UTF-8"),
    "is in UTF-16": ((HEADER + ROW).encode("utf-16"), "UTF-8"),
}  # fmt: skip


@pytest.mark.parametrize("case", SHEETS)
def test_a_sheet_is_refused_that(tmp_path, case):
    content, *expected = SHEETS[case]
    path = tmp_path / "slides.tsv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(ConfigError) as error:
        load_slides(path)
    assert all(word in str(error.value) for word in ("slides.tsv", *expected)), error.value
    assert "\n" not in str(error.value)


HABITS = {
    "CRLF": (HEADER + ROW).replace("\n", "\r\n").encode(),
    "a BOM": (HEADER + ROW).encode("utf-8-sig"),
    "quotes": (HEADER + ROW).replace("Breast", '"Breast"').encode(),
    "blank lines and comments": ("# mine\n\n" + HEADER + "\n" + ROW).encode(),
    "blanks around": (HEADER + ROW).replace("Breast", " Breast ").encode(),
}


@pytest.mark.parametrize("habit", HABITS)
def test_a_sheet_is_read_with(tmp_path, habit):
    path = tmp_path / "slides.tsv"
    path.write_bytes(HABITS[habit])
    assert load_slides(path)["s0"].tissue == "Breast"


CONFIGURATIONS = {
    "a key that no one knows": ({"slidez": "x"}, "slidez"),
    "a word for a number": ({"tile": {"side_px": "many"}}, "side_px", "many"),
    "a number out of range": ({"tile": {"side_px": -1}}, "side_px", "-1"),
    "a list for settings": ({"tile": [1]}, "tile"),
    "a scale of no size": ({"scales": {"40x": "0"}}, "native"),
    "a scale with a slash": ({"scales": {"40/x": "native"}}, "scales"),
    "a format of its own": ({"formats": ["jpeg"]}, "formats", "jpeg"),
}


@pytest.mark.parametrize("case", CONFIGURATIONS)
def test_a_configuration_is_refused_with(case):
    values, *expected = CONFIGURATIONS[case]
    with pytest.raises(ConfigError) as error:
        load_config(values)
    assert all(word in str(error.value) for word in expected), error.value
    assert "\n" not in str(error.value)


SETTINGS = {
    "no JSON": ("{", "JSON"),
    "an unknown key": ('{"nearly": 1}', "nearly"),
    "a word for a number": ('{"pixel_size_tolerance": "much"}', "pixel_size_tolerance"),
    "a list": ("[]", "object"),
    "NaN": ('{"pixel_size_tolerance": NaN}', "pixel_size_tolerance"),
}


@pytest.mark.parametrize("case", SETTINGS)
def test_settings_are_refused_with(slide, case):
    content, *expected = SETTINGS[case]
    slide.is_refused(slide.preflight(settings=content), "--settings", *expected)


def unrelated(path):
    with h5py.File(path, "w") as file:
        file["unrelated"] = np.zeros(1)


def maps_of_two_slides(path):
    with h5py.File(path, "w") as file:
        for name in ("a_1", "b_1"):
            for part in ("data", "indices", "indptr", "shape"):
                file[f"{name}_{part}"] = np.zeros(1)


FILES = {
    "a label map of unknown classes": (
        "label-map", lambda path: path.write_text("label\tclass\nT_CD8\tLymphocytes\n"), "Lymphocytes",
    ),
    "a label map of other columns": (
        "label-map", lambda path: path.write_text("fine\tcoarse\nT_CD8\tT_NK\n"), "label",
    ),
    "a label with two classes": (
        "label-map", lambda path: path.write_text("label\tclass\nT_CD8\tT_NK\nT_CD8\tOther\n"), "T_CD8",
    ),
    "a label map with an open quote": (
        "label-map", lambda path: path.write_text('label\tclass\n"T_CD8\tT_NK\n'), "quotes",
    ),
    "a label map of bytes": ("label-map", lambda path: path.write_bytes(bytes(range(256))), "UTF-8"),
    "predictions that are no h5": ("predictions", lambda path: path.write_text("x"), "h5"),
    "predictions without maps": ("predictions", unrelated, "_data"),
    "predictions of other slides": ("predictions", maps_of_two_slides, "one slide"),
}  # fmt: skip


@pytest.mark.parametrize("case", FILES)
def test_preflight_refuses(slide, case):
    option, make, *expected = FILES[case]
    path = slide.raw / "made"
    make(path)
    slide.is_refused(slide.preflight(**{option: path}), "made", *expected)


class Spy:
    """Leaves a trace where it is unpickled."""

    def __init__(self, trace):
        self.trace = trace

    def __reduce__(self):
        return (open, (str(self.trace), "w"))


CHECKPOINTS = {
    "a pickle that runs code": lambda path, spy: path.write_bytes(pickle.dumps(spy)),
    "a checkpoint that runs code": lambda path, spy: torch.save({"arch": spy}, path),
    "an array of objects": lambda path, spy: np.save(path.open("wb"), np.array([spy], dtype=object)),
    "a checkpoint of something else": lambda path, _: torch.save({"weights": torch.zeros(2)}, path),
    "a checkpoint without its layers": lambda path, _: torch.save(
        {"arch": "CellViT256", "config": {}, "model_state_dict": {"a": torch.zeros(2)}}, path
    ),
    "a text": lambda path, _: path.write_text("x"),
}  # fmt: skip


@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.parametrize("case", CHECKPOINTS)
def test_a_network_is_refused_that_is(slide, registered_toy, case):
    path, trace = slide.raw / "network.pth", slide.raw / "trace"
    CHECKPOINTS[case](path, Spy(trace))
    patches = slide.raw / "results/patches_40x.parquet"
    patches.parent.mkdir()
    tile = {
        "he": slide.raw / "he_image.ome.tif",
        "transform": registered_toy.results / "transform.json",
        "transcripts": registered_toy.results / "transcripts.parquet",
    }
    status, said = slide.run(
        *words("tile", {**tile, "scale": "native", "patches": patches, "settings": "{}"})
    )
    assert status == 0, said
    options = {
        "he": tile["he"],
        "patches": patches,
        "checkpoint": path,
        "predictions": slide.out / "p",
    }
    settings = json.dumps({"method": "cellvit", "device": "cpu", "checkpoint": str(path)})
    slide.is_refused(words("segment", {**options, "settings": settings}), "network.pth")
    assert not trace.exists()


def test_predictions_of_another_grid_are_refused(slide, registered_toy):
    path = slide.raw / "found.h5"
    with h5py.File(path, "w") as file:
        file["0_data"], file["0_indices"] = np.float32([1]), np.int32([0])
        file["0_indptr"], file["0_shape"] = np.int32([0, 1, 1]), [2, 2]
    patches = slide.out / "patches_40x.parquet"
    tile = {
        "he": slide.raw / "he_image.ome.tif",
        "transform": registered_toy.results / "transform.json",
        "transcripts": registered_toy.results / "transcripts.parquet",
    }
    slide.run(*words("tile", {**tile, "scale": "native", "patches": patches, "settings": "{}"}))
    before = contents(slide.out)
    options = {
        "he": tile["he"],
        "patches": patches,
        "supplied": path,
        "predictions": slide.out / "p",
    }
    status, said = slide.run(*words("segment", {**options, "settings": "{}"}))
    assert_one_line(status, said, "found.h5", "found (2, 2)")
    assert contents(slide.out) == before
