"""Place the H&E on the morphology image, measure tile by tile how well it lies, and judge it."""

from __future__ import annotations

import logging
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Annotated
from zipfile import is_zipfile

import numpy as np
import pandas as pd

from sthelar_build.config import RegisterSettings
from sthelar_build.core.drift import DriftRule, measured, tiles_with_nuclei
from sthelar_build.core.placement import Placement, place
from sthelar_build.core.registration import weighted_quantiles
from sthelar_build.core.verdict import Findings, Limits, judge
from sthelar_build.core.wording import tally
from sthelar_build.errors import ConfigError, InputError
from sthelar_build.io.alignment import read_alignment
from sthelar_build.io.images.he import HeImage, open_he
from sthelar_build.io.images.morphology import open_morphology
from sthelar_build.io.images.um_windows import haematoxylin_window, is_on_he
from sthelar_build.io.pictures.registration_gallery import write_pictures
from sthelar_build.io.progress import progress
from sthelar_build.io.provenance import provenance
from sthelar_build.io.records import read_record
from sthelar_build.io.tables import read_table, write_table
from sthelar_build.io.transform import Method, Transform, write_transform
from sthelar_build.options import InFile, OutFile, Word, as_json
from sthelar_build.schema.frames import Affine, Frame
from sthelar_build.schema.tables import NUCLEI, REGISTRATION
from sthelar_build.schema.words import FLAT

logger = logging.getLogger(__name__)


def run(
    he: InFile,
    xenium: InFile,
    bundle: InFile,
    nuclei: InFile,
    alignment: Word,
    transform: OutFile,
    registration: OutFile,
    pictures: OutFile,
    settings: Annotated[RegisterSettings, as_json(RegisterSettings)],
) -> None:
    """Register the H&E of a slide to its morphology image."""
    facts = read_record(bundle, ["pixel_size_um", "morphology"])
    method, placement = _placement(alignment, facts["pixel_size_um"])
    frame = read_table(nuclei, NUCLEI, ["x_um", "y_um", "geometry"])
    if frame.empty:
        raise InputError(f"{nuclei}: expected at least one nucleus, found none; check the bundle")
    file = None if alignment == "identity" else Path(alignment)
    inputs = {"he": he, "bundle": bundle, "nuclei": nuclei, "alignment": file}
    source = provenance("register", settings, inputs)
    with open_he(he) as image, open_morphology(xenium / facts["morphology"]) as morphology:
        placed = Transform(
            he_to_morphology=placement.he_to_morphology,
            method=method,
            he_width_px=image.width_px,
            he_height_px=image.height_px,
            pixel_size_um=facts["pixel_size_um"],
            keypoints=placement.record(),
        )
        tiles = _measured(image, placed, frame, settings)
        findings = _findings(placed, placement, tiles, frame, image.um_per_px)
        judged = _judged(placed, findings, settings)
        write_pictures(
            pictures, image, morphology, judged, frame, tiles, settings.tile_um, settings.fail_um
        )
    write_table(registration, tiles, REGISTRATION, source)
    write_transform(transform, judged, source)


def _placement(alignment: str, pixel_size_um: float) -> tuple[Method, Placement]:
    """Return where the map of the H&E comes from, and the map with the residuals of its keypoints."""
    if alignment == "auto":
        raise ConfigError(
            "alignment: expected identity, or the path of a 3x3 csv, a keypoints csv, or a zip of Xenium Explorer, "
            "found auto: automatic registration is not available in this version"
        )
    if alignment == "identity":
        return "identity", place(Affine(np.eye(3), Frame.HE, Frame.MORPHOLOGY), None, pixel_size_um)
    path = Path(alignment)
    found = read_alignment(path)
    method: Method = "matrix" if found.matrix else "keypoints"
    if is_zipfile(path):
        method = "explorer_zip"
    return method, place(found.matrix, found.keypoints, pixel_size_um)


def _measured(
    image: HeImage, placed: Transform, nuclei: pd.DataFrame, settings: RegisterSettings
) -> pd.DataFrame:
    """Return the table of tiles, measured."""
    rule = settings.part(DriftRule)
    tiles = tiles_with_nuclei(nuclei[["x_um", "y_um"]].to_numpy(), settings.tile_um)
    found = measured(
        tiles,
        nuclei.geometry.to_numpy(),
        rule,
        partial(is_on_he, transform=placed),
        lambda window: haematoxylin_window(image, placed, window, settings.smoothing_um),
    )
    rows = pd.DataFrame(list(progress(found, "tiles", len(tiles))))
    missing = REGISTRATION.names[len(tiles.columns) :]
    kinds = {name: np.float64 for name in missing if name != "reason"}
    table = tiles.join(rows.reindex(columns=missing).astype(kinds))
    n_measured = table.residual_um.notna().sum()
    logger.info("measured %d of %d tiles; not: %s", n_measured, len(table), tally(table.reason))
    return table


def _findings(
    placed: Transform,
    placement: Placement,
    tiles: pd.DataFrame,
    nuclei: pd.DataFrame,
    stated_um_per_px: float | None,
) -> Findings:
    ok = tiles[tiles.residual_um.notna()]
    weights = ok.n_nuclei.to_numpy(np.float64)
    median_um, p95_um = (
        weighted_quantiles(ok.residual_um.to_numpy(), weights, [0.5, 0.95])
        if len(ok)
        else (None, None)
    )
    return Findings(
        median_um=median_um,
        p95_um=p95_um,
        n_measured=len(ok),
        n_flat=int((tiles.reason == FLAT).sum()),
        inside=_share_inside(placed, nuclei),
        he_um_per_px=placed.he_um_per_px,
        stated_um_per_px=stated_um_per_px,
        keypoints_um=placement.believed_um,
        rejected_um=placement.rejected_um,
    )


def _judged(placed: Transform, findings: Findings, settings: RegisterSettings) -> Transform:
    verdict, reasons = judge(findings, settings.part(Limits))
    logger.log(
        logging.INFO if verdict == "pass" else logging.WARNING,
        "registration %s: median %s um, 95th percentile %s um%s",
        verdict,
        *(
            "unknown" if value is None else f"{value:.2f}"
            for value in (findings.median_um, findings.p95_um)
        ),
        "".join(f"; {reason}" for reason in reasons),
    )
    return replace(
        placed,
        median_um=findings.median_um,
        p95_um=findings.p95_um,
        verdict=verdict,
        reasons=reasons,
    )


def _share_inside(placed: Transform, nuclei: pd.DataFrame) -> float:
    he_xy = placed.um_to_he.apply(nuclei[["x_um", "y_um"]])
    inside = (he_xy >= 0).all(axis=1) & (he_xy < [placed.he_width_px, placed.he_height_px]).all(
        axis=1
    )
    logger.info("%d of %d nuclei fall on the H&E", inside.sum(), len(nuclei))
    return float(inside.mean())
