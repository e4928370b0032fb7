"""A slide on disk whose registration is known: what the stage ``register`` reads, and the truth."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import shapely
import tifffile
from numpy.typing import NDArray

from sthelar_build.core.simulation.dapi import labels_on_grid
from sthelar_build.io.ome_tiff import halve, write_ome_tiff
from sthelar_build.io.provenance import provenance
from sthelar_build.io.records import write_record
from sthelar_build.io.tables import read_table, write_table
from sthelar_build.schema.frames import Affine, Frame
from sthelar_build.schema.tables import NUCLEI

PIXEL_SIZE_UM = 0.2125
MORPHOLOGY = "morphology_mip.ome.tif"
_LEVELS, _TILE_PX, _QUALITY = 5, 512, 90
DARK, BRIGHT = 110, 1800
"""Of the DAPI image, outside and inside nuclei."""


@dataclass(frozen=True)
class Case:
    """The files of a slide in one folder."""

    folder: Path

    @property
    def name(self) -> str:
        """Name of the case."""
        return self.folder.name

    @property
    def he(self) -> Path:
        """The H&E: drawn, or the scan as it is."""
        scan = self.folder / "he.svs"
        return scan if scan.exists() else self.folder / "he.ome.tif"

    @property
    def xenium(self) -> Path:
        """Folder of the morphology image."""
        return self.folder / "xenium"

    @property
    def bundle(self) -> Path:
        """What ``ingest`` says about the bundle."""
        return self.folder / "bundle.json"

    @property
    def nuclei(self) -> Path:
        """The nuclei of the bundle."""
        return self.folder / "nuclei.parquet"

    @property
    def matrix_csv(self) -> Path:
        """The true matrix, as a user would give it."""
        return self.folder / "matrix.csv"

    @cached_property
    def truth(self) -> dict[str, Any]:
        """Matrix, pixel sizes, size of the H&E, and traits."""
        return dict(json.loads((self.folder / "truth.json").read_text(encoding="utf-8")))

    @property
    def he_to_morphology(self) -> Affine:
        """The true map, or its affine part where the section is distorted."""
        return Affine(np.array(self.truth["matrix"]), Frame.HE, Frame.MORPHOLOGY)

    def centroids_um(self) -> NDArray[np.float64]:
        """Return (n, 2) centroids of the nuclei."""
        return np.asarray(read_table(self.nuclei, NUCLEI, ["x_um", "y_um"]).to_numpy())

    def nuclei_he(self) -> NDArray[np.float64]:
        """Return (n, 2) H&E pixels where the centroids truly lie."""
        return np.asarray(np.load(self.folder / "nuclei_he.npy"))

    def errors_um(self, found_he: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return how far ``found_he`` (n, 2) puts the nuclei that lie on the H&E from where they are."""
        true_he = self.nuclei_he()
        size_px = np.array([self.truth["he_width_px"], self.truth["he_height_px"]])
        on_he = ((true_he >= 0) & (true_he < size_px)).all(axis=1)
        away = found_he[on_he] - true_he[on_he]
        return np.asarray(np.hypot(*away.T) * self.truth["um_per_px"])


def find_cases(folder: Path, pattern: str = "*") -> list[Case]:
    """Return the finished cases of a folder by name."""
    return [Case(path.parent) for path in sorted(folder.glob(f"{pattern}/truth.json"))]


def write_case(
    folder: Path,
    he_to_morphology: Affine,
    he_size_px: tuple[int, int],
    geometry: NDArray[np.object_],
    nuclei_he: NDArray[np.float64],
    traits: Mapping[str, Any],
    *,
    pixel_size_um: float = PIXEL_SIZE_UM,
    dapi: NDArray[np.uint16] | None = None,
) -> Case:
    """Write everything but the H&E, the truth last: what has a truth is whole.

    ``he_size_px`` is (width, height); ``geometry`` are the polygons of the nuclei in um, all at positive
    coordinates; ``nuclei_he`` is (n, 2), where their centroids truly lie on the H&E; ``dapi`` is drawn from
    the polygons unless given.
    """
    case = Case(folder)
    case.xenium.mkdir(parents=True, exist_ok=True)
    write_table(case.nuclei, _nuclei(geometry), NUCLEI, provenance("benchmark"))
    facts = {"pixel_size_um": pixel_size_um, "morphology": MORPHOLOGY}
    write_record(case.bundle, facts, provenance("benchmark"))
    write_ome_tiff(
        case.xenium / MORPHOLOGY,
        _dapi(geometry, pixel_size_um) if dapi is None else dapi,
        pixel_size_um,
        channel_names=["DAPI"],
        compression="deflate",
    )
    np.save(folder / "nuclei_he.npy", nuclei_he)
    np.savetxt(case.matrix_csv, he_to_morphology.matrix, delimiter=",")
    truth = {
        "matrix": he_to_morphology.matrix.tolist(),
        "um_per_px": he_to_morphology.scale * pixel_size_um,
        "he_width_px": he_size_px[0],
        "he_height_px": he_size_px[1],
        "traits": dict(traits),
    }
    (folder / "truth.json").write_text(json.dumps(truth, indent=1) + "\n", encoding="utf-8")
    return case


def write_he(path: Path, image: NDArray[np.uint8], stated_um_per_px: float | None) -> None:
    """Write an H&E as a pyramid of JPEG tiles; without any pixel size if none is stated."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if stated_um_per_px is not None:
        write_ome_tiff(
            path,
            image,
            stated_um_per_px,
            channel_names=["RGB"],
            compression="jpeg",
            tile_px=_TILE_PX,
            levels=_LEVELS,
        )
        return
    options = {"photometric": "rgb", "tile": (_TILE_PX, _TILE_PX), "metadata": None}
    jpeg = {"compression": "jpeg", "compressionargs": {"level": _QUALITY}}
    with tifffile.TiffWriter(path) as tiff:
        tiff.write(image, subifds=_LEVELS - 1, **options, **jpeg)
        for _ in range(1, _LEVELS):
            image = halve(image)
            tiff.write(image, subfiletype=1, **options, **jpeg)


def _nuclei(geometry: NDArray[np.object_]) -> pd.DataFrame:
    n = len(geometry)
    centroids = shapely.get_coordinates(shapely.centroid(geometry))
    return pd.DataFrame(
        {
            "nucleus_id": np.arange(1, n + 1, dtype=np.uint32),
            "cell_id": [f"cell{number}-1" for number in range(n)],
            "x_um": centroids[:, 0],
            "y_um": centroids[:, 1],
            "area_um2": shapely.area(geometry),
            "repaired": np.zeros(n, dtype=bool),
            "raster_label": None,
            "geometry": geometry,
        }
    )


def _dapi(geometry: NDArray[np.object_], pixel_size_um: float) -> NDArray[np.uint16]:
    right_um, bottom_um = shapely.total_bounds(geometry)[2:]
    shape_px = (int(bottom_um / pixel_size_um) + 1, int(right_um / pixel_size_um) + 1)
    inside = labels_on_grid(geometry, 1 / pixel_size_um, shape_px) > 0
    return np.where(inside, np.uint16(BRIGHT), np.uint16(DARK))
