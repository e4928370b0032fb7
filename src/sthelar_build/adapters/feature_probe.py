"""How well features tell classes apart on slides that nobody has learnt from: a linear probe, one slide held out at a time."""

from __future__ import annotations

import warnings
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from sthelar_build.core.atlas.sampling import stratified_rows
from sthelar_build.io.probed_features import read_features
from sthelar_build.io.progress import progress
from sthelar_build.io.tables import read_table
from sthelar_build.schema.tables import EVALUATED_NUCLEI

_MOST_STEPS = 300
_FEWEST = 2


@dataclass(frozen=True)
class ProbedSlide:
    """The nuclei of one slide that are probed."""

    slide: str
    features: NDArray[np.float32]
    """(n, d), finite."""
    codes: NDArray[np.int64]
    """(n,) class of each."""


@dataclass(frozen=True)
class Probe:
    """What a classifier that has not seen the slide makes of it."""

    slide: str
    n: int
    n_classes: int
    """Classes of the slide that the others have too."""
    balanced_accuracy: float
    """Mean recall over those."""


def probe_table(
    features: Sequence[Path],
    nuclei: Mapping[str, Path],
    names: Sequence[str],
    most: int,
    seed: int,
) -> pd.DataFrame:
    """Return a row per model and slide that was held out.

    Parameters
    ----------
    features
        ``{slide}/features_{model}.h5ad``; those of slides without nuclei are passed over.
    nuclei
        Slide -> ``nuclei.parquet`` of its evaluation.
    names
        Of the codes, see ``ModelClasses``.
    most, seed
        Nuclei of a slide that are probed, at most about, and the seed of their choice.
    """
    slides: dict[str, list[ProbedSlide]] = defaultdict(list)
    for path in progress(features, "tables of features", len(features)):
        slide, model = path.parent.name, path.stem.removeprefix("features_")
        if slide in nuclei:
            table = read_table(nuclei[slide], EVALUATED_NUCLEI, ["nucleus_id", "rna_class"])
            codes = pd.Index(names).get_indexer(pd.Index(table["rna_class"])).astype(np.int64)
            chosen = sampled(codes, most, seed)
            values, seen = read_features(path, table["nucleus_id"].to_numpy()[chosen])
            slides[model].append(ProbedSlide(slide, values, codes[chosen][seen]))
    rows = [
        (model, one.slide, one.n, one.n_classes, one.balanced_accuracy)
        for model, probed in slides.items()
        for one in probe(probed)
    ]
    columns = ["model", "held_out_slide", "n", "n_classes", "balanced_accuracy"]
    return pd.DataFrame(rows, columns=columns)


def sampled(codes: NDArray[np.int64], most: int, seed: int) -> NDArray[np.int64]:
    """Return the rows to probe, ascending: every class alike, at most about ``most``."""
    classes = np.unique(codes[codes >= 0])
    if not len(classes):
        return np.zeros(0, dtype=np.int64)
    return stratified_rows(codes, max(1, most // len(classes)), seed)


def probe(slides: list[ProbedSlide]) -> list[Probe]:
    """Hold out every slide in turn; slides that share fewer than two classes with the others are left out.

    Notes
    -----
    Logistic regression on features that are standardised by the slides that are learnt from, classes weighed alike. On one
    thread, so that the number of cores changes nothing.
    """
    found = []
    with threadpool_limits(1):
        for number, held in enumerate(slides):
            others = [slide for place, slide in enumerate(slides) if place != number]
            if others and (one := _held_out(held, others)):
                found.append(one)
    return found


def _held_out(held: ProbedSlide, others: list[ProbedSlide]) -> Probe | None:
    x = np.concatenate([slide.features for slide in others]).astype(np.float64)
    y = np.concatenate([slide.codes for slide in others])
    shared = np.intersect1d(held.codes, y)
    if len(shared) < _FEWEST:
        return None
    mean, spread = x.mean(axis=0), x.std(axis=0)
    spread[spread == 0] = 1
    model = _fitted((x - mean) / spread, y)
    mine = np.isin(held.codes, shared)
    codes = held.codes[mine]
    right = model.predict((held.features[mine] - mean) / spread) == codes
    recall = [right[codes == code].mean() for code in shared]
    return Probe(held.slide, int(mine.sum()), len(shared), float(np.mean(recall)))


def _fitted(x: NDArray[np.float64], y: NDArray[np.int64]) -> Any:
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=0.1, class_weight="balanced", max_iter=_MOST_STEPS)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return model.fit(x, y)
