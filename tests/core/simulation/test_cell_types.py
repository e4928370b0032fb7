from sthelar_build.core.simulation.cell_types import cell_types
from sthelar_build.schema.labels import class_named


def test_every_type_has_a_known_class_and_all_numbers():
    table = cell_types()
    assert table.index.is_unique
    assert not table.isna().any().any()
    assert all(class_named(name).name == name for name in table["class_name"])


def test_lymphocytes_are_small_and_round_and_fibroblasts_are_long():
    table = cell_types()
    assert table.loc["B", "radius_um"] < 3.2 < table.loc["mammary_luminal", "radius_um"]
    assert table.loc["B", "aspect"] < 1.2
    assert table.loc["Fibroblast", "aspect"] > 2


def test_only_the_epithelium_of_the_carcinoma_is_cancer():
    cancer = cell_types().query("cancer == 1").index
    assert set(cancer) == {"mammary_luminal", "proliferating_mammary_luminal", "mammary_basal"}
