"""What a run has come to, off the results and logs that are there."""

import pytest

from sthelar_build.config import Config
from sthelar_build.io.outcomes import dataset_pages, read_failures, read_outcome

CONFIG = Config.model_validate({"scales": {"40x": "native"}})


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_slide_is_finished_once_it_has_a_report(assessed_toy, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "results").mkdir()
    for path in assessed_toy.results.iterdir():
        (tmp_path / "results/toy").mkdir(exist_ok=True)
        (tmp_path / "results/toy" / path.name).symlink_to(path)
    (tmp_path / "results/toy/report.html").unlink(missing_ok=True)
    assert read_outcome("toy", CONFIG) is None
    (tmp_path / "results/toy/report.html").touch()
    found = read_outcome("toy", CONFIG)
    assert found.verdicts["alignment"] == found.verdicts["overall"] == "pass"
    assert found.median_um < 1
    assert found.decided_share > 0.5
    assert 0.3 < found.jaccards["40x"] <= 1


def test_pages_of_datasets_are_named_if_they_are_there(here):
    assert dataset_pages(CONFIG) == []
    page = here / "results/dataset/40x/index.html"
    page.parent.mkdir(parents=True)
    page.touch()
    assert [str(path) for path in dataset_pages(CONFIG)] == ["results/dataset/40x/index.html"]


def test_a_failure_is_read_with_the_end_of_its_log(here):
    (here / "run.log").write_text(
        "Error in rule tile:\n    jobid: 1\n    log: logs/s1/tile.log (check log file(s))\n"
        "Error in rule count:\n    jobid: 2\n    log: logs/s1/count.log (check log file(s))\n"
        "Error in rule all:\n    jobid: 0\n"
    )
    (here / "logs/s1").mkdir(parents=True)
    (here / "logs/s1/tile.log").write_text("INFO\nerror: he.tif: bad\n")
    found = [(job.rule, error) for job, error in read_failures(here / "run.log")]
    assert found == [("tile", "he.tif: bad"), ("count", None), ("all", None)]
    assert list(read_failures(here / "absent.log")) == []
