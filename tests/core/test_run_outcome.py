"""A run in a few lines: a table of slides, and what failed with what to do."""

from sthelar_build.core.failed_jobs import FailedJob
from sthelar_build.core.run_outcome import SlideOutcome, failure_lines, last_error, slide_table
from sthelar_build.core.wording import NO_VALUE

GOOD = SlideOutcome(
    name="s1",
    verdicts={"alignment": "pass", "labels": "pass", "masks": "pass", "overall": "pass"},
    median_um=0.126,
    decided_share=0.977,
    jaccards={"40x": 0.783, "20x": None},
    report="results/s1/report.html",
)
POOR = SlideOutcome(
    name="longer_name",
    verdicts={"alignment": "warn", "labels": "pass", "masks": "unknown", "overall": "warn"},
    median_um=None,
    decided_share=1,
    jaccards={"40x": None, "20x": None},
    report="results/longer_name/report.html",
    reasons=("few tiles",),
)
JOB = FailedJob("tile", "logs/s1/tile_40x.log")


def test_every_slide_is_a_line_of_columns_and_reasons_follow():
    head, first, second, legend, reason = slide_table([GOOD, POOR])
    assert first.split("  ")[1].strip() == "s1"
    assert (
        head.index("registration")
        == first.index("pass, 0.13 um")
        == second.index(f"warn, {NO_VALUE}")
    )
    assert "pass, 97.7 %" in first
    assert f"pass, 0.78, {NO_VALUE}" in first
    assert first.endswith("results/s1/report.html")
    assert legend.endswith("masks: median Jaccard at 40x and 20x)")
    assert reason == "  longer_name: few tiles"


def test_without_slides_there_is_no_table():
    assert list(slide_table([])) == []


def test_a_failure_is_told_with_its_slide_stage_error_log_and_remedy():
    title, job, log, remedy = failure_lines([(JOB, "he.tif: expected an image; check it")])
    assert title == "1 job failed:"
    assert job == "  s1, tile: he.tif: expected an image; check it"
    assert log == "    log: logs/s1/tile_40x.log"
    assert remedy.endswith("what is finished is kept.")


def test_a_job_that_says_nothing_was_probably_killed():
    lines = list(failure_lines([(JOB, None), (FailedJob("all", ""), "x")]))
    assert lines[0] == "2 jobs failed:"
    assert "probably killed" in lines[1]
    assert "  all: x" in lines
    assert any("--retries 2" in line for line in lines)


def test_without_failures_nothing_is_told():
    assert list(failure_lines([])) == []


def test_the_last_line_of_a_log_is_the_error_or_there_is_none():
    assert last_error("INFO a\nerror: he.tif: bad\n\n") == "he.tif: bad"
    assert last_error("error: mended\nINFO done\n") is None
    assert last_error("") is None


def test_a_mistake_of_ours_is_told_as_one():
    log = "INFO a\nTraceback (most recent call last):\n  File x\nKeyError: 'a'\n"
    assert last_error(log).startswith("KeyError: 'a' (a mistake of this project")
