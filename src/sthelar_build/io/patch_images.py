"""Patches with their image as PNG, encoded by several threads."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from sthelar_build.io.patch_stream import Patch
from sthelar_build.io.png import png_bytes
from sthelar_build.io.workers import map_threads


def encoded(patches: Iterable[Patch], level: int, threads: int) -> Iterator[tuple[Patch, bytes]]:
    """Yield every patch, in order, with its image as PNG."""

    def encode(pair: tuple[Patch, NDArray[np.uint8]]) -> tuple[Patch, bytes]:
        patch, image = pair
        return patch, png_bytes(image, level)

    # Images are read here, in the stream: when the threads get to them, their slide may be closed.
    return map_threads(encode, ((patch, patch.image) for patch in patches), threads)
