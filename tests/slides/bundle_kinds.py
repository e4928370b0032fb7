"""The bundles that users have: every version as it was written, and what builds, programs and copies made of it."""

import gzip
import itertools
import json
import zipfile
from dataclasses import dataclass, replace

import h5py
import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from slides.five_cells import CHANNELS, copy_of_bundle, shown_slide
from sthelar_build.io.xenium.bundle import open_bundle

TABLES = ("cells", "cell_boundaries", "nucleus_boundaries", "transcripts")
DAPI = CHANNELS[:1]


@dataclass(frozen=True)
class Kind:
    """A version, its channels, and what was done to the folder since."""

    version: str
    channels: tuple = DAPI
    changes: tuple = ()
    raster_nuclei: bool = False
    """Whether nuclei come from the raster, along pixel edges."""

    @property
    def truth(self):
        return shown_slide(self.version, self.channels)

    def whole(self, folder):
        """Return the bundle before anything was done to it, with proteins if there are."""
        changes = [change for change in self.changes if change is with_proteins]
        return replace(self, changes=changes).bundle(folder)

    def bundle(self, folder):
        copy_of_bundle(folder, self.version, self.channels)
        for change in self.changes:
            change(folder)
        return open_bundle(folder)


def rewrite(folder, change, tables=TABLES):
    for name in tables:
        path = folder / f"{name}.parquet"
        table = pq.read_table(path)
        path.unlink()
        pq.write_table(change(table), path)


def cast_text(to):
    """Store text otherwise: as bytes, as a dictionary of bytes, ..."""

    def change(folder):
        rewrite(folder, lambda table: table.cast(pa.schema([recast(f) for f in table.schema])))

    def recast(field):
        return field.with_type(to) if field.type in (pa.string(), pa.binary()) else field

    return change


def unnumbered(folder):
    """The first builds of 2.0.0 do not number the nuclei, and run the rings of one cell together."""
    rewrite(folder, lambda table: table.drop_columns(["label_id"]), ("nucleus_boundaries",))
    (folder / "nucleus_boundaries.csv.gz").unlink()


def without_vertices(folder):
    rewrite_zip(folder / "cells.zarr.zip", lambda name: "vertices" not in name)


def csv_alone(suffix):
    """Leave every table as a csv, quoted as old versions do, and no parquet."""

    def change(folder):
        for name in TABLES:
            table = pq.read_table(folder / f"{name}.parquet")
            (folder / f"{name}.parquet").unlink()
            (folder / f"{name}.csv.gz").unlink(missing_ok=True)
            (folder / f"{name}{suffix}").write_bytes(as_csv(table, packed=suffix.endswith("gz")))

    return change


def as_csv(table, *, packed):
    schema = [
        f.with_type(pa.string()) if f.type == pa.binary() else f
        for f in table.schema
        if f.type != pa.bool_()
    ]
    sink = pa.BufferOutputStream()
    plain = table.select([f.name for f in schema]).cast(pa.schema(schema))
    pyarrow.csv.write_csv(plain, sink)
    text = sink.getvalue().to_pybytes()
    return gzip.compress(text) if packed else text


def resegmented(folder):
    """Xenium Ranger leaves the version of the instrument, and says its own beside it."""
    path = folder / "experiment.xenium"
    said = json.loads(path.read_text())
    said["xenium_ranger"] = {"version": "xenium-3.1.0.4", "command": "resegment"}
    path.write_text(json.dumps({**said, "analysis_sw_version": "Xenium-1.4.0.6"}))


def with_proteins(folder):
    """Append two rows of protein to the matrix; their values are scaled intensities."""
    with h5py.File(folder / "cell_feature_matrix.h5", "r+") as file:
        group = file["matrix"]
        n_features, n_cells = group["shape"][:]
        indptr = group["indptr"][:]
        both = [n_features, n_features + 1]
        ends = [np.concatenate([group["indices"][a:b], both]) for a, b in pairs(indptr)]
        values = [np.concatenate([group["data"][a:b], [700, 9]]) for a, b in pairs(indptr)]
        new = {
            "indices": np.concatenate(ends),
            "data": np.concatenate(values),
            "indptr": indptr + 2 * np.arange(n_cells + 1),
            "shape": np.array([n_features + 2, n_cells], np.int32),
        }
        for key, text in {
            "id": "PCNA",
            "name": "PCNA",
            "feature_type": "Protein Expression",
            "genome": "",
        }.items():
            found = [v.decode() for v in group[f"features/{key}"][:]]
            new[f"features/{key}"] = np.array(
                [*found, text, text + "2"[: key != "feature_type"]], "S"
            )
        for name, array in new.items():
            del group[name]
            group.create_dataset(name, data=array)
        file.attrs["protein_scaling_factor"] = 100.0


def pairs(indptr):
    return itertools.pairwise(indptr)


def copied_by_macos(folder):
    """Put a `._` twin beside every file, in folders and in zips, and a .DS_Store into every folder."""
    for path in [p for p in folder.rglob("*") if p.is_file()]:
        path.with_name(f"._{path.name}").write_bytes(b"\x00\x05\x16\x07Mac OS X")
    for inner in (folder, *(p for p in folder.rglob("*") if p.is_dir())):
        (inner / ".DS_Store").write_bytes(b"Bud1")
    with zipfile.ZipFile(folder / "cells.zarr.zip", "a") as archive:
        for name in archive.namelist():
            head, _, tail = name.rpartition("/")
            archive.writestr(f"__MACOSX/{head}/._{tail}", b"\x00\x05\x16\x07")
            archive.writestr(f"{head}/._{tail}".removeprefix("/"), b"\x00\x05\x16\x07")


def as_text_matrix(folder):
    """Leave the features of the matrix as the folder of text files has them, and no h5."""
    with h5py.File(folder / "cell_feature_matrix.h5") as file:
        columns = [file[f"matrix/features/{k}"].asstr()[:] for k in ("id", "name", "feature_type")]
    (folder / "cell_feature_matrix.h5").unlink()
    (folder / "cell_feature_matrix").mkdir()
    lines = ["\t".join(row) + "\n" for row in zip(*columns, strict=True)]
    packed = gzip.compress("".join(lines).encode())
    (folder / "cell_feature_matrix" / "features.tsv.gz").write_bytes(packed)


def without_optional_files(folder):
    for name in ("gene_panel.json", "metrics_summary.csv", "cells.zarr.zip"):
        (folder / name).unlink()


def rewrite_zip(path, keep):
    with zipfile.ZipFile(path) as archive:
        kept = {n: archive.read(n) for n in archive.namelist() if keep(n)}
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in kept.items():
            archive.writestr(name, data)


KINDS = {
    "1.0": Kind("1.0.2"),
    "1.0 csv.gz": Kind("1.0.2", changes=(csv_alone(".csv.gz"),)),
    "1.4": Kind("1.4.0"),
    "1.9": Kind("1.9.0"),
    "1.9 csv.gz": Kind("1.9.0", changes=(csv_alone(".csv.gz"),)),
    "1.9 macOS": Kind("1.9.0", changes=(copied_by_macos,)),
    "1.9 bare": Kind("1.9.0", changes=(without_optional_files,)),
    "1.9 text matrix": Kind("1.9.0", changes=(as_text_matrix,)),
    "2.0 early": Kind("2.0.0", CHANNELS, (unnumbered,)),
    "2.0 early, raster": Kind("2.0.0", CHANNELS, (unnumbered, without_vertices), True),
    "2.0 early csv.gz": Kind("2.0.0", CHANNELS, (unnumbered, csv_alone(".csv.gz"))),
    "2.0": Kind("2.0.0"),
    "2.0 csv": Kind("2.0.0", changes=(csv_alone(".csv"),)),
    "3.0 Prime": Kind("3.0.0"),
    "3.0 multimodal": Kind("3.0.0", CHANNELS),
    "3.0 multimodal macOS": Kind("3.0.0", CHANNELS, (copied_by_macos,)),
    "3.0 csv.gz": Kind("3.0.0", CHANNELS, (csv_alone(".csv.gz"),)),
    "3.0 bytes": Kind("3.0.0", changes=(cast_text(pa.binary()),)),
    "3.0 dictionaries": Kind("3.0.0", changes=(cast_text(pa.dictionary(pa.int32(), pa.string())),)),
    "3.0 large text": Kind("3.0.0", changes=(cast_text(pa.large_string()),)),
    "3.0 bare": Kind("3.0.0", changes=(without_optional_files,)),
    "4.0": Kind("4.0.0", CHANNELS),
    "4.0 protein": Kind("4.0.0", CHANNELS[:3], (with_proteins,)),
    "resegmented": Kind("3.0.0", CHANNELS, (resegmented,)),
}
