"""Several jobs draw the masks of one slide, and they are those of one job."""

import shutil

import pytest

from workflow.clones import clean_clone

pytestmark = pytest.mark.workflow

MASKS = "results/toy_auto/masks_40x"
TABLES = ("nuclei.parquet", "labels.parquet", "transform.json", "patches_40x.parquet")


def test_masks_do_not_depend_on_the_number_of_jobs(built, tmp_path):
    clone = clean_clone(tmp_path)
    (clone.folder / "resources").symlink_to(built.folder / "resources")
    slide = clone.folder / "results/toy_auto"
    slide.mkdir(parents=True)
    for name in TABLES:
        shutil.copy2(built.folder / "results/toy_auto" / name, slide / name)
    allowed = ("--allowed-rules", "rasterise", "gather", "--config", "shards=3")
    done = clone.snakemake(f"{MASKS}/manifest.json", *allowed)
    assert done.returncode == 0, done.stdout + done.stderr
    assert not (slide / "masks_40x_shards").exists()
    logs = sorted(path.name for path in (clone.folder / "logs/toy_auto").glob("*.log"))
    assert logs == ["gather_40x.log", *(f"rasterise_40x_{n}.log" for n in (1, 2, 3))]
    one, several = built.folder / MASKS, clone.folder / MASKS
    files = sorted(path.relative_to(one) for path in one.rglob("*") if path.is_file())
    assert files == sorted(
        path.relative_to(several) for path in several.rglob("*") if path.is_file()
    )
    assert all((one / name).read_bytes() == (several / name).read_bytes() for name in files)
