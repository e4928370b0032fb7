"""Card, page and record of a dataset lie beside its tables and name them."""

import json

import pandas as pd

from sthelar_build.core.consistency import CONSISTENCY_COLUMNS
from sthelar_build.core.consistency_words import page_facts
from sthelar_build.io.dataset_descriptions import write_descriptions

TABLES = {
    "patch_metrics.csv": pd.DataFrame({"patch_id": ["s_0.png"], "Jaccard": [0.5]}),
    "cell_count.csv": pd.DataFrame({"Image": ["s_0.png"], "T_NK": [3]}),
    "types.csv": pd.DataFrame({"img": ["s_0.png"], "type": ["Skin"]}),
}
AUDIT = ("patches_sharing_pixels", "shared_nuclei", "shared_slides", "shared_patients")
SLIDE = {
    "name": "s",
    "patient": "p",
    "tissue": "Skin",
    "condition": "normal",
    "um_per_px": 0.25,
    "verdict": "pass",
    "median_um": None,
    "patches": 1,
    "nuclei": 3,
    "median_jaccard": 0.5,
    "splits": {"train": 1, "valid": 0, "test": 0},
    "left_out": {},
}
VALUES = {
    "title": "Nuclei & cells",
    "licence": "CC0-1.0",
    "url": "",
    "scale": "40x",
    "side_px": 256,
    "strategy": "space",
    "guard_px": 64,
    "audit": dict.fromkeys(AUDIT, 0),
    "slides": [SLIDE],
    "classes": [],
    "splits": [],
    "consistency": page_facts(pd.DataFrame(columns=CONSISTENCY_COLUMNS), {}, 0, 4),
}


def test_a_dataset_is_described_three_times(tmp_path):
    for name, table in TABLES.items():
        table.to_csv(tmp_path / name, index=False)
    write_descriptions(tmp_path, VALUES, TABLES, {"stage": "collect"})
    assert "Nuclei & cells" in (tmp_path / "card.md").read_text()
    assert '"stage": "collect"' in (tmp_path / "card.md").read_text()
    assert "Nuclei &amp; cells" in (tmp_path / "index.html").read_text()
    record = json.loads((tmp_path / "croissant.json").read_text())
    assert record["description"].startswith("H&E patches of 256 px at 40x")
    assert record["license"] == "CC0-1.0"
    assert "url" not in record
    assert [file["@id"] for file in record["distribution"]] == list(TABLES)
