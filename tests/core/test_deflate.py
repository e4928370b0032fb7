"""Streams of Huffman codes: zlib reads them back, and they are as short as its own."""

import zlib

import numpy as np
import pytest

from sthelar_build.core.deflate import byte_counts, huffman_deflated

FIBONACCI = [1, 1]
while len(FIBONACCI) < 24:
    FIBONACCI.append(FIBONACCI[-1] + FIBONACCI[-2])
RNG = np.random.default_rng(0)


def deflated(content):
    return huffman_deflated(content, byte_counts(content))


@pytest.mark.parametrize(
    "content",
    [
        [],
        [7],
        [0] * 1000,
        range(256),
        RNG.geometric(0.02, 5000).clip(0, 255),
        RNG.integers(0, 256, 70_000),
        # Huffman's codes of such counts are longer than the 15 bits that DEFLATE allows.
        np.repeat(np.arange(24), FIBONACCI),
    ],
    ids=["empty", "one byte", "one value", "every value", "falling", "noise", "long codes"],
)
def test_zlib_reads_back_what_was_written(content):
    content = np.array(content, dtype=np.uint8)
    assert zlib.decompress(deflated(content), -15) == content.tobytes()


def test_bytes_are_counted():
    found = byte_counts(np.array([3, 3, 255, 0, 3], dtype=np.uint8))
    assert {value: found[value] for value in np.flatnonzero(found)} == {0: 1, 3: 3, 255: 1}


def test_a_stream_is_as_short_as_the_one_of_zlib():
    content = RNG.laplace(0, 12, 100_000).astype(np.int64).astype(np.uint8)
    theirs = zlib.compressobj(6, zlib.DEFLATED, -15, 8, zlib.Z_HUFFMAN_ONLY)
    length = len(theirs.compress(content.tobytes()) + theirs.flush())
    assert len(deflated(content)) < 1.005 * length
