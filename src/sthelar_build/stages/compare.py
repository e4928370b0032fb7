"""Gather the evaluations of a trained network on all slides: tables, figures, and a page that says what they show."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import pandas as pd

from sthelar_build.core import model_words
from sthelar_build.core.model_parts import Part
from sthelar_build.core.model_tables import (
    class_table,
    confidence_table,
    confusion_table,
    slide_table,
)
from sthelar_build.errors import InputError
from sthelar_build.io.atomic import published
from sthelar_build.io.compared_evaluations import Compared, read_compared
from sthelar_build.io.evaluations import NUCLEI
from sthelar_build.io.pages import write_page
from sthelar_build.io.pictures.embedded import picture_file
from sthelar_build.io.pictures.evaluation import draw_evaluation
from sthelar_build.io.provenance import provenance
from sthelar_build.io.records import write_record
from sthelar_build.options import InFile, InFiles, MaybeInFiles, OutFile, as_json
from sthelar_build.settings.compare import CompareSettings
from sthelar_build.sheets import load_slides

logger = logging.getLogger(__name__)

_PICTURES = {
    "confusion": "Nuclei of every class (rows) by the class that the network gives them, in per cent of the row.",
    "classes": "How well every class is named and drawn.",
    "metrics": "Patches of every slide; the line is the median.",
    "confidence": "Agreement by decile of the confidence of the labels; the lines are what the classes of a decile make one expect. Deciles of equal labels are one bar.",
}
_PICTURE_PX = 1500
_FIGURES, _TEMPLATE = "figures", "evaluation.html.j2"


def run(
    evaluations: InFiles,
    slides_sheet: InFile,
    out: OutFile,
    settings: Annotated[CompareSettings, as_json(CompareSettings)],
    features: MaybeInFiles = None,
) -> None:
    """Compare over slides and splits; ``features`` are ``{slide}/features_{model}.h5ad`` of any slides and models."""
    features = features or []
    compared = read_compared(evaluations)
    tables = _tables(compared, slides_sheet, settings)
    probes = _probes(features, compared, settings)
    inputs = {
        "slides_sheet": slides_sheet,
        **{f"{one.slide}/evaluation": one.path for one in compared.found},
        **{f"{path.parent.name}/{path.stem}": path for path in features},
    }
    with published(out) as draft:
        (draft / _FIGURES).mkdir(parents=True)
        written = tables if probes.empty else {**tables, "feature_probe": probes}
        for name, table in written.items():
            table.to_csv(
                draft / f"{name}.csv", index=False, lineterminator="\n", float_format="%.6g"
            )
        values = _page(draft / _FIGURES, compared, tables, settings)
        write_page(draft / "index.html", _TEMPLATE, {**values, "probes": _probe_rows(probes)})
        facts = {
            **{name: compared.record[name] for name in ("scale", "network", "grouping")},
            "splits": {part.split: _sizes(part) for part in compared.pools},
            "slides": [one.slide for one in compared.found],
        }
        write_record(draft / "manifest.json", facts, provenance("compare", settings, inputs))
    for sentence in (values["overview"], *values["confusions"]):
        logger.info("%s", sentence)


def _tables(compared: Compared, sheet: Path, settings: CompareSettings) -> dict[str, pd.DataFrame]:
    rows = load_slides(sheet)
    strangers = [one.slide for one in compared.found if one.slide not in rows]
    if strangers:
        raise InputError(
            f"{sheet}: expected a row for every evaluated slide, found none for {strangers[0]}; add it"
        )
    return {
        "per_class": class_table(compared.pools, compared.grouping.names),
        "confusion": confusion_table(compared.pools, compared.names),
        "per_slide": slide_table(
            [part for parts in compared.by_split.values() for part in parts],
            {name: row.tissue for name, row in rows.items()},
            {one.slide: one.record.get("qc_jaccard") for one in compared.found},
            compared.grouping.other,
            settings.behind,
            settings.min_nuclei,
        ),
        "confidence": confidence_table(compared.pools),
    }


def _page(
    figures: Path, compared: Compared, tables: dict[str, pd.DataFrame], settings: CompareSettings
) -> dict[str, Any]:
    """Draw the figures, and return what the page shows: the first split at length."""
    first, parts = compared.pools[0], next(iter(compared.by_split.values()))
    told = {name: table[table["split"] == first.split] for name, table in tables.items()}
    colours = {one.name: one.colour for one in compared.grouping.classes}
    of_classes = told["per_class"], told["confidence"]
    draw_evaluation(figures, first, parts, *of_classes, compared.names, colours)
    shown_slides = {part.slide for part in parts}
    return {
        **_sentences(compared, told["per_slide"], settings),
        "record": compared.record,
        "split": first.split,
        "classes": _rows(told["per_class"]),
        "slides": _rows(told["per_slide"]),
        "unused": [one.slide for one in compared.found if one.slide not in shown_slides],
        "colours": {name: "#{:02x}{:02x}{:02x}".format(*rgb) for name, rgb in colours.items()},
        "pictures": {
            name: (caption, picture_file(figures / f"{name}.png", _PICTURE_PX))
            for name, caption in _PICTURES.items()
        },
    }


def _sentences(
    compared: Compared, slides: pd.DataFrame, settings: CompareSettings
) -> dict[str, Any]:
    first, other, least = compared.pools[0], compared.grouping.other, settings.min_nuclei
    return {
        "overview": model_words.overview(first, len(slides), other),
        "class_words": model_words.class_words(first, compared.grouping.names, least),
        "confusions": model_words.confusion_words(first, compared.names, settings.confused, least),
        "confused": settings.confused,
        "slide_words": model_words.slide_words(slides),
        "behind": settings.behind,
        "confidence_words": model_words.confidence_words(first),
        "network_words": model_words.network_words(compared.record),
        "split_words": model_words.split_words(compared.pools, other),
    }


def _sizes(part: Part) -> dict[str, int]:
    return {"n_patches": part.n_patches, "n_nuclei": part.n_nuclei}


def _probes(
    features: Sequence[Path], compared: Compared, settings: CompareSettings
) -> pd.DataFrame:
    from sthelar_build.adapters.feature_probe import probe_table

    nuclei = {one.slide: one.path.parent / NUCLEI for one in compared.found}
    return probe_table(features, nuclei, compared.names, settings.probed_nuclei, settings.seed)


def _probe_rows(probes: pd.DataFrame) -> list[dict[str, Any]]:
    rows = []
    for model, table in probes.groupby("model", sort=True):
        chance = float((1 / table.n_classes).mean())
        mean = float(table.balanced_accuracy.mean())
        rows.append({"model": model, "mean": mean, "chance": chance, "slides": _rows(table)})
    return rows


def _rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(key): value for key, value in row.items()} for row in table.to_dict("records")]
