"""The report of the slide of ``three_cells``."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

from slides import three_cells
from sthelar_build.settings.report import ReportSettings
from sthelar_build.stages import report


def make_report(files: dict[str, Path], page: Path, **changes: Any) -> str:
    """Write the page, and return its text."""
    arguments = {n: files[n] for n in inspect.signature(report.run).parameters if n in files}
    for name in ("patches", "masks", "metrics"):
        arguments[name] = [files[f"{name}_{scale}"] for scale in three_cells.SCALES]
    arguments |= {
        "slide": three_cells.SLIDE,
        "scale": list(three_cells.SCALES),
        "settings": ReportSettings(),
    }
    report.run(**{**arguments, **changes}, report=page)
    return page.read_text(encoding="utf-8")
