"""Splits and their audit at the size of the published set: time, memory, and how the rarest class is shared out.

Made-up tables: slides of different sizes, nine classes that grow in fields, the rarest one in a few spots, nuclei on a line of
places so that neighbouring patches share them. ``python benchmarks/splits.py`` takes some minutes;
``--patches 20000 --slides 4`` is a quick look.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.ndimage import gaussian_filter

from sthelar_build.core.frozen_splits import content_hash
from sthelar_build.core.leaks import audit
from sthelar_build.core.rare_classes import rarest_class
from sthelar_build.core.split_plan import SplitRule, names_of, plan_splits

SIDE_PX, STRIDE_PX = 256, 192
CLASSES = [f"class_{n}" for n in range(9)]
MEAN_NUCLEI = np.array([6, 4, 5, 3, 6, 12, 0.2, 1, 3])
RAREST = 6
SHARES = (0.6, 0.2, 0.2)


class NucleiOnDisk(Mapping[str, pd.DataFrame]):
    """``patch_id``, ``nucleus_id`` by slide, read when asked, as the run reads them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __getitem__(self, slide: str) -> pd.DataFrame:
        return pd.read_parquet(self._folder / f"{slide}.parquet")

    def __iter__(self) -> Iterator[str]:
        return (path.stem for path in sorted(self._folder.glob("*.parquet")))

    def __len__(self) -> int:
        return len(list(self._folder.glob("*.parquet")))


def slide_table(number: int, n_patches: int, rng: np.random.Generator) -> pd.DataFrame:
    """Return the patches of a slide with the nuclei of each class."""
    columns = max(8, int(np.sqrt(n_patches * rng.uniform(0.5, 2))))
    rows = max(8, round(n_patches / columns))
    y, x = np.mgrid[:rows, :columns]
    fields = [gaussian_filter(rng.normal(size=(rows, columns)), 8) * 24 for _ in CLASSES]
    mean = np.exp(np.stack(fields, axis=-1)) * MEAN_NUCLEI / 1.6
    spots = np.zeros((rows, columns))
    for _ in range(rng.integers(1, 5)):
        at = rng.integers(rows), rng.integers(columns)
        spots += np.exp(-((y - at[0]) ** 2 + (x - at[1]) ** 2) / (2 * 5**2))
    mean[..., RAREST] = 3 * spots * (rng.random() < 0.6)
    counts = pd.DataFrame(rng.poisson(mean).reshape(-1, len(CLASSES)), columns=CLASSES)
    return counts.assign(
        slide=f"slide_{number:02d}",
        patient=f"patient_{number * 2 // 3:02d}",
        tissue=f"tissue_{number % 13:02d}",
        patch_id=np.arange(rows * columns, dtype=np.uint32),
        x_px=(x * STRIDE_PX).ravel(),
        y_px=(y * STRIDE_PX).ravel(),
    )


def nuclei_of(table: pd.DataFrame, mean: float, rng: np.random.Generator) -> pd.DataFrame:
    """Return who is drawn where: nuclei at random places of the slide, in every patch that holds them."""
    columns, rows = (int(table[name].max()) // STRIDE_PX + 1 for name in ("x_px", "y_px"))
    n = int(len(table) * mean * (STRIDE_PX / SIDE_PX) ** 2)
    x, y = rng.random(n) * columns * STRIDE_PX, rng.random(n) * rows * STRIDE_PX
    parts = []
    for right in (0, 1):
        for down in (0, 1):
            column, row = x // STRIDE_PX - right, y // STRIDE_PX - down
            shown = (
                (column >= 0)
                & (row >= 0)
                & (x < column * STRIDE_PX + SIDE_PX)
                & (y < row * STRIDE_PX + SIDE_PX)
            )
            patch = (row * columns + column)[shown].astype(np.uint32)
            parts.append(
                pd.DataFrame(
                    {"patch_id": patch, "nucleus_id": np.flatnonzero(shown).astype(np.uint32) + 1}
                )
            )
    return pd.concat(parts, ignore_index=True)


def shares_of(amount: pd.Series, splits: np.ndarray) -> str:
    """Return the shares of train, valid and test, as text."""
    inside = [float(amount[splits == s].sum()) for s in range(3)]
    return " ".join(f"{100 * part / max(1.0, sum(inside)):5.1f}" for part in inside)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--patches", type=int, default=600_000)
    parser.add_argument("--slides", type=int, default=31)
    parser.add_argument("--nuclei-per-patch", type=float, default=34)
    options = parser.parse_args()
    rng = np.random.default_rng(0)
    sizes = rng.lognormal(0, 0.8, options.slides)
    sizes *= options.patches / sizes.sum()
    tables = [slide_table(n, int(size), rng) for n, size in enumerate(sizes)]
    table = pd.concat(tables, ignore_index=True)
    with tempfile.TemporaryDirectory() as folder:
        total = 0
        for one in tables:
            shown = nuclei_of(one, options.nuclei_per_patch, rng)
            total += len(shown)
            shown.to_parquet(Path(folder) / f"{one['slide'].iloc[0]}.parquet")
        del tables, shown
        base_gb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
        print(
            f"{len(table)} patches of {options.slides} slides, {total} appearances of nuclei; {base_gb:.2f} GB so far"
        )
        compare(table, NucleiOnDisk(Path(folder)))


def compare(table: pd.DataFrame, nuclei: Mapping[str, pd.DataFrame]) -> None:
    """Print a line for every strategy."""
    print("strategy       plan s  audit s  kept %  patches %          rarest class %     leaks")
    for strategy in ("patient", "slide", "space", "random_leaky"):
        start = time.perf_counter()
        splits = plan_splits(table, SplitRule(strategy, SHARES, 64, 42), CLASSES, SIDE_PX, nuclei)
        planned = time.perf_counter()
        found = audit(table.assign(split=names_of(splits)), SIDE_PX, nuclei)
        audited = time.perf_counter()
        rarest = CLASSES[rarest_class(table[CLASSES].to_numpy()) or 0]
        print(
            f"{strategy:13s} {planned - start:7.1f} {audited - planned:8.1f} {100 * (splits >= 0).mean():7.1f}  "
            f"{shares_of(pd.Series(np.ones(len(table))), splits)}  {shares_of(table[rarest], splits)}  "
            f"{found.leaks(strategy) or ('none' if strategy != 'random_leaky' else found.leaks('patient'))}"
        )
    start = time.perf_counter()
    content_hash(table.assign(split=names_of(splits)))
    print(f"content hash {time.perf_counter() - start:.1f} s")
    print(f"peak {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:.2f} GB")


if __name__ == "__main__":
    main()
