"""The Hugging Face folder, as ``datasets`` loads it."""

import numpy as np
import pyarrow.parquet as pq
import pytest
import yaml

from slides import two_slides
from sthelar_build.errors import InputError
from sthelar_build.exporters import huggingface
from sthelar_build.settings.export import ExportSettings


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    folder = tmp_path_factory.mktemp("huggingface")
    source = two_slides.source_of(folder / "slides")
    huggingface.write(source, folder / "out", ExportSettings(), 2)
    return source, folder / "out"


@pytest.fixture(scope="module")
def loaded(exported, tmp_path_factory):
    from datasets import load_dataset

    return load_dataset(str(exported[1]), cache_dir=str(tmp_path_factory.mktemp("cache")))


def test_every_patch_is_in_its_split_and_guards_are_apart(exported, loaded):
    source, _ = exported
    for name, rows in loaded.items():
        split = source.table["split"].astype(object).fillna("unassigned")
        expected = source.table.loc[split == name, "name"] + ".png"
        assert rows["file_name"][:] == expected.tolist()
    assert set(loaded) == {"train", "valid", "test", "unassigned"}


def test_features_are_the_published_ones(loaded):
    from datasets import ClassLabel, Features, Image, Sequence, Value

    assert loaded["train"].features == Features(
        {
            "file_name": Value("string"),
            "image": Image(),
            "slide_id": Value("string"),
            "tissue": ClassLabel(names=["Breast", "Skin"]),
            "cell_counts": Sequence(Value("uint16")),
            "instance_map": Image(),
            "type_map": Image(),
            "Dice": Value("float16"),
            "Jaccard": Value("float16"),
            "bPQ": Value("float16"),
        }
    )


def test_rows_hold_the_patch(exported, loaded):
    source, _ = exported
    for row, patch in zip(loaded["valid"], source.of_split("valid"), strict=True):
        assert row["slide_id"] == patch.slide
        assert loaded["valid"].features["tissue"].int2str(row["tissue"]) == patch.tissue
        np.testing.assert_array_equal(row["image"], patch.image)
        np.testing.assert_array_equal(row["instance_map"], patch.dense)
        np.testing.assert_array_equal(row["type_map"], patch.types)
        assert row["instance_map"].mode == "I;16"
        assert row["type_map"].mode == "L"
        assert row["cell_counts"] == patch.counts.tolist()
        assert row["Jaccard"] == pytest.approx(patch.metrics["Jaccard"], abs=1e-3)


def test_missing_metrics_are_null(tmp_path):
    source = two_slides.source_of(tmp_path / "slides")
    for table in source._tables.values():
        table["Jaccard"] = np.nan
    huggingface.write(source, tmp_path / "out", ExportSettings(), 1)
    column = pq.read_table(tmp_path / "out" / "data" / "train-00000-of-00001.parquet")["Jaccard"]
    assert column.null_count == len(column)


def test_shards_are_even_and_row_groups_small(tmp_path, monkeypatch):
    monkeypatch.setattr(huggingface, "_ROW_GROUP", 4)
    source = two_slides.source_of(tmp_path / "slides")
    settings = ExportSettings().model_copy(update={"huggingface_shard_rows": 10})
    huggingface.write(source, tmp_path / "out", settings, 1)
    n = int((source.table["split"] == "train").sum())
    paths = sorted((tmp_path / "out" / "data").glob("train-*"))
    n_shards = -(-n // 10)
    assert [path.name for path in paths] == [
        f"train-{k:05d}-of-{n_shards:05d}.parquet" for k in range(n_shards)
    ]
    files = [pq.ParquetFile(path) for path in paths]
    assert sum(file.metadata.num_rows for file in files) == n
    for file in files:
        groups = [file.metadata.row_group(i).num_rows for i in range(file.num_row_groups)]
        assert max(groups) <= 4
    huggingface.validate(tmp_path / "out")


def test_the_card_names_the_splits_and_classes_and_shows_how_to_load(exported):
    _, out = exported
    text = (out / "README.md").read_text()
    head = yaml.safe_load(text.split("---")[1])
    splits = [entry["split"] for entry in head["configs"][0]["data_files"]]
    assert splits == ["train", "valid", "test", "unassigned"]
    assert 'load_dataset("path/of/this/folder", split="train")' in text
    assert "| 9 | Other |" in text


def test_a_grouping_changes_maps_counts_and_card_but_no_feature(exported, loaded, tmp_path):
    from datasets import load_dataset

    source, _ = exported
    huggingface.write(source, tmp_path / "out", ExportSettings(grouping="grouped"), 1)
    huggingface.validate(tmp_path / "out")
    rows = load_dataset(str(tmp_path / "out"), split="valid", cache_dir=str(tmp_path / "cache"))
    assert rows.features == loaded["valid"].features
    new = np.array([0, 1, 1, 1, 2, 2, 3, 5, 4, 5])
    for row, patch in zip(rows, source.of_split("valid"), strict=True):
        np.testing.assert_array_equal(row["type_map"], new[patch.types])
        assert len(row["cell_counts"]) == 5
    assert "| 1 | Immune |" in (tmp_path / "out" / "README.md").read_text()


def test_the_validator_takes_the_export_and_refuses_wrong_counts(exported, tmp_path):
    source, out = exported
    huggingface.validate(out)
    huggingface.write(source, tmp_path / "copy", ExportSettings(), 1)
    path = tmp_path / "copy" / "data" / "valid-00000-of-00001.parquet"
    table = pq.read_table(path)
    column = table.schema.get_field_index("cell_counts")
    wrong = table.set_column(
        column, table.schema.field(column), table["cell_counts"].take([1] * len(table))
    )
    pq.write_table(wrong, path)
    with pytest.raises(InputError, match="other counts"):
        huggingface.validate(tmp_path / "copy")
