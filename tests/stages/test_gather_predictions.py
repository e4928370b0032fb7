"""Gathered predictions also come in the published layout; equality with one job: tests/stages/test_segment.py."""

import numpy as np

from slides.predicted import write_predictions
from sthelar_build.core.tiling import patch_grid, patch_table
from sthelar_build.io.instance_maps import open_instance_maps
from sthelar_build.io.predictions import open_predictions
from sthelar_build.io.tables import write_table
from sthelar_build.schema.tables import PATCHES
from sthelar_build.settings.gather_predictions import GatherPredictionsSettings
from sthelar_build.stages import gather_predictions

MAP = np.array([[0, 5], [0, 9]], dtype=np.uint32)


def test_one_shard_is_the_whole(tmp_path):
    table = patch_table(patch_grid(2, 2, 1.0, 2, 0)).assign(
        tissue_fraction=np.float32(1), covered_fraction=np.float32(1), blur_um=np.float32(1)
    )
    write_table(tmp_path / "patches.parquet", table, PATCHES, {}, {"rows": 1})
    shard = write_predictions(tmp_path / "shard", (1, 1, 2), {0: MAP}, {})
    gather_predictions.run(
        patches=tmp_path / "patches.parquet",
        shard=[shard],
        predictions=tmp_path / "whole",
        instance_maps=tmp_path / "whole.h5",
        settings=GatherPredictionsSettings(),
    )
    np.testing.assert_array_equal(open_predictions(tmp_path / "whole").instances(0), MAP)
    with open_instance_maps(tmp_path / "whole.h5") as maps:
        np.testing.assert_array_equal(maps.read(0, 2).dense(), MAP)
