"""The stage ``register`` on one case, timed and held against the truth."""

from __future__ import annotations

import logging
import time
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cases.case import Case
from sthelar_build.errors import SthelarError
from sthelar_build.io.transform import Transform, read_transform
from sthelar_build.settings.register import RegisterSettings
from sthelar_build.stages.register import run

STOPPED = "stopped"


@dataclass(frozen=True)
class Job:
    """One run of the stage."""

    case: Case
    alignment: str
    """auto, identity, or the path of a file."""
    folder: Path
    """Where the artefacts go."""
    settings: str = "{}"
    """Those of the stage, as JSON."""
    he: Path | None = None
    """Another H&E than that of the case."""


@dataclass(frozen=True)
class Outcome:
    """What the stage said, and what is true. Errors are None where there is no transform."""

    verdict: str
    """pass, warn, fail, or stopped: the stage ended with an error for the user."""
    message: str
    seconds: float
    median_um: float | None = None
    p95_um: float | None = None
    """True error of the place of the nuclei on the H&E."""
    said_median_um: float | None = None
    said_p95_um: float | None = None
    """What the stage measured itself."""

    @property
    def is_stopped(self) -> bool:
        """Whether no dataset would come of it."""
        return self.verdict in (STOPPED, "fail")

    def is_right(self, median_um: float, p95_um: float) -> bool:
        """Whether nuclei lie where they should, to within limits."""
        if self.median_um is None or self.p95_um is None:
            return False
        return self.median_um <= median_um and self.p95_um <= p95_um


def outcome_of(job: Job) -> Outcome:
    """Run the stage, and compare."""
    logging.getLogger("sthelar_build").setLevel(logging.ERROR)
    warnings.simplefilter("ignore")
    job.folder.mkdir(parents=True, exist_ok=True)
    start = time.perf_counter()
    try:
        transform = _run(job)
    except SthelarError as error:
        return Outcome(STOPPED, str(error), time.perf_counter() - start)
    seconds = time.perf_counter() - start
    return compared(job.case, transform, seconds)


def compared(case: Case, transform: Transform, seconds: float) -> Outcome:
    """Return the outcome of a finished run."""
    errors_um = case.errors_um(transform.um_to_he.apply(case.centroids_um()))
    median_um, p95_um = np.quantile(errors_um, [0.5, 0.95])
    return Outcome(
        transform.verdict,
        "; ".join(transform.reasons),
        seconds,
        float(median_um),
        float(p95_um),
        transform.median_um,
        transform.p95_um,
    )


def number(value: float | None) -> str:
    """Return a length in um for a table of results."""
    return "-" if value is None else f"{value:.2f}" if value < 1e3 else f"{value:.0f}"


def _run(job: Job) -> Transform:
    path = job.folder / "transform.json"
    path.unlink(missing_ok=True)
    run(
        he=job.he or job.case.he,
        xenium=job.case.xenium,
        bundle=job.case.bundle,
        nuclei=job.case.nuclei,
        alignment=job.alignment,
        transform=path,
        registration=job.folder / "registration.parquet",
        pictures=job.folder / "registration",
        settings=RegisterSettings.model_validate_json(job.settings),
    )
    return read_transform(path)
