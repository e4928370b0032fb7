import pytest

from slides.five_cells import CHANNELS, SHAPE_PX, copy_of_bundle
from sthelar_build.errors import InputError
from sthelar_build.io.xenium.images import morphology_facts


@pytest.mark.parametrize(
    ("version", "channels"),
    [("1.0.2", ("DAPI",)), ("2.0.0", CHANNELS), ("3.0.0", ("DAPI",)), ("4.0.0", CHANNELS[:3])],
)
def test_size_and_channels_are_read_in_every_version(tmp_path, version, channels):
    facts = morphology_facts(copy_of_bundle(tmp_path / "outs", version, channels))
    assert (facts.height_px, facts.width_px) == SHAPE_PX
    assert facts.channels == channels


def test_channels_that_the_image_does_not_name_are_those_of_the_kit(tmp_path, monkeypatch):
    monkeypatch.setattr("sthelar_build.io.xenium.images._said_channels", lambda _: ())
    assert morphology_facts(copy_of_bundle(tmp_path / "outs", "2.0.0")).channels == CHANNELS


def test_channels_of_a_later_kit_that_the_image_does_not_name_are_called_after_their_files(
    tmp_path, monkeypatch
):
    monkeypatch.setattr("sthelar_build.io.xenium.images._said_channels", lambda _: ())
    bundle = copy_of_bundle(tmp_path / "outs", "4.0.0", CHANNELS[:3])
    assert morphology_facts(bundle).channels[2] == "ch0002_18s"


def test_an_image_that_is_cut_short_is_refused(tmp_path):
    bundle = copy_of_bundle(tmp_path / "outs", "3.0.0", ("DAPI",))
    data = bundle.morphology.read_bytes()
    bundle.morphology.write_bytes(data[: len(data) // 2])
    with pytest.raises(InputError, match="morphology_focus_0000"):
        morphology_facts(bundle)
