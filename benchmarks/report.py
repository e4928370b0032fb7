"""The report of a slide: how long its stages took, how large it is, how soon it shows a picture, how smoothly it moves.

Reads a finished run (``--results``), for example one of benchmarks/whole_slide.py. The page is opened from disk in headless
Chromium (Debian package ``chromium``; playwright drives it), without a GPU: what is drawn is drawn by the processor.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import pandas as pd
from browser import opened, wait_until

_STAGES = ("view", "outline", "report")
_UM_PER_PX = {"whole slide": None, "dots of every nucleus": 2.0, "outlines": 1.0, "near": 0.3}
_SHOWN = "performance.getEntriesByName('viewer-drawn').length > 0 && slideViewer.nuclei.overview !== null"
_PAN = """async steps => {
  const v = slideViewer, gaps = []; let last = performance.now();
  for (let i = 0; i < steps; i++) {
    v.move(i < steps / 2 ? -9 : 9, i % 40 < 20 ? -3 : 3);
    await new Promise(requestAnimationFrame);
    const now = performance.now(); gaps.push(now - last); last = now;
  }
  return gaps;
}"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--results", type=Path, required=True, help="folder of the slide")
    parser.add_argument("--steps", type=int, default=300, help="frames of each pan (300)")
    arguments = parser.parse_args()
    folder = arguments.results
    print(_stages(folder).to_string(index=False))
    for name in ("report.html", "viewer_images", "viewer_nuclei"):
        print(f"{name}: {_size(folder / name) / 2**20:.1f} MB")
    with opened(folder / "report.html", 1600, 1000) as page:
        wait_until(page, _SHOWN)
        drawn = page.evaluate("performance.getEntriesByName('viewer-drawn')[0].startTime")
        nuclei = page.evaluate("performance.now()")
        print(f"first picture after {drawn:.0f} ms, with nuclei before {nuclei:.0f} ms")
        print(pd.DataFrame(_pans(page, arguments.steps)).to_string(index=False))


def _stages(folder: Path) -> pd.DataFrame:
    logs = folder.parents[1] / "logs" / folder.name
    parts = [pd.read_csv(logs / f"{stage}.tsv", sep="\t").assign(stage=stage) for stage in _STAGES]
    return pd.concat(parts)[["stage", "s", "cpu_time", "max_rss"]]


def _size(path: Path) -> int:
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(file.stat().st_size for file in files if file.is_file())


def _pans(page: Any, steps: int) -> list[dict[str, Any]]:
    found = []
    for name, um_per_px in _UM_PER_PX.items():
        if um_per_px is None:
            page.evaluate("slideViewer.fit()")
        else:
            page.evaluate(
                "um => { const v = slideViewer; v.view.scale = v.umPerPx / um; v.zoom(1) }",
                um_per_px,
            )
        page.wait_for_timeout(2500)
        gaps = pd.Series(page.evaluate(_PAN, steps))
        found.append(
            {
                "view": name,
                "frames_per_s": round(1000 / gaps.mean(), 1),
                "median_ms": round(gaps.median(), 1),
                "p95_ms": round(gaps.quantile(0.95), 1),
                "longest_ms": round(gaps.max(), 1),
            }
        )
    return found


if __name__ == "__main__":
    main()
