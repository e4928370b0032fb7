"""Write what is generated from the source: config/README.md, docs/cli.md, envs/sthelar.yaml, the columns in docs/artefacts.md.

``python docs/generate.py`` writes them; a test fails if they are behind.
"""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from itertools import pairwise
from pathlib import Path
from typing import Any

import pyarrow as pa
from command_page import command_page
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from sthelar_build.config import Config
from sthelar_build.schema import tables
from sthelar_build.settings.embed import CellvitFeatures, TransformersFeatures
from sthelar_build.sheets import Reference, Slide

ROOT = Path(__file__).parents[1]
BEGIN = "<!-- Generated from src/sthelar_build/schema/tables.py by docs/generate.py: do not edit below. -->"
END = "<!-- End of what is generated. -->"


def config_readme() -> str:
    """Return config/README.md: every key, its meaning, kind and default."""
    stages = {
        name: field.annotation
        for name, field in Config.model_fields.items()
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel)
    }
    run = {name: field for name, field in Config.model_fields.items() if name not in stages}
    simulate = Config.model_fields["simulate"].annotation.__args__[1]
    parts = [
        "# Configuration",
        "This page is generated from `src/sthelar_build/settings/` (`python docs/generate.py`).",
        "A key that is not listed here stops the run. Relative paths are relative to the working directory.\n"
        "Threads, memory, partitions and GPUs are set in `profiles/`, never here.",
        "## `slides.tsv`",
        "Tab-separated, one row a slide. Lines that start with `#` are left out.",
        _table(Slide.model_fields, with_default=False),
        "## `references.tsv`",
        "Tab-separated, one row a reference atlas.",
        _table(Reference.model_fields, with_default=False),
        "## `curation/{slide}.tsv`",
        "Human decisions, applied last, tab-separated: `target` (`cluster:KEY`, `cell:ID`, `cells:FILE` or "
        "`region:FILE`), `label` (a class or a fine label), `who`, `when`, `why`, and `only` where it is wanted: see "
        "[curation/README.md](curation/README.md).",
        "## `config.yaml`",
        _table(run),
        "### `simulate: {name}:`",
        _doc(simulate),
        _table(simulate.model_fields),
    ]
    for name, model in stages.items():
        parts += [f"### `{name.rstrip('_')}:`", _doc(model), _table(model.model_fields)]
        if name == "embed":
            for kind in (CellvitFeatures, TransformersFeatures):
                parts += [
                    "#### One of its `models: {name}:`",
                    _doc(kind),
                    _table(kind.model_fields),
                ]
    return "\n\n".join(parts) + "\n"


def conda_environment() -> str:
    """Return envs/sthelar.yaml: Python and pip from conda, everything else just as the lock pins it."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lines = "\n".join(f"      - {pin}" for pin in locked())
    return (
        "# Generated from requirements.lock by docs/generate.py: the same versions, for conda.\n"
        f"name: {project['name']}\nchannels:\n  - conda-forge\ndependencies:\n  - python=3.11\n  - pip\n  - pip:\n{lines}\n"
    )


def locked() -> list[str]:
    """Return the pins of requirements.lock, as ``name==version``."""
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    return re.findall(r"^([A-Za-z0-9_.-]+==[^\s;]+)", text, flags=re.MULTILINE)


def artefacts() -> str:
    """Return docs/artefacts.md with the columns of every parquet file as they are now."""
    page = (ROOT / "docs" / "artefacts.md").read_text(encoding="utf-8")
    above, _, rest = page.partition(BEGIN)
    _, _, below = rest.partition(END)
    parts = [f"### {about}\n\n{_columns(schema)}" for about, schema in documented_tables()]
    return "\n\n".join([f"{above}{BEGIN}", *parts, f"{END}{below}"])


def documented_tables() -> list[tuple[str, pa.Schema]]:
    """Return every schema with the docstring beneath it, which names its file and its rows."""
    body = ast.parse(Path(tables.__file__).read_text(encoding="utf-8")).body
    return [
        (ast.literal_eval(below.value).replace("``", "`"), getattr(tables, node.targets[0].id))
        for node, below in pairwise(body)
        if isinstance(node, ast.Assign)
        and isinstance(below, ast.Expr)
        and isinstance(getattr(tables, node.targets[0].id), pa.Schema)
    ]


def _columns(schema: pa.Schema) -> str:
    rows = [
        f"| `{field.name}` | {_plain_type(field)} | {_cell(field.metadata[b'about'].decode())} |"
        for field in schema
    ]
    return "\n".join(["| column | type | meaning |", "|---|---|---|", *rows])


def _plain_type(field: pa.Field) -> str:
    kind = field.type.value_type if pa.types.is_dictionary(field.type) else field.type
    name = {"float": "float32", "double": "float64"}.get(str(kind), str(kind))
    return f"{name}, may be null" if field.nullable else name


def _doc(model: type[BaseModel]) -> str:
    return (model.__doc__ or "").strip()


def _table(fields: dict[str, FieldInfo], *, with_default: bool = True) -> str:
    head = "| key | meaning | kind |" + (" default |" if with_default else "")
    rule = "|---|---|---|" + ("---|" if with_default else "")
    rows = [
        f"| `{name}` | {_cell(field.description or '')} | {_kind(field)} |"
        + (f" `{_default(field)}` |" if with_default else "")
        for name, field in fields.items()
        if name != "revision"
    ]
    return "\n".join([head, rule, *rows]) if rows else "No settings."


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _kind(field: FieldInfo) -> str:
    kind = getattr(field.annotation, "__name__", str(field.annotation))
    plain = re.sub(
        r"typing\.|pathlib\.|sthelar_build\.config\.|Annotated|FieldInfo\([^)]*\)", "", str(kind)
    )
    limits = [f"{word} {value}" for rule in field.metadata for word, value in _limits(rule)]
    return _cell(
        ", ".join([f"`{plain if kind != 'Literal' else field.annotation}`", *limits])
    ).replace("typing.", "")


def _limits(rule: Any) -> list[tuple[str, Any]]:
    words = {"gt": "above", "ge": "from", "lt": "below", "le": "up to"}
    return [(word, getattr(rule, key)) for key, word in words.items() if hasattr(rule, key)]


def _default(field: FieldInfo) -> str:
    value = "must be given" if field.is_required() else field.default
    return _cell(str(list(value) if isinstance(value, tuple) else value))


OUTPUTS = {
    "config/README.md": config_readme,
    "docs/cli.md": command_page,
    "envs/sthelar.yaml": conda_environment,
    "docs/artefacts.md": artefacts,
}


def main() -> None:
    """Write every generated file."""
    for path, make in OUTPUTS.items():
        (ROOT / path).write_text(make(), encoding="utf-8")
        sys.stdout.write(f"{path}\n")


if __name__ == "__main__":
    main()
