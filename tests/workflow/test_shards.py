"""Several jobs draw the masks of one slide, or segment it, and the result is that of one."""

import shutil

import pytest

from workflow.clones import clean_clone

pytestmark = pytest.mark.workflow

SLIDE = "results/toy_auto"
TABLES = ("nuclei.parquet", "labels.parquet", "transform.json", "patches_40x.parquet")


@pytest.mark.parametrize(
    ("folder", "rules"),
    [
        ("masks_40x", ("rasterise", "gather")),
        ("predictions_40x", ("segment", "gather_predictions")),
    ],
)
def test_the_result_does_not_depend_on_the_number_of_jobs(built, tmp_path, folder, rules):
    clone = clean_clone(tmp_path)
    (clone.folder / "resources").symlink_to(built.folder / "resources")
    slide = clone.folder / SLIDE
    slide.mkdir(parents=True)
    for name in TABLES:
        shutil.copy2(built.folder / SLIDE / name, slide / name)
    done = clone.snakemake(
        f"{SLIDE}/{folder}/manifest.json", "--allowed-rules", *rules, "--config", "shards=3"
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert not (slide / f"{folder}_shards").exists()
    logs = sorted(path.name for path in (clone.folder / "logs/toy_auto").glob("*.log"))
    first, second = rules
    assert logs == sorted([f"{second}_40x.log", *(f"{first}_40x_{n}.log" for n in (1, 2, 3))])
    one, several = built.folder / SLIDE / folder, slide / folder
    files = sorted(path.relative_to(one) for path in one.rglob("*") if path.is_file())
    assert files == sorted(
        path.relative_to(several) for path in several.rglob("*") if path.is_file()
    )
    assert all((one / name).read_bytes() == (several / name).read_bytes() for name in files)
    assert not list(slide.glob(".*"))
