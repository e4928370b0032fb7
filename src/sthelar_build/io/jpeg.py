"""Pictures as JPEG."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image


def write_jpeg(path: Path, pixels: NDArray[np.uint8], quality: int) -> None:
    """Write a picture (y, x, 3) to a new file; ``quality`` as Pillow has it, 1 to 95. The caller publishes it.

    Encoded in memory first: given a path, Pillow 12 loses the end of a JPEG on a full disk without a word.
    """
    content = io.BytesIO()
    Image.fromarray(pixels).save(content, "JPEG", quality=quality)
    path.write_bytes(content.getvalue())
