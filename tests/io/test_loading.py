"""The code that a page shows loads the files beside it: it is run as it stands."""

import ast

import numpy as np
import pytest

from sthelar_build.io.loading import loading_examples, slide_examples, torch_example

PATCHES = loading_examples("skin_s1", 32)


def run(code, folder, monkeypatch):
    monkeypatch.chdir(folder)
    names = {}
    exec(compile(code, "example", "exec"), names)
    return names


@pytest.mark.parametrize("name", ["pannuke", "sthelar", "cellvit", "cellvit_plus"])
def test_the_example_of_a_format_loads_it(exported_dataset, monkeypatch, name):
    found = run(PATCHES[name], exported_dataset[1], monkeypatch)
    maps = [np.asarray(found[key].todense() if hasattr(found[key], "todense") else found[key])
            for key in ("types", "masks") if key in found]  # fmt: skip
    assert maps
    assert all(one.shape[-3:-1] == (32, 32) or one.shape == (32, 32) for one in maps)
    assert all(one.any() for one in maps)


def test_the_example_of_huggingface_loads_a_row(exported_dataset, monkeypatch, tmp_path):
    import datasets

    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path)
    found = run(PATCHES["huggingface"], exported_dataset[1], monkeypatch)
    assert found["image"].size == found["types"].size == (32, 32)


def test_the_example_for_torch_gives_a_batch(exported_dataset, monkeypatch):
    found = run(torch_example(["pannuke"]), exported_dataset[1], monkeypatch)
    assert tuple(found["image"].shape) == (4, 3, 32, 32)
    assert tuple(found["types"].shape) == (4, 32, 32)


def test_there_is_none_for_torch_where_nothing_can_be_read():
    assert torch_example(["sthelar", "cellvit_plus"]) is None


@pytest.mark.parametrize(("name", "code"), slide_examples("skin_s1").items())
def test_examples_of_whole_slides_are_python_on_their_folder(name, code):
    ast.parse(code)
    assert f"../whole_slides/{name}/" in code or "../../skin_s1/sdata_skin_s1.zarr" in code
