"""docs/artefacts.md names every file that a rule makes and every fact that stands in one."""

import json
import re
from itertools import product
from pathlib import Path

import pyarrow as pa
import pytest

from sthelar_build.io.tables import read_attributes
from sthelar_build.schema import elements, tables
from sthelar_build.settings.preflight import PreflightSettings
from sthelar_build.stages import preflight

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "artefacts.md").read_text(encoding="utf-8")
FOLDERS = (
    "resources/toy/{slide}/",
    "results/dataset/whole_slides/",
    "results/dataset/{scale}/",
    "results/{slide}/",
)
SCHEMAS = {name: s for name, s in vars(tables).items() if isinstance(s, pa.Schema)}


def spelt_out(name):
    """Return what a name with choices stands for: ``a_{b,c}`` is a_b and a_c."""
    parts = re.split(r"\{([^{}]*,[^{}]*)\}", name)
    choices = [part.split(",") if i % 2 else [part] for i, part in enumerate(parts)]
    return {"".join(words) for words in product(*choices)}


NAMED = {name for code in re.findall(r"`([^`\n]+)`", PAGE) for name in spelt_out(code)}


def outputs():
    for rule in sorted((ROOT / "workflow" / "rules").glob("*.smk")):
        for block in re.findall(r"^    output:\n((?:        .*\n)+)", rule.read_text(), re.M):
            for path in re.findall(r'"((?:results|resources)/[^"]+)"', block):
                tables_of = ("nuclei", "cells") if "tangram" in path else ("nuclei", "combined")
                yield from {path.replace("{table}", table) for table in tables_of}


def test_rules_have_outputs():
    assert len(set(outputs())) > 30


@pytest.mark.parametrize("path", sorted(set(outputs())))
def test_a_file_that_a_rule_makes_is_documented(path):
    (name,) = {path.removeprefix(f) for f in FOLDERS if path.startswith(f)} - {path}
    folder = name.split("/")[0]
    assert {name, folder, f"{folder}/"} & NAMED


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_column_of_every_table_is_documented(name):
    about = re.compile(rf"^\| `({'|'.join(SCHEMAS[name].names)})` \| ", re.M)
    assert set(about.findall(PAGE)) == set(SCHEMAS[name].names)


@pytest.mark.parametrize(
    "record",
    [
        "bundle.json",
        "transform.json",
        "masks_40x/manifest.json",
        "predictions_40x/manifest.json",
        "truth.json",
    ],
)
def test_every_key_of_a_record_is_documented(assessed_toy, record):
    folder = assessed_toy.raw / "truth" if record == "truth.json" else assessed_toy.results
    assert set(json.loads((folder / record).read_text())) <= NAMED


@pytest.mark.parametrize(
    "table", ["patches_40x", "labels", "evidence", "tangram_cells", "tangram_nuclei"]
)
def test_every_attribute_of_a_table_is_documented(assessed_toy, table):
    attributes = read_attributes(assessed_toy.results / f"{table}.parquet")
    assert attributes
    assert set(attributes) <= NAMED


def test_every_fact_of_preflight_is_documented(toy, tmp_path):
    preflight.run(
        slide="toy",
        xenium=toy.raw / "xenium",
        he=toy.raw / "he_image.ome.tif",
        reference=toy.raw / "reference.h5ad",
        label_key="cell_type",
        out=tmp_path / "preflight.json",
        settings=PreflightSettings(),
        alignment=toy.raw / "alignment_explorer.zip",
    )
    record = json.loads((tmp_path / "preflight.json").read_text())
    assert {*record, *record["facts"]} <= NAMED


def test_every_element_of_the_store_is_documented():
    names = {value for name, value in vars(elements).items() if name.isupper()}
    assert names <= NAMED
