"""For reading and writing bundles: five cells with everything that has broken a reader, in any version."""

import shutil
import tempfile
from functools import cache
from pathlib import Path

import geopandas
import numpy as np
import pandas as pd
import scanpy
from shapely import MultiPolygon, Polygon, box

from sthelar_build.core.cell_ids import cell_id_strings
from sthelar_build.core.simulation.slide import SimulatedSlide
from sthelar_build.core.simulation.versions import as_version
from sthelar_build.io.xenium.bundle import FEATURE_MATRIX, open_bundle
from sthelar_build.io.xenium_writer.bundle import write_bundle

SHAPE_PX = (190, 260)
CHANNELS = ("DAPI", "ATP1A1/CD45/E-Cadherin", "18S", "AlphaSMA/Vimentin")
FEATURES = pd.DataFrame(
    [
        ("EPCAM", "ENSG00000119888", "predesigned_gene"),
        ("CD3E", "ENSG00000198851", "predesigned_gene"),
        ("MYGENE", "ENSG00000000003", "custom_gene"),
        ("NegControlProbe_00001", "NegControlProbe_00001", "negative_control_probe"),
        ("NegControlCodeword_0500", "NegControlCodeword_0500", "negative_control_codeword"),
        ("UnassignedCodeword_0001", "UnassignedCodeword_0001", "unassigned_codeword"),
        ("DeprecatedCodeword_0002", "DeprecatedCodeword_0002", "deprecated_codeword"),
        ("Intergenic_Region_7", "Intergenic_Region_7", "genomic_control_probe"),
    ],
    columns=["name", "id", "category"],
)
PREFIX = np.array([0xFFFFFFFF, 1, 0x55AF1010, 0, 7], dtype=np.uint32)
SUFFIX = np.array([12, 1, 1, 1, 2], dtype=np.uint32)

TWO_NUCLEI = 0
"""Row of the cell with two nuclei; the others have a bow-tie, none, one with a hole, a plain one."""
NO_NUCLEUS = 2

_LEFT, _RIGHT = box(3, 3, 6, 9), box(8, 3, 11, 9)
_BOW_TIE_RING = [(16, 4), (20, 8), (20, 4), (16, 8), (16, 4)]
_BOW_TIE = MultiPolygon(
    [Polygon([(16, 4), (18, 6), (16, 8)]), Polygon([(20, 8), (18, 6), (20, 4)])]
)
_KEYHOLE_RING = [
    (3, 23), (3, 19), (11, 19), (11, 27), (3, 27), (3, 23),
    (6, 23), (6, 24), (8, 24), (8, 22), (6, 22), (6, 23), (3, 23),
]  # fmt: skip
_WITH_HOLE = box(3, 19, 11, 27) - box(6, 22, 8, 24)
_PLAIN = box(17, 20, 22, 26)


def five_cells(*, channels=CHANNELS, n_transcripts=600, seed=0):
    """Return the slide: 40.4 um high and 55.25 um wide, its cells in the upper left."""
    cells, nuclei = _cells(), _nuclei()
    rng = np.random.default_rng(seed)
    image = rng.integers(100, 4000, SHAPE_PX).astype(np.uint16)
    return SimulatedSlide(
        features=FEATURES.copy(),
        cells=cells,
        nuclei=nuclei,
        transcripts=_transcripts(cells, nuclei, n_transcripts, rng),
        morphology={name: image + np.uint16(i) for i, name in enumerate(channels)},
    )


def shown_slide(version, channels=CHANNELS):
    """Return the slide as a version of the software shows it."""
    return as_version(five_cells(channels=channels), version)


def copy_of_bundle(folder, version, channels=CHANNELS):
    """Copy the bundle of a version to a folder that does not exist yet, and open it."""
    shutil.copytree(Path(_written(version, channels).name) / "outs", folder)
    return open_bundle(folder)


def remove_table(folder, name):
    """Remove a table of a bundle in all its forms: ``cells.parquet`` and its csv twin."""
    (folder / name).unlink()
    (folder / name).with_suffix(".csv.gz").unlink(missing_ok=True)


def vendor_matrix(bundle):
    """Return the bundle's own counts as scanpy reads them: rows are cells, columns features."""
    return scanpy.read_10x_h5(bundle.path(FEATURE_MATRIX), gex_only=False)


@cache
def _written(version, channels):
    folder = tempfile.TemporaryDirectory()
    slide = five_cells(channels=channels)
    write_bundle(Path(folder.name) / "outs", slide, xoa_version=version, seed=1)
    return folder


def _cells():
    return geopandas.GeoDataFrame(
        {
            "prefix": PREFIX,
            "suffix": SUFFIX,
            "cell_id": cell_id_strings(PREFIX, SUFFIX),
            "fine_label": "Epithelial",
            "label3": "normal_cell",
            "class_name": "Epithelial",
            "niche": "epithelium",
            "mixed_with": None,
            "low_count": False,
            "segmentation_method": [
                "Segmented by boundary stain (ATP1A1+CD45+E-Cadherin)",
                "Segmented by interior stain (18S)",
                "Segmented by interior stain (18S)",
                "Segmented by nucleus expansion of 5.0\N{MICRO SIGN}m",
                "Segmented by nucleus expansion of 5.0\N{MICRO SIGN}m",
            ],
        },
        geometry=[
            box(1, 1, 13, 13), box(14, 1, 24, 12), box(27, 2, 36, 12),
            box(1, 16, 13, 30), box(15, 17, 26, 29),
        ],
    )  # fmt: skip


def _nuclei():
    return geopandas.GeoDataFrame(
        {
            "cell_row": [0, 0, 1, 3, 4],
            "ring": [
                list(_LEFT.exterior.coords),
                list(_RIGHT.exterior.coords),
                _BOW_TIE_RING,
                _KEYHOLE_RING,
                list(_PLAIN.exterior.coords),
            ],
        },
        geometry=[_LEFT, _RIGHT, _BOW_TIE, _WITH_HOLE, _PLAIN],
    )


def _transcripts(cells, nuclei, n, rng):
    x_um, y_um = (rng.uniform(0, side, n).astype(np.float32) for side in (40, 35))
    points = geopandas.GeoDataFrame(geometry=geopandas.points_from_xy(x_um, y_um))
    in_cell = points.sjoin(cells[["geometry"]], how="left").groupby(level=0)["index_right"].first()
    in_nucleus = points.sjoin(nuclei[["geometry"]]).index
    return pd.DataFrame(
        {
            "transcript_id": np.arange(n, dtype=np.uint64) + np.uint64(2**48),
            "cell_row": in_cell.fillna(-1).to_numpy(dtype=np.int64),
            "overlaps_nucleus": np.isin(np.arange(n), in_nucleus),
            "codeword_index": rng.integers(0, len(FEATURES), n).astype(np.int32),
            "x_um": x_um,
            "y_um": y_um,
            "z_um": rng.uniform(10, 20, n).astype(np.float32),
            "qv": rng.choice([12.5, 20.0, 40.0], n).astype(np.float32),
        }
    )
