"""Card, page and record of a dataset lie beside its tables and tell what they hold, what they leak, and what they weigh."""

import json

import pandas as pd
import pytest

from sthelar_build.core.consistency import CONSISTENCY_COLUMNS
from sthelar_build.core.consistency_words import page_facts
from sthelar_build.core.dataset_verdicts import Answer
from sthelar_build.core.slide_outliers import Outlier
from sthelar_build.io.dataset_descriptions import table_names, write_descriptions
from sthelar_build.io.pictures.embedded import Picture
from sthelar_build.settings.report import ReportSettings

TABLES = {
    "patch_metrics.csv": pd.DataFrame({"patch_id": ["s_0.png"], "Jaccard": [0.5]}),
    "cell_count.csv": pd.DataFrame({"Image": ["s_0.png"], "T_NK": [3]}),
    "types.csv": pd.DataFrame({"img": ["s_0.png"], "type": ["Skin"]}),
}
AUDIT = (
    "shared_pixels",
    "patches_sharing_pixels",
    "shared_nuclei",
    "shared_slides",
    "shared_patients",
)
SLIDE = {
    "name": "s", "patient": "p", "tissue": "Skin", "condition": "normal", "um_per_px": 0.25, "verdict": "pass",
    "median_um": None, "patches": 1, "nuclei": 3, "nuclei_per_patch": 3.0, "median_jaccard": 0.5,
    "mean_covered": 0.97, "median_blur_um": 0.55, "p95_blur_um": None, "splits": {"train": 1, "valid": 0, "test": 0}, "left_out": {},
    "n_cells": 9, "decided_share": 1.0, "mean_confidence": 0.9, "kept_share": None, "thumbnail": None, "report": "r.html",
    "verdicts": {"alignment": "pass", "labels": "pass", "masks": "unknown", "overall": "warn"},
}  # fmt: skip
VALUES = {
    "title": "Nuclei & cells",
    "licence": "CC0-1.0",
    "url": "",
    "creators": ("A lab",),
    "date_published": "",
    "citation": "",
    "scale": "40x",
    "side_px": 256,
    "split": {
        "strategy": "space", "guard_px": 64, "frozen": False, "sha256": "ab12",
        "audit": dict.fromkeys(AUDIT, 0),
    },
    "slides": [SLIDE],
    "classes": [
        {"index": 1, "name": "T_NK", "colour": "#112233", "cells": 9, "rarest": True,
         "splits": {"train": 6, "valid": 2, "test": 2}},
    ],
    "splits": [],
    "consistency": page_facts(pd.DataFrame(columns=CONSISTENCY_COLUMNS), {}, 0, 4),
    "formats": [
        {"name": "pannuke", "bytes": 58_300_000_000, "n_files": 2, "n_patches": 7, "n_patches_total": 10,
         "left_out": {"blurred": 3}},
    ],
    "selections": [
        {"formats": ["pannuke"], "slides": [{"name": "s", "kept": 7, "total": 10, "left_out": {"blurred": 3}}]},
    ],
    "samples": Picture("data:image/webp;base64,AAAA", 8, 4),
    "loading": {"pannuke": "import numpy", "tables": "import pandas"},
    "slide_loading": {"spatialdata": "import spatialdata"},
    "torch": None,
    "whole_slides": [],
    "answers": [Answer("Do the splits leak?", "pass", "No", "Nothing is shared.")],
    "outliers": [],
    "odd": set(),
    "limits": ReportSettings(),
    "min_slides": 5,
    "max_deviation": 3.5,
}  # fmt: skip


def described(folder, **values):
    for name, table in TABLES.items():
        table.to_csv(folder / name, index=False)
    file = {"description": "Part.", "bytes": 5, "sha256": "0" * 64}
    missing = write_descriptions(
        folder, {**VALUES, **values}, TABLES, {"pannuke/s.npz": file}, {"stage": "describe"}
    )
    card, page = ((folder / name).read_text() for name in ("card.md", "index.html"))
    return card, page, json.loads((folder / "croissant.json").read_text()), missing


def test_card_and_page_tell_the_same(tmp_path):
    card, page, _, _ = described(tmp_path)
    assert '"stage": "describe"' in card
    assert "Nuclei &amp; cells" in page
    assert "Nuclei & cells" in card
    for text in (card, page):
        for words in ("58.3 GB", "3 blurred", "ab12", "rarest", "60.0 %", "0.55",
                      "import numpy", "CC0-1.0", "A lab", "space"):  # fmt: skip
            assert words in text, words
    assert "samples.png" in card
    assert "data:image/webp;base64,AAAA" in page
    assert "0 pixels are shown by two splits" in card
    assert "Not measured" in page


def test_a_slide_that_stands_out_is_told_in_words_and_marked_in_the_table(tmp_path):
    odd = Outlier("s", "median_jaccard", -6.1, "median Jaccard 0.50; the others have 0.90")
    _, page, _, _ = described(tmp_path, outliers=[odd], odd={("s", "median_jaccard")})
    assert '<b><a href="r.html">s</a></b>: median Jaccard 0.50; the others have 0.90.' in page
    assert '<span class="odd" title="unlike the others">0.500</span>' in page
    assert page.count('class="odd"') == 1


def test_tables_of_the_card_have_as_many_cells_in_every_row(tmp_path):
    card, *_ = described(tmp_path)
    blocks = [block.splitlines() for block in card.split("\n\n") if block.startswith("|")]
    assert len(blocks) >= 6
    for lines in blocks:
        assert len(lines) >= 2
        assert len({line.count("|") for line in lines}) == 1, lines


def test_a_leak_of_shuffled_patches_is_told_in_words_and_figures(tmp_path):
    audit = {**VALUES["split"]["audit"], "shared_pixels": 12345, "shared_nuclei": 67}
    split = {**VALUES["split"], "strategy": "random_leaky", "audit": audit}
    card, page, _, _ = described(tmp_path, split=split)
    assert all("shuffled" in text for text in (card, page))
    assert "67 nuclei are drawn in two" in card
    assert "12345 pixels" in card
    assert '<td class="n verdict fail">67</td>' in page


def test_the_record_names_tables_and_downloads_and_what_it_lacks(tmp_path):
    _, _, record, missing = described(tmp_path)
    assert record["description"].startswith("H&E patches of 256 px at 40x")
    assert record["license"] == "https://spdx.org/licenses/CC0-1.0.html"
    assert [file["@id"] for file in record["distribution"]] == [*TABLES, "pannuke/s.npz"]
    assert missing == ["url", "datePublished"]
    assert "Skin" in record["keywords"]


def test_a_dataset_without_licence_says_so(tmp_path):
    assert "none is stated" in described(tmp_path, licence="")[0]


@pytest.mark.parametrize("name", table_names())
def test_every_table_has_a_suffix_that_can_be_read(name):
    assert name.endswith((".csv", ".parquet"))
