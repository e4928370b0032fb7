"""The slides of a dataset side by side: what each is, how good it is, and what that says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from sthelar_build.core.slide_verdicts import Status, slide_verdicts
from sthelar_build.core.summary import Agreement, Annotation


def slide_row(
    known: Mapping[str, Any],
    annotation: Annotation,
    agreement: Agreement,
    min_decided: float,
    min_kept: float,
) -> dict[str, Any]:
    """Return what is known of a slide, and what can be compared with the others.

    Parameters
    ----------
    known
        A slide of ``facts.json``.
    annotation, agreement
        How the labels of its cells were found; how well its masks agree at the scale of the dataset.
    min_decided, min_kept
        Limits of the verdicts, see ``slide_verdicts``.

    Returns
    -------
    ``known`` with ``n_cells``, ``decided_share``, ``mean_confidence`` (None without cells), ``kept_share`` (of the measured patches;
    None if none was), ``verdicts`` (``alignment``, ``labels``, ``masks``, ``overall``).
    """
    alignment = cast(Status, known["verdict"])
    return {
        **known,
        "n_cells": annotation.n_cells,
        "decided_share": annotation.decided_share,
        "mean_confidence": annotation.mean_confidence,
        "kept_share": agreement.kept_share if agreement.n_measured else None,
        "verdicts": slide_verdicts(alignment, annotation, [agreement], min_decided, min_kept),
    }
