"""A description of tables in Croissant 1.0 (MLCommons), the JSON-LD that dataset search engines read."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from pandas.api import types

from sthelar_build.io.atomic import published

_CONFORMS_TO = "http://mlcommons.org/croissant/1.0"
_ENCODINGS = {".csv": "text/csv", ".parquet": "application/x-parquet"}
_CONTEXT: dict[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileObject": "cr:fileObject",
    "fileProperty": "cr:fileProperty",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "parentField": "cr:parentField",
    "path": "cr:path",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}


def write_croissant(
    path: Path,
    facts: Mapping[str, str],
    tables: Mapping[str, pd.DataFrame],
    about: Mapping[str, str],
    keys: Mapping[str, Sequence[str]],
) -> None:
    """Describe tables that lie beside ``path``.

    Parameters
    ----------
    path
        The JSON-LD file to write.
    facts
        ``name``, ``description``, ``version``, and if known ``license`` and ``url``.
    tables
        What each file (csv or parquet, by file name) holds.
    about
        What each file is, in a sentence.
    keys
        The columns of each file that identify a row.
    """
    record = {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": _CONFORMS_TO,
        **{name: value for name, value in facts.items() if value},
        "distribution": [_file(path.parent / name, about[name]) for name in tables],
        "recordSet": [
            _record_set(name, table, about[name], keys[name]) for name, table in tables.items()
        ],
    }
    text = json.dumps(record, indent=2, ensure_ascii=False) + "\n"
    with published(path) as draft:
        draft.write_text(text, encoding="utf-8")


def _file(path: Path, about: str) -> dict[str, Any]:
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    return {
        "@type": "cr:FileObject",
        "@id": path.name,
        "name": path.name,
        "description": about,
        "contentUrl": path.name,
        "contentSize": f"{path.stat().st_size} B",
        "encodingFormat": _ENCODINGS[path.suffix],
        "sha256": sha256,
    }


def _record_set(
    file_name: str, table: pd.DataFrame, about: str, key: Sequence[str]
) -> dict[str, Any]:
    stem = Path(file_name).stem
    return {
        "@type": "cr:RecordSet",
        "@id": stem,
        "name": stem,
        "description": about,
        "key": [{"@id": f"{stem}/{column}"} for column in key],
        "field": [
            {
                "@type": "cr:Field",
                "@id": f"{stem}/{column}",
                "name": column,
                "dataType": _data_type(table[column]),
                "source": {"fileObject": {"@id": file_name}, "extract": {"column": column}},
            }
            for column in table.columns
        ],
    }


def _data_type(column: pd.Series[Any]) -> str:
    if types.is_integer_dtype(column):
        return "sc:Integer"
    return "sc:Float" if types.is_float_dtype(column) else "sc:Text"
