"""Provenance is read back from JSON and parquet; what has none is passed over."""

import pandas as pd
import pyarrow as pa

from sthelar_build.io.lineage import lineage
from sthelar_build.io.records import write_record
from sthelar_build.io.tables import write_table


def test_every_artefact_tells_its_stage_and_a_manifest_is_named_with_its_folder(tmp_path):
    masks, table, image = (tmp_path / p for p in ("masks/manifest.json", "t.parquet", "he.tif"))
    masks.parent.mkdir()
    write_record(masks, {"n": 1}, {"stage": "rasterise"})
    write_table(table, pd.DataFrame({"a": [1]}), pa.schema([("a", pa.int64())]), {"stage": "tile"})
    found = lineage([masks, image, table])
    assert found == [
        ("masks/manifest.json", {"stage": "rasterise"}),
        ("t.parquet", {"stage": "tile"}),
    ]
