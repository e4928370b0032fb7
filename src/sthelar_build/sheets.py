"""The two sheets, ``slides.tsv`` and ``references.tsv``: their rows, read and checked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator

from sthelar_build.errors import ConfigError
from sthelar_build.settings.base import SCALE, Settings
from sthelar_build.settings.sheet_rows import Row, read_sheet

SLIDE_NAME = r"^[A-Za-z0-9_]+$"


class Slide(Settings):
    """One row of ``slides.tsv``."""

    slide: Annotated[str, Field(pattern=SLIDE_NAME)]
    """Name of the slide: letters, digits and _; unique."""
    patient: Annotated[str, Field(min_length=1)]
    """Patient; slides of one patient never meet in different splits when the split is by patient."""
    tissue: Annotated[str, Field(min_length=1)]
    """Tissue, as it will stand in the datasets."""
    condition: Literal["cancer", "normal"]
    """cancer or normal."""
    xenium: Path
    """Folder of the Xenium bundle (the one that holds experiment.xenium)."""
    he: Path
    """Whole-slide H&E image."""
    alignment: Annotated[str, Field(min_length=1)]
    """auto, identity, or the path of a 3x3 csv, a keypoints csv, or an Explorer zip."""
    reference: Annotated[str, Field(min_length=1)]
    """Key of the reference atlas in references.tsv."""
    predictions: Path | None = None
    """Instance maps made elsewhere (h5), to be used instead of segmenting; may be empty.

    ``{scale}`` in the path stands for the name of the scale: a file serves one."""

    nuclei: Path | None = None
    """Outlines of nuclei to use instead of those of the bundle (GeoJSON, as QuPath exports it; may end in .gz or .zip); may be empty."""

    @field_validator("predictions", "nuclei", mode="before")
    @classmethod
    def _empty_is_none(cls, value: Any) -> Any:
        return value or None

    def predictions_at(self, scale: str) -> Path | None:
        """Return the predictions for a scale; None if there are none."""
        return self.predictions and Path(str(self.predictions).replace(SCALE, scale))

    def nuclei_from(self, source: str) -> str:
        """Return where the nuclei of the slide come from; ``source`` is what holds for slides without a file of nuclei."""
        return "geojson" if self.nuclei else source

    @property
    def alignment_file(self) -> Path | None:
        """The alignment as a path; None for the words auto and identity."""
        return None if self.alignment in {"auto", "identity"} else Path(self.alignment)

    @property
    def files(self) -> list[Path]:
        """The files that stand for the slide: of its bundle, its image, its alignment if it has one."""
        named = (self.xenium / "experiment.xenium", self.he, self.alignment_file)
        return [path for path in named if path]


class Reference(Settings):
    """One row of ``references.tsv``."""

    reference: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]+$")]
    """Key, as slides.tsv names it."""
    path: Path
    """Reference atlas, h5ad."""
    label_key: Annotated[str, Field(min_length=1)]
    """Column of obs that holds the cell-type labels."""
    layer: str = ""
    """Layer of raw counts; empty takes X."""
    label_map: Path | None = None
    """Table fine label -> class (tsv with columns label, class); empty takes the built-in vocabulary."""

    @field_validator("label_map", mode="before")
    @classmethod
    def _empty_is_none(cls, value: Any) -> Any:
        return value or None


def load_slides(path: Path) -> dict[str, Slide]:
    """Read ``slides.tsv``: slide name -> row."""
    return _by_key(path, read_sheet(path, Slide), "slide")


def load_references(path: Path) -> dict[str, Reference]:
    """Read ``references.tsv``: key -> row."""
    return _by_key(path, read_sheet(path, Reference), "reference")


def check_references(
    slides: Mapping[str, Slide], references: Mapping[str, Reference], sheet: Path
) -> None:
    """Raise ConfigError if a slide names a reference that the other sheet does not have."""
    for slide in slides.values():
        if slide.reference not in references:
            raise ConfigError(
                f"{sheet}: slide {slide.slide}: expected a reference of the other sheet "
                f"({', '.join(sorted(references)) or 'it is empty'}), found {slide.reference!r}; "
                "add it there or correct the name"
            )


def check_predictions(slides: Mapping[str, Slide], scales: Sequence[str], sheet: Path) -> None:
    """Raise ConfigError if a slide has one file of predictions for several scales."""
    for slide in slides.values():
        if slide.predictions and len(scales) > 1 and SCALE not in str(slide.predictions):
            raise ConfigError(
                f"{sheet}: slide {slide.slide}: expected {SCALE} in the path of the predictions, as a file serves one of "
                f"the scales {', '.join(scales)}, found {str(slide.predictions)!r}; give one h5 for each scale"
            )


def check_nuclei(slides: Mapping[str, Slide], source: str, sheet: Path) -> None:
    """Raise ConfigError if nuclei are to come from files and a slide has none."""
    for slide in slides.values():
        if source == "geojson" and not slide.nuclei:
            raise ConfigError(
                f"{sheet}: slide {slide.slide}: expected a GeoJSON file in the column nuclei, as resegment.source is geojson, found none; "
                "name one, or set resegment.source to xenium: slides with a file take it all the same"
            )


def _by_key(path: Path, rows: list[Row], key: str) -> dict[str, Row]:
    twice = [name for name, n in Counter(getattr(row, key) for row in rows).items() if n > 1]
    if twice:
        raise ConfigError(
            f"{path}: expected every {key} once, found {', '.join(twice)} more than once; rename one"
        )
    if not rows:
        raise ConfigError(f"{path}: expected at least one row, found none; add one")
    return {getattr(row, key): row for row in rows}
