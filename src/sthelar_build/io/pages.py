"""Pages and cards from templates of the package: HTML, where values are escaped, and Markdown, where none is."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from sthelar_build.core.wording import count, number, percent, size
from sthelar_build.io.atomic import published


def write_page(path: Path, template: str, values: Mapping[str, Any]) -> None:
    """Render an HTML template of ``sthelar_build/templates``; whole or not at all."""
    _write(path, template, values, _environment(autoescape=True))


def write_card(path: Path, template: str, values: Mapping[str, Any]) -> None:
    """Render a Markdown template of ``sthelar_build/templates``; whole or not at all."""
    _write(path, template, values, _environment(autoescape=False, keep_trailing_newline=True))


def breakable(name: str) -> Markup:
    """Return a name, escaped, that a browser may break after every underscore."""
    return escape(name).replace("_", Markup("_<wbr>"))


def _environment(**options: Any) -> Environment:
    loader = PackageLoader("sthelar_build")
    environment = Environment(
        loader=loader, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, **options
    )
    environment.filters |= {"number": number, "percent": percent, "count": count, "size": size}
    environment.filters["breakable"] = breakable

    def verbatim(name: str) -> Markup:
        return Markup(loader.get_source(environment, name)[0].rstrip("\n"))

    # Style sheets and scripts are full of braces: they stand in a page as they are, unread.
    environment.globals["verbatim"] = verbatim
    return environment


def _write(path: Path, template: str, values: Mapping[str, Any], environment: Environment) -> None:
    text = environment.get_template(template).render(values)
    with published(path) as draft:
        draft.write_text(text, encoding="utf-8")
