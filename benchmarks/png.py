"""PNG encoders on H&E patches: time and size. All give standard PNG of the same pixels; one core, time of the processor.

The patches are cut from the H&E that is given (the simulated one of ``make toy`` by default).
"""

from __future__ import annotations

import argparse
import io
import struct
import time
import zlib
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
from PIL import Image

from sthelar_build.core.png_rows import filtered_photograph
from sthelar_build.io.images.he import open_he
from sthelar_build.io.png import png_bytes, png_pixels

SIDE_PX = 256
HE = Path("resources/toy/toy_breast/he_image.ome.tif")


def main() -> None:
    arguments = _arguments()
    patches = _patches(arguments.he, arguments.patches)
    print(f"{len(patches)} patches of {SIDE_PX} px from {arguments.he.name}\n")
    print("encoder                                ms/patch   KB/patch")
    for name, encode in _encoders().items():
        _check(encode(patches[0]), patches[0])
        times = []
        for _ in range(arguments.repeats):
            start = time.process_time()
            size = sum(len(encode(patch)) for patch in patches)
            times.append(time.process_time() - start)
        print(
            f"{name:36s} {1e3 * min(times) / len(patches):10.2f} {size / 1024 / len(patches):10.1f}"
        )


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--he", type=Path, default=HE, help=f"whole-slide image ({HE})")
    parser.add_argument("--patches", type=int, default=150, help="patches, from the middle (150)")
    parser.add_argument("--repeats", type=int, default=3, help="the best counts (3)")
    return parser.parse_args()


def _patches(path: Path, n: int) -> list[np.ndarray]:
    """Return the patches nearest to the middle of the image."""
    with open_he(path) as image:
        corners = [
            (x, y)
            for y in range(0, image.height_px - SIDE_PX, SIDE_PX)
            for x in range(0, image.width_px - SIDE_PX, SIDE_PX)
        ]
        middle = (image.width_px / 2, image.height_px / 2)
        corners.sort(key=lambda at: max(abs(at[0] - middle[0]), abs(at[1] - middle[1])))
        return [image.read(x, y, SIDE_PX, SIDE_PX) for x, y in corners[:n]]


def _encoders() -> dict[str, Callable[[np.ndarray], bytes]]:
    ours: dict[str, Callable[[np.ndarray], bytes]] = {
        f"sthelar_build, level {level}": partial(png_bytes, level=level) for level in (1, 3, 6, 9)
    }
    return {
        "Pillow, level 6 (its default)": partial(_pillow, compress_level=6),
        "Pillow, level 1": partial(_pillow, compress_level=1),
        "Pillow, runs only": partial(_pillow, compress_level=6, compress_type=zlib.Z_RLE),
        "Pillow, Huffman only": partial(
            _pillow, compress_level=6, compress_type=zlib.Z_HUFFMAN_ONLY
        ),
        "libpng of imagecodecs, level 1": partial(imagecodecs.png_encode, level=1),
        "Paeth, zlib-ng, level 1": partial(_paeth, partial(imagecodecs.zlibng_encode, level=1)),
        "Paeth, libdeflate, level 1": partial(_paeth, partial(imagecodecs.deflate_encode, level=1)),
        **ours,
    }


def _pillow(pixels: np.ndarray, **options: Any) -> bytes:
    content = io.BytesIO()
    Image.fromarray(pixels).save(content, "PNG", **options)
    return content.getvalue()


def _paeth(compress: Callable[[bytes], bytes], pixels: np.ndarray) -> bytes:
    height, width = pixels.shape[:2]
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = (
        (b"IHDR", head),
        (b"IDAT", compress(filtered_photograph(pixels).tobytes())),
        (b"IEND", b""),
    )
    chunks = [
        struct.pack(">I", len(content))
        + kind
        + content
        + struct.pack(">I", zlib.crc32(kind + content))
        for kind, content in parts
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def _check(encoded: bytes, pixels: np.ndarray) -> None:
    np.testing.assert_array_equal(png_pixels(encoded), pixels)


if __name__ == "__main__":
    main()
