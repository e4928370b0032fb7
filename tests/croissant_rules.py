"""For tests: the rules of Croissant 1.0 (docs/croissant-spec.md of mlcommons/croissant) that a description must keep."""

from __future__ import annotations

import re
from typing import Any

ATOMIC = {"sc:Text", "sc:Integer", "sc:Float", "sc:Boolean", "sc:Date", "sc:URL", "sc:ImageObject"}
REQUIRED = ("name", "description", "license", "url", "creator", "datePublished")


def flaws(record: dict[str, Any], *, published: bool = True) -> list[str]:
    """Return what breaks the specification; ``published`` also asks for what only its owner knows."""
    found = []
    if (
        record.get("@type") != "sc:Dataset"
        or record.get("conformsTo") != "http://mlcommons.org/croissant/1.0"
    ):
        found.append("neither sc:Dataset nor 1.0")
    if not {
        "sc",
        "cr",
        "dct",
        "@vocab",
        "recordSet",
        "field",
        "source",
        "extract",
        "fileObject",
    } <= set(record["@context"]):
        found.append("context")
    found += [f"no {name}" for name in REQUIRED if published and not record.get(name)]
    if "license" in record and not re.match(r"https?://", record["license"]):
        found.append("license is no URL")
    files = {one["@id"]: one for one in record["distribution"]}
    sets = {one["@id"]: one for one in record["recordSet"]}
    fields = {field["@id"]: field for one in record["recordSet"] for field in one["field"]}
    ids = [one["@id"] for one in [*record["distribution"], *record["recordSet"]]] + list(fields)
    if len(ids) != len(set(ids)) or sum(len(one["field"]) for one in sets.values()) != len(fields):
        found.append("ids are not unique")
    found += [f"{name} has a space" for name in ids if " " in name]
    for name, one in files.items():
        found += _file_flaws(name, one, files)
    for name, one in sets.items():
        keys = (
            one["key"] if isinstance(one.get("key"), list) else [one["key"]] if "key" in one else []
        )
        found += [
            f"{name}: strange key"
            for key in keys
            if key["@id"] not in {f["@id"] for f in one["field"]}
        ]
        if one.get("@type") != "cr:RecordSet" or not one["field"]:
            found.append(f"{name}: no record set")
    for name, field in fields.items():
        found += _field_flaws(name, field, files, fields)
    return found


def _file_flaws(name: str, one: dict[str, Any], files: dict[str, Any]) -> list[str]:
    if one["@type"] == "cr:FileSet":
        wrong = [key for key in ("encodingFormat", "includes") if not one.get(key)]
        if one["containedIn"]["@id"] not in files:
            wrong.append("containedIn")
        return [f"{name}: {key}" for key in wrong]
    wrong = [
        key for key in ("name", "contentUrl", "encodingFormat", "contentSize") if not one.get(key)
    ]
    if one["@type"] != "cr:FileObject":
        wrong.append("@type")
    if not re.fullmatch(r"[0-9a-f]{64}", one.get("sha256", "")):
        wrong.append("sha256")
    return [f"{name}: {key}" for key in wrong]


def _field_flaws(
    name: str, field: dict[str, Any], files: dict[str, Any], fields: dict[str, Any]
) -> list[str]:
    wrong = []
    source = field["source"]
    reference = source.get("fileObject") or source.get("fileSet")
    if field["@type"] != "cr:Field" or field["dataType"] not in ATOMIC or not field["name"]:
        wrong.append("type or name")
    if reference["@id"] not in files:
        wrong.append("source")
    elif ("fileSet" in source) != (files[reference["@id"]]["@type"] == "cr:FileSet"):
        wrong.append("kind of source")
    if len(source["extract"]) != 1 or not {"column", "fileProperty"} & set(source["extract"]):
        wrong.append("extract")
    if "references" in field and field["references"]["field"]["@id"] not in fields:
        wrong.append("references")
    return [f"{name}: {key}" for key in wrong]
