"""A run: the configuration and its two sheets, read and checked together, as the workflow does before anything else."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from sthelar_build.config import Config, check_checkpoints, check_frozen_splits, load_config
from sthelar_build.errors import ConfigError
from sthelar_build.io.clocks import check_dates
from sthelar_build.io.curation_targets import NeededFiles, needed_files
from sthelar_build.sheets import (
    Reference,
    Slide,
    check_nuclei,
    check_predictions,
    check_references,
    load_references,
    load_slides,
)

CONFIG_FILE = Path("config/config.yaml")
"""Where the workflow looks for its configuration."""
RESULTS = Path("results")
"""Where the workflow puts what it makes."""
TOYS = Path("resources/toy")
"""Where the workflow simulates slides."""


@dataclass(frozen=True)
class Run:
    """What is to be built."""

    config: Config
    slides: dict[str, Slide]
    """By name, in the order of the sheet."""
    references: dict[str, Reference]
    """By key."""

    def reference_of(self, slide: str) -> Reference:
        """Return the atlas of a slide."""
        return self.references[self.slides[slide].reference]

    def decisions(self) -> dict[str, NeededFiles]:
        """Return what the human decisions on every slide need; ConfigError if a file is not there."""
        return {slide: needed_files(self.config.curation, slide) for slide in self.slides}

    def makes(self, path: Path) -> bool:
        """Return whether the workflow itself makes this file, as it simulates the slide that it is of."""
        return any(path.is_relative_to(TOYS / slide) for slide in self.config.simulate)


def read_config(path: Path = CONFIG_FILE) -> dict[str, Any]:
    """Return what a configuration file holds, unchecked; ConfigError if it cannot be read."""
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8-sig")) or {}
    except FileNotFoundError as error:
        raise ConfigError(
            f"{path}: expected the configuration here, found none; go to the folder of the workflow, or name another"
        ) from error
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        said = " ".join(str(error).split())
        raise ConfigError(
            f"{path}: expected YAML, found otherwise: {said}; indent with spaces, and put one after every colon"
        ) from error
    if not isinstance(values, dict):
        raise ConfigError(f"{path}: expected keys and values, found {type(values).__name__}")
    return values


def load_run(values: Mapping[str, Any]) -> Run:
    """Validate the configuration, and read the sheets that it names; ConfigError says what is wrong."""
    config = load_config(values)
    return Run(config, load_slides(config.slides), load_references(config.references))


def _references(run: Run) -> None:
    check_references(run.slides, run.references, run.config.slides)


def _nuclei(run: Run) -> None:
    check_nuclei(run.slides, run.config.resegment.source, run.config.slides)


def _predictions(run: Run) -> None:
    check_predictions(run.slides, list(run.config.scales), run.config.slides)


def _splits(run: Run) -> None:
    check_frozen_splits(run.config)


def _checkpoints(run: Run) -> None:
    check_checkpoints(run.config)


def _decisions(run: Run) -> None:
    run.decisions()


def _dates(run: Run) -> None:
    check_dates([path for slide in run.slides.values() for path in slide.files])
    check_dates(RESULTS.glob("*/*"))


CHECKS: tuple[Callable[[Run], None], ...] = (
    _references,
    _nuclei,
    _predictions,
    _splits,
    _checkpoints,
    _decisions,
    _dates,
)
"""What must hold between configuration, sheets and files; each raises ConfigError or InputError."""


def named_files(config: Config) -> Iterator[tuple[str, Path]]:
    """Yield the files that the configuration names beside the sheets: the key, and the path."""
    for scale in config.scales:
        if path := config.segment.checkpoint_at(scale):
            yield "segment.checkpoint", path
        if path := config.collect.frozen_splits_at(scale):
            yield "collect.frozen_splits", path
    if path := config.evaluate.checkpoint_file:
        yield "evaluate.checkpoint", path
    if path := config.resegment.model_file:
        yield "resegment.model", path
    for name, model in config.embed.models.items():
        yield f"embed.models.{name}", model.source
