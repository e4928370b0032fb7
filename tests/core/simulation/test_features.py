import numpy as np
import pytest

from sthelar_build.core.simulation.features import panel_features
from sthelar_build.core.simulation.programmes import programmes


@pytest.fixture(scope="module")
def table():
    return programmes(np.random.default_rng(0), ("B", "T"), 40)


def test_genes_come_first_and_the_last_of_them_are_custom(table):
    features = panel_features(table, major=2)
    assert features["name"].tolist()[:40] == list(table.genes)
    assert features["category"].tolist()[37:41] == [
        "predesigned_gene",
        "custom_gene",
        "custom_gene",
        "negative_control_probe",
    ]


def test_genomic_controls_come_with_xoa_3(table):
    for major, there in ((2, False), (3, True)):
        categories = set(panel_features(table, major)["category"])
        assert ("genomic_control_probe" in categories) == there
