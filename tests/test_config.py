"""The configuration and the sheets say on one line what is wrong with them."""

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from pydantic import ValidationError

from sthelar_build.config import (
    Config,
    check_checkpoints,
    check_frozen_splits,
    gpus_of,
    load_config,
    settings_json,
)
from sthelar_build.errors import ConfigError
from sthelar_build.settings.count import CountSettings
from sthelar_build.settings.embed import EmbedSettings
from sthelar_build.settings.resegment import ResegmentSettings
from sthelar_build.settings.simulate import SimulateSettings
from sthelar_build.settings.tile import TileSettings
from sthelar_build.sheets import check_nuclei, check_references, load_references, load_slides
from sthelar_build.stages import STAGES

HEADER = "slide\tpatient\ttissue\tcondition\txenium\the\talignment\treference\tpredictions\n"
ROW = "s1\tp1\tBreast\tcancer\tx\th.tif\tm.csv\tatlas\t\n"


def sheet(tmp_path, text):
    path = tmp_path / "slides.tsv"
    path.write_text(text)
    return path


def message(call, *arguments):
    with pytest.raises(ConfigError) as caught:
        call(*arguments)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_row_becomes_a_slide(tmp_path):
    slide = load_slides(sheet(tmp_path, HEADER + ROW))["s1"]
    assert (slide.condition, str(slide.he), slide.predictions) == ("cancer", "h.tif", None)


@pytest.mark.parametrize(("word", "file"), [("auto", None), ("identity", None), ("m.csv", "m.csv")])
def test_only_a_path_is_an_alignment_file(tmp_path, word, file):
    slide = load_slides(sheet(tmp_path, HEADER + ROW.replace("m.csv", word)))["s1"]
    assert (slide.alignment_file and str(slide.alignment_file)) == file


def test_a_slide_may_stand_only_once(tmp_path):
    assert "s1 more than once" in message(load_slides, sheet(tmp_path, HEADER + ROW + ROW))


def test_a_missing_column_is_named(tmp_path):
    text = message(load_slides, sheet(tmp_path, (HEADER + ROW).replace("patient", "donor")))
    assert "rename or remove donor and add patient in the first line" in text


def test_spaces_between_the_columns_are_named_as_such(tmp_path):
    text = message(load_slides, sheet(tmp_path, (HEADER + ROW).replace("\t", "  ")))
    assert "put tabs, not spaces or commas, between the columns" in text


def test_an_empty_cell_is_named_with_what_belongs_there(tmp_path):
    text = message(load_slides, sheet(tmp_path, HEADER + "# mine\n" + ROW.replace("Breast", "")))
    assert "line 3 (slide s1): tissue: expected tissue, as it will stand" in text
    assert text.endswith("found an empty cell")


def test_an_unknown_condition_is_named_with_its_row(tmp_path):
    text = message(load_slides, sheet(tmp_path, HEADER + ROW.replace("cancer", "ill")))
    assert "line 2 (slide s1): condition: expected cancer or normal" in text
    assert "'ill'" in text


def test_a_slide_name_with_a_dash_is_refused(tmp_path):
    assert "line 2 (slide s-1): slide: expected name of the slide: letters" in message(
        load_slides, sheet(tmp_path, HEADER + ROW.replace("s1", "s-1"))
    )


def test_nuclei_of_a_slide_go_before_the_source_of_all(tmp_path):
    drawn = ROW.replace("s1", "s2").rstrip("\n") + "\tdrawn.geojson\n"
    path = sheet(tmp_path, HEADER.rstrip("\n") + "\tnuclei\n" + ROW + drawn)
    slides = load_slides(path)
    assert [slides[name].nuclei_from("cellpose") for name in ("s1", "s2")] == [
        "cellpose",
        "geojson",
    ]
    check_nuclei(slides, "xenium", path)
    assert "slide s1: expected a GeoJSON file" in message(check_nuclei, slides, "geojson", path)


@pytest.mark.parametrize(
    ("source", "model", "file"),
    [
        ("cellpose", "models/mine", "models/mine"),
        ("cellpose", "nuclei", None),
        ("xenium", "models/mine", None),
    ],
)
def test_only_a_path_is_a_file_of_a_network_and_only_where_it_is_used(source, model, file):
    settings = ResegmentSettings(source=source, model=model)
    assert (settings.model_file and str(settings.model_file)) == file


@pytest.mark.parametrize(
    "values", [{"percentiles": (99, 1)}, {"min_area_um2": 9, "max_area_um2": 5}]
)
def test_limits_of_resegment_in_the_wrong_order_are_refused(values):
    with pytest.raises(ValidationError, match="expected"):
        ResegmentSettings(**values)


def test_an_empty_sheet_is_refused(tmp_path):
    assert "at least one row" in message(load_slides, sheet(tmp_path, HEADER))


def test_an_absent_sheet_is_refused(tmp_path):
    assert "check the path" in message(load_slides, tmp_path / "absent.tsv")


def test_a_reference_that_the_other_sheet_lacks_is_refused(tmp_path):
    slides = load_slides(sheet(tmp_path, HEADER + ROW))
    references = tmp_path / "references.tsv"
    references.write_text("reference\tpath\tlabel_key\tlayer\tlabel_map\nskin\ta.h5ad\tct\t\t\n")
    text = message(check_references, slides, load_references(references), references)
    assert "'atlas'" in text
    assert "skin" in text


def test_a_misspelt_key_of_the_configuration_is_named_and_the_nearest_is_offered():
    text = message(load_config, {"tile": {"side_pxx": 256}})
    assert "tile.side_pxx: there is no such key; did you mean side_px?" in text
    assert "did you mean register?" in message(load_config, {"registr": {}})
    assert "cellpose_model: there is no such key; remove it" in message(
        load_config, {"cellpose_model": 1}
    )


def test_keys_that_contradict_each_other_are_told_without_all_the_others():
    text = message(load_config, {"evaluate": {"scale": "10x"}})
    assert "expected evaluate.scale to be one of 40x, 20x, found 10x; correct it; every" in text


@pytest.mark.parametrize("scale", ["native/3", "-1", "nan", "forty"])
def test_a_scale_that_is_no_scale_is_refused(scale):
    assert "native, native/2, or a number" in message(load_config, {"scales": {"40x": scale}})


def test_every_stage_finds_its_settings():
    assert Config().settings_of("tile") == TileSettings()
    assert load_config({"register": {}}).settings_of("register").revision == 2


def test_settings_survive_the_command_line():
    settings = TileSettings(side_px=128)
    assert TileSettings.model_validate_json(settings_json(settings)) == settings


def test_the_configuration_does_not_load_numpy():
    code = "import sys, sthelar_build.config; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_part_of_the_settings_is_taken_by_the_fields_of_a_dataclass():
    @dataclass
    class Rule:
        min_qv: float

    assert CountSettings(min_qv=7).part(Rule) == Rule(7)


def test_frozen_splits_serve_one_scale_or_have_its_name_in_their_path():
    one = load_config({"collect": {"frozen_splits": "splits.parquet"}})
    assert "expected {scale} in the path" in message(check_frozen_splits, one)
    each = load_config({"collect": {"frozen_splits": "frozen/{scale}.parquet"}})
    check_frozen_splits(each)
    assert each.collect.frozen_splits_at("20x") == Path("frozen/20x.parquet")
    check_frozen_splits(Config())
    assert Config().collect.frozen_splits_at("20x") is None


def test_a_network_has_a_checkpoint_at_every_scale_one_for_all_or_one_for_each():
    assert Config().segment.checkpoint_at("40x") is None
    check_checkpoints(Config())
    one = load_config({"segment": {"method": "cellvit", "checkpoint": "net.pth"}})
    check_checkpoints(one)
    assert one.segment.checkpoint_at("20x") == Path("net.pth")
    toy = load_config({"segment": {"method": "cellvit", "checkpoint": "toy"}}).segment
    assert toy.checkpoint_at("40x").is_file()
    some = load_config({"segment": {"method": "cellvit", "checkpoint": {"40x": "net.pth"}}})
    assert some.segment.checkpoint_at("40x") == Path("net.pth")
    assert "found none for 20x" in message(check_checkpoints, some)
    assert "expected a checkpoint with method cellvit" in message(
        load_config, {"segment": {"method": "cellvit"}}
    )


def test_by_itself_the_shipped_network_looks_at_simulated_slides_only():
    of_itself = Config().segment
    assert of_itself.checkpoint_at("40x", simulated=True).is_file()
    assert of_itself.checkpoint_at("40x") is None
    named = load_config({"segment": {"checkpoint": "net.pth"}}).segment
    assert named.checkpoint_at("40x", simulated=True) == Path("net.pth")
    assert named.checkpoint_at("40x") == Path("net.pth")
    stain = load_config({"segment": {"method": "haematoxylin", "checkpoint": "net.pth"}}).segment
    assert stain.checkpoint_at("40x", simulated=True) is None


def test_a_format_is_one_of_patches_or_of_whole_slides():
    config = load_config({"formats": ["hest", "cellvit", "qupath", "cellvit_plus"]})
    assert config.patch_formats == ["cellvit", "cellvit_plus"]
    assert config.slide_formats == ["hest", "qupath"]
    assert "formats.0" in message(load_config, {"formats": ["coco"]})


def test_features_come_from_the_first_scale_unless_another_is_named():
    assert Config().features_scale == "40x"
    assert Config.model_validate({"embed": {"scale": "20x"}}).features_scale == "20x"
    with pytest.raises(ValidationError, match=r"embed\.scale to be one of the scales 40x, 20x"):
        Config.model_validate({"embed": {"scale": "10x"}})


def test_a_model_knows_its_kind_its_file_and_no_settings_of_another():
    models = {
        "cellvit": {"kind": "cellvit", "checkpoint": "a.pth"},
        "phikonv2": {"kind": "transformers", "folder": "models/phikon"},
    }
    embed = EmbedSettings.model_validate({"models": models, "scale": "20x"})
    assert [m.source for m in embed.models.values()] == [Path("a.pth"), Path("models/phikon")]
    # Neither another model nor the choice of the scale reruns the job of one.
    assert embed.only("cellvit") == EmbedSettings.model_validate(
        {"models": {"cellvit": models["cellvit"]}}
    )
    with pytest.raises(ValidationError, match=r"folder\n.*Extra inputs are not permitted"):
        EmbedSettings.model_validate({"models": {"x": {**models["cellvit"], "folder": "b"}}})


def test_a_job_asks_for_a_gpu_only_where_its_device_is_cuda():
    config = load_config(
        {
            "segment": {"device": "cuda"},
            "cluster": {"device": "auto"},
            "annotate": {"device": "cuda"},
        }
    )
    stages = ("segment", "annotate", "cluster", "train", "tile")
    assert [gpus_of(config, stage) for stage in stages] == [1, 1, None, None, None]
    published = load_config({"annotate": {"device": "cuda", "engine": "tangram-sc"}})
    assert gpus_of(published, "annotate") is None


@pytest.mark.parametrize("stage", [*STAGES])
def test_defaults_are_written_as_if_they_had_been_given(stage):
    model = SimulateSettings if stage == "simulate" else type(Config().settings_of(stage))
    left_out, given = model(), model.model_validate_json(settings_json(model()))
    # As text: 1 equals 1.0, and artefacts would differ.
    assert repr(left_out) == repr(given)
