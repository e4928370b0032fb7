"""What a run has come to, read from the results and logs that are there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from sthelar_build.config import Config
from sthelar_build.core import summary
from sthelar_build.core.failed_jobs import FailedJob, failed_jobs
from sthelar_build.core.run_outcome import SlideOutcome, last_error
from sthelar_build.core.slide_verdicts import slide_verdicts
from sthelar_build.io.run import RESULTS
from sthelar_build.io.tables import read_table
from sthelar_build.io.transform import read_transform
from sthelar_build.schema.tables import LABELS, METRICS

REPORT = "report.html"
_OF_LABELS = ("decided_by", "confidence")


def read_outcome(slide: str, config: Config) -> SlideOutcome | None:
    """Return the verdicts on a slide, by the same rules as those of its report; None if it has no report yet."""
    folder = RESULTS / slide
    if not (folder / REPORT).is_file():
        return None
    registered, settings = read_transform(folder / "transform.json"), config.report
    labelled = summary.annotation(read_table(folder / "labels.parquet", LABELS, _OF_LABELS))
    agreements = {
        scale: summary.agreement(
            read_table(folder / f"metrics_{scale}.parquet", METRICS), settings.min_jaccard
        )
        for scale in config.scales
    }
    verdicts = slide_verdicts(
        registered.verdict,
        labelled,
        list(agreements.values()),
        settings.min_decided,
        settings.min_kept,
    )
    return SlideOutcome(
        name=slide,
        verdicts=verdicts,
        median_um=registered.median_um,
        decided_share=labelled.decided_share,
        jaccards={scale: found.medians["Jaccard"] for scale, found in agreements.items()},
        report=str(folder / REPORT),
        reasons=registered.reasons,
    )


def dataset_pages(config: Config) -> list[Path]:
    """Return the pages of the datasets that are there."""
    pages = [RESULTS / "dataset" / scale / "index.html" for scale in config.scales]
    pages += [
        RESULTS / "dataset" / scale / "evaluation/index.html" for scale in config.evaluated_scales
    ]
    return [page for page in pages if page.is_file()]


def read_failures(log: Path) -> Iterator[tuple[FailedJob, str | None]]:
    """Yield the jobs that failed by a log of Snakemake, each with the error that its own log ends with."""
    for job in failed_jobs(_text(log)):
        yield job, last_error(_text(Path(job.log))) if job.log else None


def _text(path: Path) -> str:
    """Return a log, empty where there is none: it is read to help, not to fail."""
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
