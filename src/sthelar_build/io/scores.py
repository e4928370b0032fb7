"""``tangram_{nuclei,cells}.parquet``: an id and one column per fine label, and a second opinion if there is one."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from sthelar_build.core.scores import Scores
from sthelar_build.core.transfer import Transfer
from sthelar_build.errors import InputError
from sthelar_build.io.provenance import Provenance
from sthelar_build.io.tables import read_attributes, read_parquet_schema, write_table
from sthelar_build.schema.tables import TRANSFER

ID_COLUMNS = ("nucleus_id", "cell_id")


def write_scores(
    path: Path,
    scores: Scores,
    classes: Mapping[str, str],
    source: Provenance,
    transfer: Transfer | None = None,
) -> None:
    """Write scores; ``classes`` (label -> class) is kept beside the table as the attribute labels.

    A second opinion on the same objects adds the columns of TRANSFER at the end.
    """
    frame = pd.DataFrame(scores.shares, columns=scores.labels)
    frame.insert(0, scores.id_column, scores.ids)
    second = () if transfer is None else TRANSFER
    if transfer is not None:
        frame["transfer_label"] = transfer.labels
        frame["transfer_probability"] = transfer.probabilities
    kind = pa.uint32() if scores.id_column == "nucleus_id" else pa.string()
    schema = pa.schema(
        [
            pa.field(scores.id_column, kind, nullable=False),
            *(pa.field(label, pa.float32()) for label in scores.labels),
            *second,
        ]
    )
    write_table(path, frame, schema, source, {"labels": dict(classes)})


def score_columns(path: Path) -> tuple[str, dict[str, str]]:
    """Return the name of the id, and the class of every label in the order of the columns; no score is read.

    InputError if the table is something else than :func:`write_scores` writes.
    """
    names = [name for name in read_parquet_schema(path).names if name not in TRANSFER.names]
    classes = read_attributes(path).get("labels", {})
    if names[0] not in ID_COLUMNS or set(names[1:]) != set(classes):
        raise InputError(
            f"{path}: expected an id and one column per label, found {', '.join(names[:4])}, ...; "
            "delete it and run again"
        )
    return names[0], {name: classes[name] for name in names[1:]}


def read_scores(path: Path) -> Scores:
    """Read what :func:`write_scores` wrote; InputError if the table is something else."""
    id_column, classes = score_columns(path)
    table = pq.read_table(path, columns=[id_column, *classes])
    shares = np.empty((table.num_rows, len(classes)), dtype=np.float32)
    for number, name in enumerate(classes):
        shares[:, number] = table.column(name).to_numpy()
    return Scores(id_column, table.column(id_column).to_numpy(), list(classes), shares)


def read_transfer(path: Path) -> Transfer | None:
    """Read the second opinion on the objects of :func:`read_scores`, in their order; None if there is none."""
    if not set(TRANSFER.names) <= set(read_parquet_schema(path).names):
        return None
    frame = pq.read_table(path, columns=TRANSFER.names).to_pandas()
    labels = frame["transfer_label"].astype(object)
    return Transfer(
        labels.where(labels.notna(), None).to_numpy(),
        frame["transfer_probability"].to_numpy(dtype=np.float32),
    )
