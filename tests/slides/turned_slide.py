"""For all that maps between frames: nuclei on 300 x 300 um, and an H&E turned by a known transform."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import shapely
import tifffile
from numpy.typing import NDArray

from sthelar_build.core.raster import instance_map
from sthelar_build.io.provenance import provenance
from sthelar_build.io.records import write_record
from sthelar_build.io.tables import write_table
from sthelar_build.schema.frames import Affine, Frame
from sthelar_build.schema.labels import CLASSES
from sthelar_build.schema.tables import LABELS, NUCLEI

PIXEL_SIZE_UM = 0.2125
HE_UM_PER_PX = 0.35
SIDE_UM = 300.0
GLASS, STROMA, NUCLEUS = (242, 240, 243), (225, 165, 200), (95, 60, 140)

UM_TO_MORPHOLOGY = Affine.scaling(1 / PIXEL_SIZE_UM, Frame.UM, Frame.MORPHOLOGY)


def turned_matrix(degrees: float = 91.0, *, mirrored: bool = False) -> Affine:
    """H&E px -> morphology px: turned about the middle of the slide, with glass all round."""
    angle, size = np.radians(degrees), HE_UM_PER_PX / PIXEL_SIZE_UM
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]) * size
    turn[:, 0] *= -1 if mirrored else 1
    middle_he = np.full(2, he_side_px() / 2)
    matrix = np.eye(3)
    matrix[:2, :2] = turn
    matrix[:2, 2] = SIDE_UM / PIXEL_SIZE_UM / 2 - turn @ middle_he
    return Affine(matrix, Frame.HE, Frame.MORPHOLOGY)


def he_side_px() -> int:
    return round((SIDE_UM + 60) / HE_UM_PER_PX)


@dataclass(frozen=True)
class TurnedSlide:
    """Files of the slide, and its truth."""

    folder: Path
    he_to_morphology: Affine
    nuclei: pd.DataFrame
    he_file: Path | None = None
    """The H&E, where it is not the drawn one."""

    @property
    def he(self) -> Path:
        return self.he_file or self.folder / "he.tif"

    @property
    def xenium(self) -> Path:
        return self.folder / "xenium"

    @property
    def bundle(self) -> Path:
        return self.folder / "bundle.json"

    @property
    def nuclei_table(self) -> Path:
        return self.folder / "nuclei.parquet"

    @property
    def labels(self) -> Path:
        return self.folder / "labels.parquet"

    @property
    def um_to_he(self) -> Affine:
        return UM_TO_MORPHOLOGY.then(self.he_to_morphology.inverse())

    def matrix_csv(self, name: str = "matrix.csv", shift_um: tuple[float, float] = (0, 0)) -> Path:
        """Write the true matrix, moved so that the H&E lies ``shift_um`` from where it belongs."""
        matrix = self.he_to_morphology.matrix.copy()
        matrix[:2, 2] += np.array(shift_um) / PIXEL_SIZE_UM
        np.savetxt(self.folder / name, matrix, delimiter=",")
        return self.folder / name


def make_turned_slide(folder: Path, he_to_morphology: Affine) -> TurnedSlide:
    slide = TurnedSlide(folder, he_to_morphology, nuclei_frame(_ellipses()))
    write_nuclei(slide, slide.nuclei)
    write_table(slide.labels, _labels(slide.nuclei), LABELS, provenance("test"))
    _write_he(slide)
    return slide


def write_nuclei(slide: TurnedSlide, nuclei: pd.DataFrame) -> None:
    """Write what a bundle leaves: nuclei, DAPI, bundle.json."""
    slide.xenium.mkdir(parents=True)
    write_table(slide.nuclei_table, nuclei, NUCLEI, provenance("test"))
    facts = {"pixel_size_um": PIXEL_SIZE_UM, "morphology": "morphology_mip.ome.tif"}
    write_record(slide.bundle, facts, provenance("test"))
    _write_dapi(slide)


def nuclei_frame(geometry: NDArray[np.object_]) -> pd.DataFrame:
    centroids = shapely.get_coordinates(shapely.centroid(geometry))
    n = len(geometry)
    return pd.DataFrame(
        {
            "nucleus_id": np.arange(1, n + 1, dtype=np.uint32),
            "cell_id": [f"cell{number // 2}-1" for number in range(n)],
            "x_um": centroids[:, 0],
            "y_um": centroids[:, 1],
            "area_um2": shapely.area(geometry),
            "repaired": np.zeros(n, dtype=bool),
            "raster_label": None,
            "geometry": geometry,
        }
    )


def _ellipses() -> NDArray[np.object_]:
    rng = np.random.default_rng(11)
    spots = rng.uniform(0, SIDE_UM, (420, 2))
    angle = np.linspace(0, 2 * np.pi, 20, endpoint=False)
    long, short = rng.uniform(3.5, 6, (2, len(spots), 1))
    ring = np.stack([long * np.cos(angle), short * np.sin(angle)], axis=-1) + spots[:, None]
    return np.asarray(shapely.polygons(ring))


def _labels(nuclei: pd.DataFrame) -> pd.DataFrame:
    cells = nuclei.cell_id.unique()
    names = [CLASSES[number % len(CLASSES)].name for number in range(len(cells))]
    return pd.DataFrame(
        {
            "cell_id": cells,
            "final_label": names,
            "label1": "x",
            "label2": "x",
            "label3": "normal_cell",
            "confidence": np.float32(1),
            "decided_by": "agreement",
            "cluster": None,
        }
    )


def drawn(slide: TurnedSlide, to_px: Affine, side_px: int) -> NDArray[np.uint32]:
    geometry = to_px.apply_to_geometries(slide.nuclei.geometry.to_numpy())
    return instance_map(geometry, slide.nuclei.nucleus_id, (side_px, side_px))


def _write_dapi(slide: TurnedSlide) -> None:
    side_px = round(SIDE_UM / PIXEL_SIZE_UM)
    image = np.full((side_px, side_px), 100, np.uint16)
    if len(slide.nuclei):
        image[drawn(slide, UM_TO_MORPHOLOGY, side_px) > 0] = 1000
    path = slide.xenium / "morphology_mip.ome.tif"
    tifffile.imwrite(path, image, tile=(256, 256), compression="zlib", metadata={"axes": "YX"})


def _write_he(slide: TurnedSlide) -> None:
    side_px = he_side_px()
    rows, columns = np.indices((side_px, side_px)) + 0.5
    um = slide.um_to_he.inverse().apply(np.stack([columns.ravel(), rows.ravel()], axis=1))
    tissue = ((um > 0) & (um < SIDE_UM)).all(axis=1).reshape(side_px, side_px)
    image = np.empty((side_px, side_px, 3), dtype=np.float64)
    image[:] = GLASS
    image[tissue] = STROMA
    image[drawn(slide, slide.um_to_he, side_px) > 0] = NUCLEUS
    image += np.random.default_rng(3).normal(0, 6, image.shape)
    size = (1e4 / HE_UM_PER_PX, 1e4 / HE_UM_PER_PX)
    tifffile.imwrite(
        slide.he,
        np.clip(image, 0, 255).astype(np.uint8),
        photometric="rgb",
        tile=(256, 256),
        resolution=size,
        resolutionunit="CENTIMETER",
    )
