"""A second opinion on the label of every object, and where it agrees with another one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Transfer:
    """What a classifier that learnt from the atlas says."""

    labels: NDArray[np.object_]
    """(objects,): fine label; None where it has no opinion."""
    probabilities: NDArray[np.float32]
    """(objects,): what it gives that label; NaN where it has no opinion."""

    def classes(self, class_of: Mapping[str, str]) -> NDArray[np.object_]:
        """Return the class of every label; None where there is none."""
        return np.array([class_of.get(label) for label in self.labels], dtype=object)


@dataclass(frozen=True)
class ClassAgreement:
    """How often the second opinion is the first, for the objects that the first puts in a class."""

    class_name: str
    """The class."""
    n_objects: int
    """Objects of it on which there is a second opinion."""
    share: float
    """Share of them with the same class."""
    rival: str | None
    """The class that the others are most often; None if there are none."""
    rival_share: float
    """Share of the objects that are that."""


def agreement_by_class(
    first: Sequence[str | None] | NDArray[np.object_], second: NDArray[np.object_]
) -> list[ClassAgreement]:
    """Compare two opinions (classes per object) per class of the first, by name.

    Objects on which one of them has none are left out; so are classes without an object.
    """
    table = pd.DataFrame({"first": list(first), "second": list(second)}, dtype=object).dropna()
    return [_of_class(str(name), group["second"]) for name, group in table.groupby("first")]


def _of_class(name: str, second: pd.Series) -> ClassAgreement:
    shares = (
        second.value_counts(normalize=True).sort_index().sort_values(ascending=False, kind="stable")
    )
    others = shares.drop(name, errors="ignore")
    return ClassAgreement(
        class_name=name,
        n_objects=len(second),
        share=float(shares.get(name, 0.0)),
        rival=str(others.index[0]) if len(others) else None,
        rival_share=float(others.iloc[0]) if len(others) else 0.0,
    )
