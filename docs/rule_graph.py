"""Draw the rules of the workflow, and what waits for what: ``python docs/rule_graph.py`` writes docs/images/rules.svg.

Snakemake says which rule waits for which, with everything switched on that the shipped configuration leaves off.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from itertools import pairwise
from pathlib import Path
from xml.sax.saxutils import escape

import igraph

ROOT = Path(__file__).parents[1]
PICTURE = ROOT / "docs" / "images" / "rules.svg"
EVERYTHING = """
formats: [pannuke, cellvit, qupath]
shards: 2
resegment: {source: cellpose}
embed: {models: {cellvit: {kind: cellvit, checkpoint: toy}}}
evaluate: {checkpoint: toy}
"""
"""On top of the shipped configuration: with it every rule has a job."""
TARGETS = ("all", "results/dataset/40x/model/checkpoint.pth")
PHASES = {
    "raw files, looked at and read": ("#f6d186", ("simulate", "preflight", "resegment", "ingest")),
    "what the RNA says": ("#b6d7a8", ("count", "annotate", "cluster", "refine")),
    "the H&E, its patches and masks": (
        "#a9cce9",
        ("register", "tile", "rasterise", "gather", "segment", "gather_predictions", "assess"),
    ),
    "one slide, to look at and to load": (
        "#d9c2e9",
        ("embed", "assemble", "view", "outline", "report"),
    ),
    "the dataset": ("#f2b8a8", ("collect", "export", "export_slides", "describe")),
    "networks": ("#cfd3d8", ("train", "evaluate", "compare")),
}
"""Colour and rules of every phase."""
ON_REQUEST = frozenset(
    ("resegment", "embed", "gather", "gather_predictions", "train", "evaluate", "compare")
)
"""Rules that have no job in the shipped configuration."""
STEP_X, STEP_Y, BOX_HEIGHT, MARGIN = 122, 58, 28, 14
WIDEST, LETTER, TIP = 160, 7.6, 4
LEGEND_STEP, LEGEND_WIDTH = 22, 290

Edge = tuple[str, str]
Station = tuple[str, int]
"""A rule, or an arrow on its way, and its layer."""
Point = tuple[float, float]


def main() -> None:
    """Write the picture."""
    PICTURE.write_text(picture(parsed(rule_graph(ROOT))), encoding="utf-8")
    sys.stdout.write(f"{PICTURE.relative_to(ROOT)}\n")


def rule_graph(folder: Path) -> str:
    """Return what Snakemake says of the rules of the project in a folder, in the language of Graphviz."""
    with tempfile.TemporaryDirectory() as scratch:
        everything = Path(scratch) / "everything.yaml"
        everything.write_text(EVERYTHING, encoding="utf-8")
        files = ["config/config.yaml", str(everything)]
        done = subprocess.run(
            ["snakemake", "--rulegraph", "--configfile", *files, "--", *TARGETS],
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode:
        raise SystemExit(done.stderr)
    return done.stdout


def parsed(dot: str) -> list[Edge]:
    """Return pairs of rules, the first before the second; ``all``, which makes nothing, is left out.

    >>> parsed('0[label = "tile", x]; 1[label = "assess"]; 2[label = "all"]; 0 -> 1; 1 -> 2')
    [('tile', 'assess')]
    """
    name = dict(re.findall(r'(\d+)\[label = "(\w+)"', dot))
    edges = [(name[first], name[then]) for first, then in re.findall(r"(\d+) -> (\d+)", dot)]
    return sorted(edge for edge in edges if "all" not in edge)


def arrows(picture: str) -> list[Edge]:
    """Return the arrows of a picture."""
    return sorted(re.findall(r'<path id="(\w+)-to-(\w+)"', picture))


def picture(edges: list[Edge]) -> str:
    """Return the picture as SVG, readable on light and on dark pages."""
    needed = shown(edges)
    layers = _layers(needed)
    paths = [_stations(first, then, layers) for first, then in needed]
    places = _places(paths, layers)
    width = max(x for x, _ in places.values()) + WIDEST / 2 + MARGIN
    height = max(y for _, y in places.values()) + BOX_HEIGHT / 2 + MARGIN
    lines = [_line([places[station] for station in path], _name(path)) for path in paths]
    boxes = [_box(name, places[name, layer]) for name, layer in layers.items()]
    return "\n".join([_head(width, height), *lines, *boxes, *_legend(width), "</svg>", ""])


def shown(edges: list[Edge]) -> list[Edge]:
    """Return the edges that do not follow from others."""
    after = {first: {then for start, then in edges if start == first} for first, _ in edges}

    def reached(rule: str) -> set[str]:
        return after.get(rule, set()).union(*(reached(then) for then in after.get(rule, ())))

    return [
        (first, then)
        for first, then in edges
        if not any(then in reached(other) for other in after[first])
    ]


def _layers(edges: list[Edge]) -> dict[str, int]:
    """Return how many rules at most come before each."""
    layers = {name: 0 for edge in edges for name in edge}
    for _ in layers:
        for first, then in edges:
            layers[then] = max(layers[then], layers[first] + 1)
    return layers


def _stations(first: str, then: str, layers: dict[str, int]) -> list[Station]:
    """Return where an arrow passes: one station in every layer, with a name of its own between the two rules."""
    between = range(layers[first] + 1, layers[then])
    way = [(f"{first} -> {then}", layer) for layer in between]
    return [(first, layers[first]), *way, (then, layers[then])]


def _places(paths: list[list[Station]], layers: dict[str, int]) -> dict[Station, Point]:
    """Return the place of every station: rows by layer, and in them an order with few crossings (Sugiyama et al. 1981)."""
    stations = sorted({*layers.items(), *(station for path in paths for station in path)})
    steps = [(stations.index(a), stations.index(b)) for path in paths for a, b in pairwise(path)]
    graph = igraph.Graph(n=len(stations), edges=steps, directed=True)
    rows = [layer for _, layer in stations]
    layout = graph.layout_sugiyama(layers=rows, hgap=STEP_X, vgap=STEP_Y, maxiter=1000)
    left = min(x for x, _ in layout) - WIDEST / 2 - MARGIN
    top = -BOX_HEIGHT / 2 - MARGIN
    return {station: (x - left, y - top) for station, (x, y) in zip(stations, layout, strict=True)}


def _name(path: list[Station]) -> str:
    return f"{path[0][0]}-to-{path[-1][0]}"


def _line(places: list[Point], name: str) -> str:
    """Return an arrow from box to box; from layer to layer it swings from upright to upright."""
    (x, y), *rest = places
    y += BOX_HEIGHT / 2
    text = f"M{x:.0f},{y:.0f}"
    for number, (next_x, next_y) in enumerate(rest, 1):
        end_y = next_y - BOX_HEIGHT / 2 - TIP if number == len(rest) else next_y
        middle = (y + end_y) / 2
        text += f" C{x:.0f},{middle:.0f} {next_x:.0f},{middle:.0f} {next_x:.0f},{end_y:.0f}"
        x, y = next_x, end_y
    return f'<path id="{name}" d="{text}" class="edge" marker-end="url(#tip)"/>'


def _box(name: str, place: Point) -> str:
    width = LETTER * len(name) + 20
    x, y = place
    kind = "request" if name in ON_REQUEST else "rule"
    return (
        f'<g class="{kind}"><rect x="{x - width / 2:.0f}" y="{y - BOX_HEIGHT / 2:.0f}" width="{width:.0f}" '
        f'height="{BOX_HEIGHT}" rx="7" fill="{_colour(name)}"/>'
        f'<text x="{x:.0f}" y="{y + 4.5:.0f}" text-anchor="middle">{name}</text></g>'
    )


def _colour(name: str) -> str:
    return next(colour for colour, rules in PHASES.values() if name in rules)


def _legend(width: float) -> list[str]:
    x = width - LEGEND_WIDTH
    entries = [("rule", colour, text) for text, (colour, _) in PHASES.items()]
    entries.append(("request", "#ffffff", "only where the configuration asks for it"))
    return [
        f'<g class="legend {kind}"><rect x="{x:.0f}" y="{MARGIN + n * LEGEND_STEP}" width="22" height="15" rx="4" '
        f'fill="{colour}"/><text x="{x + 30:.0f}" y="{MARGIN + n * LEGEND_STEP + 12}">{escape(text)}</text></g>'
        for n, (kind, colour, text) in enumerate(entries)
    ]


def _head(width: float, height: float) -> str:
    size = f"{width:.0f} {height:.0f}"
    return (
        "<!-- Written by docs/rule_graph.py. -->\n"
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size}" role="img" '
        'aria-label="The rules of the workflow, and which waits for which">\n'
        "<style>text{font:13px ui-sans-serif,system-ui,sans-serif;fill:#1c1c1c}rect{stroke:#777}"
        ".request rect{stroke:#555;stroke-width:2.5;stroke-dasharray:5 4}.request text{font-style:italic}"
        ".legend text{fill:#808080}.edge{fill:none;stroke:#8a8a8a;stroke-width:1.5}</style>\n"
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="4" refY="4" markerWidth="7" markerHeight="7" '
        'orient="auto"><path d="M0,0 L8,4 L0,8 z" fill="#8a8a8a"/></marker></defs>'
    )


if __name__ == "__main__":
    main()
