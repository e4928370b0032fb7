"""Seconds, memory and size of the stages ``view`` and ``outline`` on a slide of 54,000 x 48,000 px with 1.35 million nuclei.

The slide is that of registration_scale.py (one that is finished is not drawn again); its labels are drawn at random, as how long
they take to be packed does not depend on what they say. Each stage runs in a process of its own, as the workflow runs it.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
import pandas as pd
from cases.case import Case
from cases.whole_slide import make_whole_slide
from measured import run_measured
from registration_scale import planned

from sthelar_build.io.provenance import provenance
from sthelar_build.io.records import read_record
from sthelar_build.io.tables import read_table, write_table
from sthelar_build.io.transform import Transform, write_transform
from sthelar_build.schema.labels import CLASS_NAMES
from sthelar_build.schema.tables import LABELS, NUCLEI

_THREADS = "2"
_CLUSTERS = 40


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    folder = Path("results/benchmarks/registration_scale")
    parser.add_argument("--folder", type=Path, default=folder, help=f"of the slides ({folder})")
    parser.add_argument("--nuclei", type=int, default=1_350_000, help="of the bundle (1,350,000)")
    arguments = parser.parse_args()
    case = Case(arguments.folder / f"{arguments.nuclei}_nuclei")
    if not (case.folder / "truth.json").exists():
        make_whole_slide(planned(arguments.nuclei), case.folder)
    transform, labels = case.folder / "transform.json", case.folder / "labels.parquet"
    write_transform(transform, _placed(case), provenance("benchmark"))
    _write_labels(labels, case.nuclei)
    images, nuclei = case.folder / "viewer_images", case.folder / "viewer_nuclei"
    place = ["--transform", str(transform), "--settings", "{}"]
    view = ["--he", case.he, "--xenium", case.xenium, "--bundle", case.bundle, "--images", images]
    _measure("view", [*map(str, view), "--threads", _THREADS, *place], images)
    outline = ["--nuclei", case.nuclei, "--labels", labels, "--outlines", nuclei]
    _measure("outline", [*map(str, outline), *place], nuclei)


def _placed(case: Case) -> Transform:
    size = case.truth["he_width_px"], case.truth["he_height_px"]
    return Transform(
        case.he_to_morphology, "matrix", *size, read_record(case.bundle)["pixel_size_um"]
    )


def _write_labels(path: Path, nuclei: Path) -> None:
    cells = read_table(nuclei, NUCLEI, ["cell_id"])["cell_id"].unique()
    rng = np.random.default_rng(0)
    kinds = rng.choice(CLASS_NAMES, len(cells))
    table = pd.DataFrame(
        {
            "cell_id": cells,
            "final_label": kinds,
            "label1": kinds,
            "label2": kinds,
            "label3": None,
            "confidence": rng.random(len(cells), dtype=np.float32),
            "decided_by": "agreement",
            "cluster": rng.integers(0, _CLUSTERS, len(cells)).astype(str),
        }
    )
    write_table(path, table, LABELS, provenance("benchmark"))


def _measure(stage: str, options: list[str], folder: Path) -> None:
    used = run_measured([sys.executable, "-m", "sthelar_build", stage, *options])
    files = [path.stat().st_size for path in folder.rglob("*") if path.is_file()]
    print(
        f"{stage}: {used.seconds:.0f} s, of the processor {used.cpu_seconds:.0f} s, peak {used.peak_mb:.0f} MB; "
        f"{len(files)} files, {sum(files) / 2**20:.0f} MB, exit status {used.status}"
    )
    if used.status:
        print(used.output)


if __name__ == "__main__":
    main()
