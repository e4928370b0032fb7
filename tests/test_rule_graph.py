"""The picture of the rules shows the rules that there are."""

import importlib.util
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def rule_graph():
    spec = importlib.util.spec_from_file_location("rule_graph", ROOT / "docs" / "rule_graph.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def rules():
    files = (ROOT / "workflow" / "rules").glob("*.smk")
    return sorted(re.findall(r"^ *rule (\w+):", "".join(f.read_text() for f in files), re.M))


def test_every_rule_is_in_the_picture_once(rule_graph):
    boxes = re.findall(
        r'<g class="(?:rule|request)">.*?>(\w+)</text>', rule_graph.PICTURE.read_text()
    )
    assert sorted(boxes) == rules()


def test_every_rule_belongs_to_one_phase(rule_graph):
    phases = [name for _, names in rule_graph.PHASES.values() for name in names]
    assert sorted(phases) == rules()
    assert set(phases) >= rule_graph.ON_REQUEST


def test_an_arrow_that_follows_from_others_is_not_drawn(rule_graph):
    dot = '0[label = "tile", x]; 1[label = "mask"]; 2[label = "all"]; 3[label = "score"]; 0 -> 1; 1 -> 3; 0 -> 3; 3 -> 2'
    edges = rule_graph.parsed(dot)
    assert edges == [("mask", "score"), ("tile", "mask"), ("tile", "score")]
    chain = [("tile", "segment"), ("segment", "assess"), ("tile", "assess")]
    arrows = rule_graph.arrows(rule_graph.picture(chain))
    assert arrows == [("segment", "assess"), ("tile", "segment")]
