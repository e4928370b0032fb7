"""The picture of the rules shows what Snakemake says waits for what."""

import pytest

from test_rule_graph import rule_graph  # noqa: F401
from workflow.clones import ROOT

pytestmark = pytest.mark.workflow


def test_the_arrows_are_those_of_the_workflow(rule_graph):  # noqa: F811
    edges = rule_graph.parsed(rule_graph.rule_graph(ROOT))
    assert rule_graph.arrows(rule_graph.PICTURE.read_text()) == sorted(rule_graph.shown(edges))
