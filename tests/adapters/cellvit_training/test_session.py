import pytest

from slides.cellvit_export import write_export
from sthelar_build.adapters.cellvit_training.dataset import open_exports
from sthelar_build.adapters.cellvit_training.session import evaluate, magnification_of, train
from sthelar_build.errors import InputError
from sthelar_build.settings.train import TrainSettings

SETTINGS = TrainSettings(
    embed_dim=16,
    heads=2,
    decoder_widths=(4, 4, 4, 8, 8, 8, 4),
    batch_size=4,
    epochs=1,
    device="cpu",
    mean=(0.7, 0.6, 0.7),
)


@pytest.fixture(scope="module")
def exports(tmp_path_factory):
    folder = tmp_path_factory.mktemp("session")
    coarse = write_export(folder / "20x", n_train=4, n_test=1)
    (coarse / "manifest.json").write_text('{"slides": {"a": {"um_per_px": 0.52}}}')
    return open_exports([write_export(folder / "40x"), coarse])


def test_the_pixel_size_tells_the_magnification_unless_it_is_given(exports):
    fine, coarse = exports
    assert [magnification_of(one) for one in (fine, coarse)] == [40, 20]
    assert magnification_of(coarse, "40") == 40


def test_datasets_are_learnt_from_together_and_tested_each_at_its_magnification(exports, tmp_path):
    trained = train(exports, None, SETTINGS, tmp_path, threads=1)
    assert trained.magnifications == [40, 20]
    assert trained.how.mean == (0.7, 0.6, 0.7)
    assert evaluate(trained, exports, threads=1)["n_patches"] == 2 + 1


def test_the_weights_are_those_of_the_best_epoch(exports, tmp_path):
    trained = train(exports, None, SETTINGS, tmp_path, threads=1)
    now = trained.network.state_dict()
    assert all((now[name] == value).all() for name, value in trained.done.best_weights.items())


def test_weights_of_classes_that_are_not_there_are_an_error_of_the_user(tmp_path):
    folder = write_export(tmp_path / "cellvit")
    (folder / "weight_config.yaml").write_text("tissue: {Breast: 4, Skin: 4}\n")
    with pytest.raises(InputError, match=r"expected class_weights of Background, Round, Tall"):
        train(open_exports([folder]), None, SETTINGS, tmp_path, threads=1)


def test_sides_must_be_whole_tokens(tmp_path, monkeypatch):
    monkeypatch.setattr("slides.cellvit_export.SIDE_PX", 72)
    folder = write_export(tmp_path / "cellvit")
    with pytest.raises(InputError, match=r"multiple of 16 px, found 72 x 72; set tile\.side_px"):
        train(open_exports([folder]), None, SETTINGS, tmp_path, threads=1)
