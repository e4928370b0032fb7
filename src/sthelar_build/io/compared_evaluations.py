"""The evaluations of one network on several slides, joined."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from sthelar_build.core.evaluated_tables import PART_NAMES
from sthelar_build.core.model_parts import Part, pooled
from sthelar_build.errors import InputError
from sthelar_build.io.evaluations import COMMON, Evaluation, code_names, read_evaluation
from sthelar_build.schema.groupings import GROUPINGS, Grouping


@dataclass(frozen=True)
class Compared:
    """Slides that the same network was evaluated on, in the same splits."""

    found: list[Evaluation]
    by_split: dict[str, list[Part]]
    """Parts of the slides, by split; the first is the one that is told of at length."""

    @cached_property
    def pools(self) -> list[Part]:
        """The parts of all slides as one, split by split."""
        return [pooled(parts) for parts in self.by_split.values()]

    @property
    def record(self) -> dict[str, Any]:
        """The manifest of the first slide, for what all have in common."""
        return self.found[0].record

    @property
    def grouping(self) -> Grouping:
        """The classes."""
        return GROUPINGS[self.record["grouping"]]

    @property
    def names(self) -> list[str]:
        """Names of the codes."""
        return code_names(self.record)


def read_compared(manifests: Sequence[Path]) -> Compared:
    """Read the evaluations of several slides.

    InputError unless they are of one network, at one scale, in the same splits, and at least one has patches.
    """
    found = [read_evaluation(path) for path in manifests]
    for one in found[1:]:
        _check_common(found[0], one)
    parts = [part for one in found for part in one.parts]
    if not parts:
        raise InputError(
            f"{found[0].path}: expected predicted patches in at least one slide, found none in any; "
            "see evaluate.splits and the splits of the dataset"
        )
    by_split = {name: [part for part in parts if part.split == name] for name in PART_NAMES}
    return Compared(found, {name: group for name, group in by_split.items() if group})


def _check_common(first: Evaluation, one: Evaluation) -> None:
    for (key, expected), value in zip(_common(first).items(), _common(one).values(), strict=True):
        if value != expected:
            raise InputError(
                f"{one.path}: expected the {key} of {first.path}, {expected}, found {value}; evaluate both again"
            )


def _common(one: Evaluation) -> dict[str, Any]:
    network = {"sha256 of the network": one.record["network"]["sha256"]}
    return network | {key: one.record[key] for key in COMMON}
