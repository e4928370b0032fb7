"""A run is read and checked as the workflow does it."""

from pathlib import Path

import pytest

from slides.raw_slide import ROW, write_sheets
from sthelar_build.config import Config
from sthelar_build.errors import ConfigError, SthelarError
from sthelar_build.io.run import CHECKS, Run, load_run, named_files, read_config


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_sheets(tmp_path, ROW)
    return tmp_path


def wrong(run):
    found = []
    for check in CHECKS:
        try:
            check(run)
        except SthelarError as error:
            found.append(str(error))
    return found


def test_a_run_is_the_configuration_and_its_two_sheets():
    run = load_run(read_config())
    assert list(run.slides) == ["own"]
    assert run.reference_of("own").label_key == "cell_type"
    assert wrong(run) == []


def test_every_check_says_what_does_not_fit(here):
    run = load_run(read_config())
    config = run.config.model_copy(
        update={"resegment": run.config.resegment.model_copy(update={"source": "geojson"})}
    )
    (here / "config/curation").mkdir()
    (here / "config/curation/own.tsv").write_text(
        "target\tlabel\twho\twhen\twhy\ncells:absent.csv\tB\tme\t2026\tso\n"
    )
    nuclei, decisions = wrong(Run(config, run.slides, {"other": run.references["atlas"]}))[1:]
    assert "expected a GeoJSON file" in nuclei
    assert "absent.csv" in decisions


@pytest.mark.parametrize(
    ("text", "word"),
    [("a: [1\n", "expected YAML"), ("a:1\n", "expected keys"), ("\tx: 1\n", "expected YAML")],
)
def test_a_configuration_that_is_none_is_told_on_one_line(here, text, word):
    (here / "config/config.yaml").write_text(text)
    with pytest.raises(ConfigError, match=rf"config.yaml: {word}[^\n]*$"):
        read_config()


def test_no_configuration_and_an_empty_one():
    with pytest.raises(ConfigError, match="go to the folder of the workflow"):
        read_config(Path("absent.yaml"))
    Path("config/config.yaml").write_text("# nothing\n")
    assert read_config() == {}


def test_the_workflow_makes_the_files_of_the_slides_that_it_simulates():
    run = Run(Config.model_validate({"simulate": {"toy": {"tissue": "skin"}}}), {}, {})
    assert run.makes(Path("resources/toy/toy/he_image.ome.tif"))
    assert not run.makes(Path("resources/toy/toy_2/he_image.ome.tif"))
    assert not run.makes(Path("raw/he_image.ome.tif"))


def test_the_files_that_the_configuration_names():
    config = Config.model_validate(
        {
            "segment": {"checkpoint": {"40x": "a.pth"}},
            "collect": {"frozen_splits": "frozen/{scale}.parquet"},
            "evaluate": {"checkpoint": "b.pt"},
            "embed": {"models": {"vit": {"kind": "transformers", "folder": "vit"}}},
        }
    )
    assert [(key, str(path)) for key, path in named_files(config)] == [
        ("segment.checkpoint", "a.pth"),
        ("collect.frozen_splits", "frozen/40x.parquet"),
        ("collect.frozen_splits", "frozen/20x.parquet"),
        ("evaluate.checkpoint", "b.pt"),
        ("embed.models.vit", "vit"),
    ]
