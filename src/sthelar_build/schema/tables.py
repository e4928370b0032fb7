"""Columns, types and meanings of every parquet artefact. A table that does not fit is refused, not repaired."""

from __future__ import annotations

import pyarrow as pa


def _field(name: str, kind: pa.DataType, about: str, *, null: bool = False) -> pa.Field:
    return pa.field(name, kind, nullable=null, metadata={"about": about})


_STRING = pa.string()
_GEOMETRY = _field("geometry", pa.binary(), "polygon or multipolygon, WKB; GeoParquet", null=True)

NUCLEI = pa.schema(
    [
        _field(
            "nucleus_id",
            pa.uint32(),
            "dense from 1, in the order of the bundle; the value in every mask",
        ),
        _field("cell_id", _STRING, "the cell that owns the nucleus, as 10x writes it"),
        _field("x_um", pa.float64(), "centroid"),
        _field("y_um", pa.float64(), "centroid"),
        _field("area_um2", pa.float64(), "area of the repaired polygon"),
        _field(
            "repaired", pa.bool_(), "the ring of the bundle was invalid and has been made valid"
        ),
        _field(
            "raster_label",
            pa.uint32(),
            "value of its pixels in the nucleus raster of the bundle's cells.zarr.zip; null where the nuclei "
            "are not those of the bundle",
            null=True,
        ),
        _GEOMETRY,
    ]
)
"""``nuclei.parquet``: one row per nucleus, geometry in um, always present and valid."""

RESEGMENTED = pa.schema(
    [
        _field("nucleus_id", pa.uint32(), "dense from 1, in the order of the source"),
        _field("cell_id", _STRING, "id of its cell, new, written as 10x does"),
        _field(
            "source_id", _STRING, "id of the object in the file it comes from; else null", null=True
        ),
        _field("area_um2", pa.float64(), "area of the repaired polygon"),
        _field("repaired", pa.bool_(), "the outline was invalid and has been made valid"),
        _GEOMETRY,
    ]
)
"""``resegmented.parquet``: one row per nucleus that does not come from the bundle, geometry in um."""

CELLS = pa.schema(
    [
        _field(
            "cell_id", _STRING, "the 10x id, kept; new where the nuclei are not those of the bundle"
        ),
        _field("cell_number", pa.uint32(), "dense from 1, in the order of the bundle"),
        _field("x_um", pa.float64(), "centroid"),
        _field("y_um", pa.float64(), "centroid"),
        _field("area_um2", pa.float64(), "area of the cell outline", null=True),
        _field(
            "nucleus_area_um2",
            pa.float64(),
            "summed area of its nuclei; null without a nucleus",
            null=True,
        ),
        _field("nucleus_count", pa.uint16(), "number of its nuclei"),
        _field(
            "segmentation_method", _STRING, "as the bundle says; null where it does not", null=True
        ),
        _field(
            "repaired", pa.bool_(), "the ring of the bundle was invalid and has been made valid"
        ),
        _GEOMETRY,
    ]
)
"""``cells.parquet``: one row per cell of the bundle, in its order; geometry in um, null where the bundle has none."""

TRANSCRIPTS = pa.schema(
    [
        _field("transcript_id", pa.uint64(), "as in the bundle"),
        _field("cell_id", _STRING, "owner; null where it has none", null=True),
        _field(
            "overlaps_nucleus",
            pa.bool_(),
            "it lies in a nucleus, as the bundle says, or the outlines where they are others",
        ),
        _field("feature_name", pa.dictionary(pa.int32(), _STRING), "gene symbol or control name"),
        _field("category", pa.dictionary(pa.int32(), _STRING), "gene, or the kind of control"),
        _field("x_um", pa.float32(), "position"),
        _field("y_um", pa.float32(), "position"),
        _field("z_um", pa.float32(), "position"),
        _field("qv", pa.float32(), "Phred-like decoding quality"),
    ]
)
"""``transcripts.parquet``: one row per decoded molecule, all categories and qualities, in the order of the bundle."""

GENE = "gene"
"""Category of the transcripts that are counted as genes; every other category is a kind of control."""

REGISTRATION = pa.schema(
    [
        _field("tile", pa.uint32(), "number of the tile"),
        _field("x_um", pa.float64(), "centre of the tile"),
        _field("y_um", pa.float64(), "centre of the tile"),
        _field("n_nuclei", pa.uint32(), "nuclei with their centroid in the tile"),
        _field(
            "correlation",
            pa.float64(),
            "haematoxylin against drawn nuclei, as registered",
            null=True,
        ),
        *(
            _field(
                f"correlation_{shift_um}um",
                pa.float64(),
                f"the same with the nuclei shifted by {shift_um} um: mean over +-x and +-y; null beyond the search",
                null=True,
            )
            for shift_um in (1, 2, 4, 8)
        ),
        _field("best_correlation", pa.float64(), "the same at the best shift", null=True),
        _field(
            "dx_um", pa.float64(), "best shift of the nuclei, in um along morphology x", null=True
        ),
        _field(
            "dy_um", pa.float64(), "best shift of the nuclei, in um along morphology y", null=True
        ),
        _field("residual_um", pa.float64(), "length of the best shift", null=True),
        _field(
            "n_matched",
            pa.uint32(),
            "nuclei whose nearest stained core on the H&E has them as its nearest, as registered",
            null=True,
        ),
        _field("matched_um", pa.float64(), "median distance of those pairs", null=True),
        _field(
            "reason",
            _STRING,
            "why there is no shift: no_nucleus (too few), outside (of the H&E), no_tissue (the H&E shows none), or "
            "flat (no shift stands out)",
            null=True,
        ),
    ]
)
"""``registration.parquet``: one row per tile of the morphology plane that has nuclei."""

LABELS = pa.schema(
    [
        _field("cell_id", _STRING, "the 10x id"),
        _field("final_label", _STRING, "class name of schema/labels.csv"),
        _field("label1", _STRING, "coarse type"),
        _field("label2", _STRING, "fine type"),
        _field(
            "label3",
            _STRING,
            "cancer_cell, normal_cell, or less10; null where nothing tells",
            null=True,
        ),
        _field(
            "confidence",
            pa.float32(),
            "0 to 1: support of the class in the evidence of its cluster and its own scores",
        ),
        _field(
            "decided_by",
            _STRING,
            "agreement, markers, tangram, neither, cell_evidence, low_count, or curation",
        ),
        _field(
            "cluster",
            _STRING,
            "cluster of the cell table; null for cells below the count threshold",
            null=True,
        ),
    ]
)
"""``labels.parquet``: one row per cell of the bundle, in the order of ``cells.parquet``."""

EVIDENCE = pa.schema(
    [
        _field("cluster", _STRING, "cluster of the cell table, or part of one, such as 7.1"),
        _field(
            "parent",
            _STRING,
            "cluster that the part comes from, where one was taken apart; else null",
            null=True,
        ),
        _field("n_cells", pa.uint32(), "cells in the cluster"),
        _field(
            "purity",
            pa.float32(),
            "share of the cells whose own evidence names the class; null where it has none",
            null=True,
        ),
        _field(
            "neighbour_purity",
            pa.float32(),
            "mean share of the ten nearest cells by expression that have the same class",
            null=True,
        ),
        _field(
            "tangram_label",
            _STRING,
            "fine label that most cells of the cluster get from Tangram",
            null=True,
        ),
        _field(
            "tangram_class",
            _STRING,
            "class that most cells of the cluster get from Tangram",
            null=True,
        ),
        _field("tangram_share", pa.float32(), "share of the cells that get that class", null=True),
        _field("marker_label", _STRING, "fine type whose markers score highest", null=True),
        _field("marker_class", _STRING, "class whose markers score highest", null=True),
        _field("marker_score", pa.float32(), "score of that class", null=True),
        _field("marker_margin", pa.float32(), "its lead over the next class", null=True),
        _field(
            "top_genes",
            _STRING,
            "genes that set the cluster apart, strongest first, comma separated",
        ),
        _field("final_label", _STRING, "the class decided"),
        _field("label1", _STRING, "the coarse type decided"),
        _field("label2", _STRING, "the fine type decided"),
        _field(
            "label3", _STRING, "cancer_cell or normal_cell; null where nothing tells", null=True
        ),
        _field("label3_reason", _STRING, "what label3 rests on"),
        _field("decided_by", _STRING, "agreement, markers, tangram, neither, or curation"),
        _field("reason", _STRING, "the decision in words"),
        _field(
            "cluster_key",
            _STRING,
            "the target to write into config/curation/{slide}.tsv to decide on it: name, size and a sample of its cells; "
            "null without cells that have enough transcripts",
            null=True,
        ),
    ]
)
"""``evidence.parquet``: one row per cluster, or per part of a cluster that was taken apart."""

OVERRIDES = pa.schema(
    [
        _field("line", pa.uint32(), "number of the line in config/curation/{slide}.tsv"),
        _field("target", _STRING, "the cells that it is on, in words"),
        _field(
            "from_class", _STRING, "class that they had; null where it changes no cell", null=True
        ),
        _field("from_label", _STRING, "fine type that they had; null as well", null=True),
        _field("to_class", _STRING, "class that the line gives"),
        _field("to_label", _STRING, "fine type that the line gives"),
        _field("n_cells", pa.uint32(), "cells that it gave it to"),
        _field("n_kept", pa.uint32(), "those of them that no later line changed again"),
        _field("who", _STRING, "who decided"),
        _field("when", _STRING, "date of the decision"),
        _field("why", _STRING, "why"),
    ]
)
"""``overrides.parquet``: human decisions, one row per line of the table and label that it changed."""

TRANSFER = pa.schema(
    [
        _field(
            "transfer_label",
            _STRING,
            "fine label that a logistic regression on the reference gives; null where no shared gene was counted",
            null=True,
        ),
        _field("transfer_probability", pa.float32(), "its probability for that label", null=True),
    ]
)
"""``tangram_{nuclei,cells}.parquet``: the last two columns, if ``annotate.label_transfer`` is set."""

PATCHES = pa.schema(
    [
        _field("patch_id", pa.uint32(), "grid_row * columns + grid_column"),
        _field("grid_row", pa.uint32(), "row in the grid"),
        _field("grid_column", pa.uint32(), "column in the grid"),
        _field("x_px", pa.int64(), "left edge, px of this scale"),
        _field("y_px", pa.int64(), "top edge, px of this scale"),
        _field("x_he_px", pa.float64(), "left edge, level-0 H&E px"),
        _field("y_he_px", pa.float64(), "top edge, level-0 H&E px"),
        _field("side_he_px", pa.float64(), "side, level-0 H&E px"),
        _field("complete", pa.bool_(), "lies wholly inside the image; only these are cut"),
        _field("tissue_fraction", pa.float32(), "share of its area that is stained tissue"),
        _field(
            "covered_fraction",
            pa.float32(),
            "share of its tissue that the Xenium run covers: where it found transcripts; null where it has no tissue",
            null=True,
        ),
        _field(
            "blur_um",
            pa.float32(),
            "blur of its tissue, as the standard deviation of a Gaussian in um; null where it has too little tissue",
            null=True,
        ),
    ]
)
"""``patches_{scale}.parquet``: the whole grid, one row per patch, by patch_id."""

INSTANCES = pa.schema(
    [
        _field("patch_id", pa.uint32(), "patch"),
        _field("nucleus_id", pa.uint32(), "value in the instance map of that patch"),
        _field("class_index", pa.uint8(), "published class, 1 to 9"),
        _field("visible_px", pa.uint32(), "pixels of the nucleus in the written mask"),
        _field("visible_fraction", pa.float32(), "visible area over the whole area of the polygon"),
        _field("touches_border", pa.bool_(), "a visible pixel lies on the border of the patch"),
    ]
)
"""``masks_{scale}/instances.parquet``: one row per nucleus and patch, read off the written masks."""

PREDICTED_NUCLEI = pa.schema(
    [
        _field("patch_id", pa.uint32(), "patch"),
        _field("instance_id", pa.uint32(), "value in the predicted map of that patch"),
        _field(
            "type_index",
            pa.uint8(),
            "voted type, a number of the checkpoint's nuclei_types; null where the method knows none",
            null=True,
        ),
        _field("type_prob", pa.float32(), "share of its pixels that have the type", null=True),
        _field("x_px", pa.float32(), "centroid in the patch"),
        _field("y_px", pa.float32(), "centroid in the patch"),
        _field("top_px", pa.uint16(), "first row of the patch that it touches"),
        _field("left_px", pa.uint16(), "first column"),
        _field("bottom_px", pa.uint16(), "the row after the last"),
        _field("right_px", pa.uint16(), "the column after the last"),
    ]
)
"""``predictions_{scale}/nuclei.parquet``: one row per predicted nucleus and patch."""

PREDICTED_PATCHES = pa.schema(
    [
        _field("patch_id", pa.uint32(), "patch"),
        _field("n_nuclei", pa.uint32(), "its rows in nuclei.parquet"),
        _field("nucleus_px", pa.uint32(), "pixels that are called nucleus"),
        _field(
            "reason",
            _STRING,
            "why it was not segmented: outside, no_tissue, or not_run (not among the supplied maps)",
            null=True,
        ),
    ]
)
"""``predictions_{scale}/patches.parquet``: one row per patch of the grid."""

METRICS = pa.schema(
    [
        _field("patch_id", pa.uint32(), "patch"),
        _field("Dice", pa.float64(), "2TP / (2TP + FP + FN) of foreground pixels", null=True),
        _field("Jaccard", pa.float64(), "TP / (TP + FP + FN) of foreground pixels", null=True),
        _field("bPQ", pa.float64(), "binary panoptic quality of the instances", null=True),
        _field("n_true", pa.uint32(), "nuclei in the mask"),
        _field("n_predicted", pa.uint32(), "nuclei predicted"),
        _field(
            "reason",
            _STRING,
            "why a metric is null: no_nucleus, not_run, no_tissue (so not segmented), outside, or no_background (one "
            "nucleus on every pixel; bPQ only)",
            null=True,
        ),
    ]
)
"""``metrics_{scale}.parquet``: one row per patch of the grid."""

METRIC_NAMES = ("Dice", "Jaccard", "bPQ")
"""The columns of METRICS that measure agreement."""

DISPLACEMENT = pa.schema(
    [
        _field(
            "compared_with",
            _STRING,
            "predictions; or masks: the same masks in place, as a segmentation without any error would find them",
        ),
        _field("displacement_um", pa.float64(), "by how much the masks are displaced; 0 first"),
        _field("moved_um", pa.float64(), "mean length of the moves, which are whole pixels"),
        _field(
            "n_windows",
            pa.uint32(),
            "parts of patches, with nuclei, that masks moved in one of eight directions still cover",
        ),
        *(
            _field(name, pa.float64(), "mean over them; null if none has it", null=True)
            for name in METRIC_NAMES
        ),
        *(
            _field(
                f"{name}_in_place",
                pa.float64(),
                "the same of the same windows with the masks where they are",
                null=True,
            )
            for name in METRIC_NAMES
        ),
    ]
)
"""``metrics_{scale}_displacement.parquet``: one row per distance, of the patches with most nuclei all over the slide."""

EVALUATED_NUCLEI = pa.schema(
    [
        _field("nucleus_id", pa.uint32(), "nucleus"),
        _field("cell_id", _STRING, "the 10x cell that owns it"),
        _field(
            "split",
            _STRING,
            "split of the patches that show it, train before valid before test; null where they are in none",
            null=True,
        ),
        _field("n_patches", pa.uint16(), "predicted patches that show it"),
        _field("final_label", _STRING, "class that the RNA gives"),
        _field("rna_class", _STRING, "what this class is in the grouping of the network"),
        _field(
            "voted_type",
            _STRING,
            "type of the network with most pixels in its mask, over all patches; Background where no pixel has another",
        ),
        _field(
            "voted_share",
            pa.float32(),
            "share of its pixels that have this type, background counted",
        ),
        _field("seen_share", pa.float32(), "share of its pixels that the network calls nucleus"),
        _field("confidence", pa.float32(), "that of labels.parquet"),
        _field("agrees", pa.bool_(), "the network's type is the class of the RNA"),
    ]
)
"""``evaluation_{scale}/nuclei.parquet``: one row per nucleus that a predicted patch shows."""

EVALUATED_PATCHES = pa.schema(
    [
        _field("patch_id", pa.uint32(), "patch"),
        _field("split", _STRING, "train, valid or test; null where it is in none", null=True),
        _field(
            "Dice",
            pa.float64(),
            "of the pixels that the network calls nucleus with the masks",
            null=True,
        ),
        _field("Jaccard", pa.float64(), "the same", null=True),
        _field("bPQ", pa.float64(), "binary panoptic quality of the nuclei with a type", null=True),
        _field("mPQ", pa.float64(), "mean of the panoptic qualities of the classes", null=True),
        _field("n_true", pa.uint32(), "nuclei in the mask"),
        _field("n_predicted", pa.uint32(), "nuclei that the network finds"),
        _field(
            "reason",
            _STRING,
            "why a metric is null: no_nucleus, or no_background (one nucleus on every pixel; bPQ, mPQ)",
            null=True,
        ),
    ]
)
"""``evaluation_{scale}/patches.parquet``: one row per predicted patch; then ``PQ_{class}`` (float64, null where the patch
shows none) of every class of the network's grouping."""

SPLITS = pa.schema(
    [
        _field("slide", _STRING, "slide"),
        _field("patch_id", pa.uint32(), "patch"),
        _field(
            "split", _STRING, "train, valid or test; null where the patch is in none", null=True
        ),
        _field(
            "reason",
            _STRING,
            "why it is in none: guard, no_nucleus, outside, registration (of the whole slide), or frozen (in none of the "
            "frozen splits)",
            null=True,
        ),
    ]
)
"""``splits.parquet``: one row per patch of every slide."""

TRUTH_CELLS = pa.schema(
    [
        _field("cell_id", _STRING, "the 10x id"),
        _field("fine_label", _STRING, "true fine type"),
        _field("label3", _STRING, "cancer_cell or normal_cell"),
        _field("class_name", _STRING, "true class"),
        _field("niche", _STRING, "neighbourhood that the cell was placed in"),
        _field("mixed_with", _STRING, "fine type whose transcripts bleed in", null=True),
        _field("low_count", pa.bool_(), "planted with too few transcripts to be typed"),
        _GEOMETRY,
    ]
)
"""``truth/cells.parquet`` of a simulated slide: one row per cell, in the order of the bundle; geometry in um."""

TRUTH_NUCLEI = pa.schema(
    [
        _field("nucleus_id", pa.uint32(), "dense from 1, in the order of the bundle"),
        _field("cell_id", _STRING, "the 10x cell that owns the nucleus"),
        _GEOMETRY,
    ]
)
"""``truth/nuclei.parquet`` of a simulated slide: one row per nucleus, true geometry in um."""


def mismatch(found: pa.Schema, expected: pa.Schema) -> str | None:
    """Return what keeps a table from fitting, in words; None when it fits. Column order is part of the contract."""
    if found.names != expected.names:
        missing = [name for name in expected.names if name not in found.names]
        extra = [name for name in found.names if name not in expected.names]
        return (
            f"missing columns {missing}, unexpected columns {extra}"
            if missing or extra
            else "columns out of order"
        )
    for name in expected.names:
        if not _storable_as(found.field(name).type, expected.field(name).type):
            return f"column {name}: expected {expected.field(name).type}, found {found.field(name).type}"
    return None


def _storable_as(found: pa.DataType, expected: pa.DataType) -> bool:
    plain = found.value_type if pa.types.is_dictionary(found) else found
    wanted = expected.value_type if pa.types.is_dictionary(expected) else expected
    if pa.types.is_string(wanted):
        return bool(pa.types.is_string(plain) or pa.types.is_large_string(plain))
    return bool(plain == wanted)
