"""Transcripts to nuclei: our index of polygons against geopandas sjoin and an STRtree, with equal answers; CPU seconds.

``python benchmarks/reassign.py --points 1000000 --polygons 100000``
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import geopandas
import numpy as np
import shapely
from numpy.typing import NDArray

from sthelar_build.core.point_owners import PointOwners

Rows = NDArray[np.int64]


def polygons(n: int, seed: int, corners: int = 25) -> NDArray[np.object_]:
    """Return n outlines of about 25 corners and 8 um across, 12 um apart on a jittered grid: few overlap."""
    rng = np.random.default_rng(seed)
    side = int(np.ceil(np.sqrt(n)))
    centres = 12.0 * np.stack(np.divmod(np.arange(n), side), axis=1) + rng.normal(0, 1.5, (n, 2))
    angle = np.linspace(0, 2 * np.pi, corners, endpoint=False)
    radius = 4 * np.clip(rng.normal(1, 0.08, (n, corners)), 0.6, 1.5)
    ring = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=2) + centres[:, None]
    return np.asarray(shapely.make_valid(shapely.polygons(ring)))


def ours(shapes: NDArray[np.object_], points: NDArray[np.float64]) -> Rows:
    return PointOwners(shapes)(points)


def sjoin(shapes: NDArray[np.object_], points: NDArray[np.float64]) -> Rows:
    left = geopandas.GeoDataFrame(geometry=geopandas.points_from_xy(*points.T))
    right = geopandas.GeoDataFrame({"area": shapely.area(shapes)}, geometry=shapes)
    joined = left.sjoin(right, predicate="intersects").sort_values("area", kind="stable")
    return _first(joined.index.to_numpy(), joined["index_right"].to_numpy(), len(points))


def strtree(shapes: NDArray[np.object_], points: NDArray[np.float64]) -> Rows:
    point, shape = shapely.STRtree(shapes).query(shapely.points(points), predicate="intersects")
    order = np.argsort(shapely.area(shapes)[shape], kind="stable")
    return _first(point[order], shape[order], len(points))


def _first(point: Rows, shape: Rows, n: int) -> Rows:
    found = np.full(n, -1)
    _, first = np.unique(point, return_index=True)
    found[point[first]] = shape[first]
    return found


def timed(
    method: Callable[[NDArray[np.object_], NDArray[np.float64]], Rows],
    shapes: NDArray[np.object_],
    points: NDArray[np.float64],
) -> tuple[float, Rows]:
    start = time.process_time()
    found = method(shapes, points)
    return time.process_time() - start, found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--points", type=int, default=1_000_000)
    parser.add_argument("--polygons", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    shapes = polygons(arguments.polygons, arguments.seed)
    low, high = np.array(shapely.total_bounds(shapes)).reshape(2, 2)
    points = np.random.default_rng(arguments.seed + 1).uniform(low, high, (arguments.points, 2))
    points = points.astype(np.float32).astype(np.float64)
    # Bundles list transcripts field by field, as they were imaged.
    points = points[np.lexsort((points[:, 0] // 100, points[:, 1] // 100))]
    ours(shapes[:100], points[:100])
    index_s, index = timed(lambda s, _: PointOwners(s), shapes, points)
    query_s, found = timed(lambda _, p: index(p), shapes, points)
    print(f"ours          {index_s + query_s:7.2f} s (index {index_s:.2f}, points {query_s:.2f})")
    for method in (strtree, sjoin):
        seconds, other = timed(method, shapes, points)
        ratio = seconds / (index_s + query_s)
        print(
            f"{method.__name__:13} {seconds:7.2f} s, {ratio:.1f} x; differ: {(other != found).sum()}"
        )


if __name__ == "__main__":
    main()
