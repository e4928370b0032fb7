"""A bundle whose files can be read, and whose values cannot be true."""

import h5py
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from bad_input.damage import column, column_page_overwritten, each, fact, rows
from bad_input.refusals import BUNDLE

EXPERIMENT, CELLS = "experiment.xenium", "cells.parquet"
NUCLEI, OUTLINES = "nucleus_boundaries.parquet", "cell_boundaries.parquet"
TRANSCRIPTS, MATRIX = "transcripts.parquet", "cell_feature_matrix.h5"


def scaled(factor, *names):
    def damage(path):
        for name in names:
            column(name, lambda values: values * factor)(path)

    return damage


def moved(name, by_um):
    return column(name, lambda values: values + np.asarray(by_um, values.dtype))


def set_to(name, value):
    return column(name, lambda values: each(values, value))


def renamed(old, new):
    return rows(
        lambda table: table.rename_columns([new if n == old else n for n in table.column_names])
    )


def as_type(name, kind):
    def change(table):
        place = table.column_names.index(name)
        return table.set_column(place, name, pa.array(["much"] * len(table), kind))

    return rows(change)


def of_a_stranger(table):
    place = table.column_names.index("cell_id")
    strange = pc.if_else(
        pc.equal(table["cell_id"], table["cell_id"][0]), "strange-1", table["cell_id"]
    )
    return table.set_column(place, "cell_id", strange)


def feature_names_lost(path):
    with h5py.File(path, "r+") as file:
        del file["matrix/features/name"]


def features_of_two_lengths(path):
    with h5py.File(path, "r+") as file:
        names = file["matrix/features/name"][:-1]
        del file["matrix/features/name"]
        file["matrix/features/name"] = names


PX = 1 / 0.2125
AT_PREFLIGHT = {
    "the pixel size is negative": (EXPERIMENT, fact("pixel_size", -0.2125), "pixel_size"),
    "the pixel size is 0": (EXPERIMENT, fact("pixel_size", 0), "pixel_size"),
    "the pixel size is a word": (EXPERIMENT, fact("pixel_size", "small"), "pixel_size"),
    "the pixel size is missing": (EXPERIMENT, fact("pixel_size", None), "pixel_size"),
    "the pixel size is NaN": (EXPERIMENT, fact("pixel_size", float("nan")), "pixel_size"),
    "the pixel size is in nm": (EXPERIMENT, fact("pixel_size", 212.5), "pixel_size"),
    "cells lack a column": (CELLS, renamed("x_centroid", "x"), "x_centroid"),
    "cells are at words": (CELLS, as_type("x_centroid", pa.string()), "x_centroid", "number"),
    "cells are at NaN": (CELLS, set_to("x_centroid", np.nan), "x_centroid", "NaN"),
    "cells are at infinity": (CELLS, set_to("y_centroid", np.inf), "y_centroid", "inf"),
    "cells have no id": (CELLS, set_to("cell_id", None), "cell_id", "without"),
    "a cell comes twice": (CELLS, rows(lambda t: pa.concat_tables([t, t[:1]])), "once", "twice"),
    "cells are in pixels": (CELLS, scaled(PX, "x_centroid", "y_centroid"), "um", "image"),
    "cells are in millimetres": (CELLS, scaled(1e-3, "x_centroid", "y_centroid"), "um", "image"),
    "cells lie beside the image": (CELLS, moved("x_centroid", 5000), "um", "image"),
    "there is no cell": (CELLS, rows(lambda t: t[:0]), "cell"),
    "there is no nucleus": (NUCLEI, rows(lambda t: t[:0]), "nuclei"),
    "there is no transcript": (TRANSCRIPTS, rows(lambda t: t[:0]), "transcripts"),
    "nuclei lack a column": (NUCLEI, renamed("vertex_y", "y"), "vertex_y"),
    "transcripts lack a column": (TRANSCRIPTS, renamed("qv", "quality"), "qv"),
    "transcripts have a quality in words": (
        TRANSCRIPTS,
        as_type("qv", pa.string()),
        "qv",
        "number",
    ),
    "features have lost their names": (MATRIX, feature_names_lost, "matrix"),
    "features have fewer names than ids": (MATRIX, features_of_two_lengths, "matrix"),
}
AT_INGEST = {
    "nuclei are at NaN": (NUCLEI, set_to("vertex_x", np.nan), "vertex_x", "NaN"),
    "nuclei are at infinity": (NUCLEI, set_to("vertex_x", np.inf), "vertex_x", "inf"),
    "nuclei are in pixels": (NUCLEI, scaled(PX, "vertex_x", "vertex_y"), "um", "image"),
    "nuclei are in millimetres": (NUCLEI, scaled(1e-3, "vertex_x", "vertex_y"), "um", "image"),
    "nuclei lie beside the image": (NUCLEI, moved("vertex_y", -5000), "um", "image"),
    "nuclei belong to nobody": (NUCLEI, set_to("cell_id", None), "cell_id", "without"),
    "nuclei belong to cells that are not there": (NUCLEI, rows(of_a_stranger), "strange-1"),
    "outlines of cells are at NaN": (OUTLINES, set_to("vertex_y", np.nan), "vertex_y", "NaN"),
    "outlines of cells are in pixels": (OUTLINES, scaled(PX, "vertex_x", "vertex_y"), "um", "image"),
    "outlines are of cells that are not there": (OUTLINES, rows(of_a_stranger), "strange-1"),
    "an outline is in two places": (OUTLINES, rows(lambda t: pa.concat_tables([t, t[:2]])), "vertices"),
    "transcripts are at NaN": (TRANSCRIPTS, set_to("x_location", np.nan), "x_location", "NaN"),
    "transcripts are at infinity": (TRANSCRIPTS, set_to("y_location", np.inf), "y_location", "inf"),
    "transcripts are in pixels": (TRANSCRIPTS, scaled(PX, "x_location", "y_location"), "um", "image"),
    "transcripts are in millimetres": (
        TRANSCRIPTS, scaled(1e-3, "x_location", "y_location"), "um", "image",
    ),
    "transcripts have no quality": (TRANSCRIPTS, set_to("qv", np.nan), "qv", "NaN"),
    "transcripts have no feature": (TRANSCRIPTS, set_to("feature_name", None), "feature_name", "without"),
    "a transcript comes twice": (TRANSCRIPTS, rows(lambda t: pa.concat_tables([t, t[:1]])), "once", "twice"),
    "a page of the transcripts is overwritten": (TRANSCRIPTS, column_page_overwritten("qv"), "pages"),
    "a page of the nuclei is overwritten": (NUCLEI, column_page_overwritten("vertex_x"), "pages"),
}  # fmt: skip


@pytest.mark.parametrize("case", AT_PREFLIGHT)
def test_preflight_refuses_when(slide, case):
    name, damage, *words = AT_PREFLIGHT[case]
    damage(slide.bundle / name)
    slide.is_refused(slide.preflight(), BUNDLE if case.startswith("there is no") else name, *words)


@pytest.mark.parametrize("case", AT_INGEST)
def test_ingest_refuses_when(slide, case):
    name, damage, *words = AT_INGEST[case]
    damage(slide.bundle / name)
    slide.is_refused(slide.ingest(), name, *words)
