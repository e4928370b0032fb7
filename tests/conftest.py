"""Fixtures of the tiny slide, each a step further: raw files, counts, a registered slide, everything assessed."""

import logging
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

from slides.exported import write_dataset
from slides.toy import Toy
from sthelar_build.io.patch_stream import PatchSource
from sthelar_build.settings.simulate import SimulateSettings

# How long an example takes says nothing: other processes share the machine.
hypothesis.settings.register_profile("unhurried", deadline=None, derandomize=True)
hypothesis.settings.load_profile("unhurried")


@pytest.fixture(autouse=True)
def _logging_is_put_back() -> Iterator[None]:
    """A command sets up the logging of its process; here the process goes on when the command's stream is closed."""
    root, ours = logging.getLogger(), logging.getLogger("sthelar_build")
    handlers, levels = list(root.handlers), (root.level, ours.level)
    yield
    root.handlers[:] = handlers
    root.setLevel(levels[0])
    ours.setLevel(levels[1])


@pytest.fixture(scope="session")
def toy(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Toy:
    base = tmp_path_factory.getbasetemp()
    # Workers share one slide: the stages take seconds each.
    folder: Path = (base if worker_id == "master" else base.parent) / "toy_slide"
    recipe = SimulateSettings(seed=7, width_um=220, height_um=220)
    return Toy(folder, recipe).simulate()


@pytest.fixture(scope="session")
def counted_toy(toy: Toy) -> Toy:
    return toy.count()


@pytest.fixture(scope="session")
def registered_toy(toy: Toy) -> Toy:
    return toy.register()


@pytest.fixture(scope="session")
def labelled_toy(toy: Toy) -> Toy:
    return toy.label()


@pytest.fixture(scope="session")
def assessed_toy(toy: Toy) -> Toy:
    return toy.assess()


@pytest.fixture(scope="session")
def exported_dataset(tmp_path_factory: pytest.TempPathFactory) -> tuple[PatchSource, Path]:
    """Two slides exported in every format of patches: their patches, and the folder of the formats."""
    base = tmp_path_factory.mktemp("exported")
    return write_dataset(base), base / "dataset"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The oracle tables beside the checkout; a test that wants them is skipped without them."""
    folder = Path(__file__).parents[2] / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("the oracle tables are not on this machine")
    return folder
