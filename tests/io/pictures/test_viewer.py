"""What a page needs for its viewer."""

import json

import pytest

from slides import three_cells
from slides.viewers import make_viewer
from sthelar_build.errors import InputError
from sthelar_build.io.pictures.viewer import read_viewer


@pytest.fixture(scope="module")
def manifests(tmp_path_factory):
    folder = tmp_path_factory.mktemp("viewer")
    made = make_viewer(three_cells.build(folder / "slide"), folder)
    return made["viewer_images"], made["viewer_nuclei"]


def test_small_files_travel_in_the_page(manifests, tmp_path):
    viewer = read_viewer(*manifests, tmp_path / "report.html", most_embedded_bytes=1e7)
    assert viewer.embedded
    names = {f"{path.parent.name}/{path.name}" for path in manifests[0].parent.glob("*/*.jpg")}
    assert set(viewer.facts["tiles"]) == names
    assert all(
        uri.startswith("data:image/jpeg;base64,/9j/") for uri in viewer.facts["tiles"].values()
    )
    assert sum("viewerOverview(" in script for script in viewer.scripts) == 1
    assert len(viewer.scripts) == len(viewer.facts["nuclei"]["blocks"]) + 1


def test_large_ones_are_found_beside_it(manifests):
    page = manifests[0].parents[1] / "report.html"
    viewer = read_viewer(*manifests, page, most_embedded_bytes=10)
    assert not viewer.embedded
    assert viewer.facts["tiles"] == {}
    assert viewer.facts["images"]["folder"] == "viewer_images"
    assert viewer.facts["nuclei"]["folder"] == "viewer_nuclei"
    json.dumps(viewer.facts)


def test_another_file_is_refused(manifests, tmp_path):
    (tmp_path / "manifest.json").write_text("{}")
    with pytest.raises(InputError, match="expected the keys width_he_px"):
        read_viewer(tmp_path / "manifest.json", manifests[1], tmp_path / "report.html", 0)
