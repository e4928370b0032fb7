"""DEFLATE by Huffman codes alone, for bytes that hardly repeat themselves, as those of a filtered photograph.

What the search for repetitions finds in them is not worth its time. One block of dynamic codes, no matches
(RFC 1951, section 3.2.7): any inflate reads it. The same idea is ``Z_HUFFMAN_ONLY`` of zlib.
"""

# mypy: allow-untyped-decorators

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]
Counts = NDArray[np.int64]
Sizes = NDArray[np.uint64]
"""Numbers of bits."""
Words = NDArray[np.uint32]
"""Bits from the lowest on; the bytes of a word stand lowest first."""

_END = 256
_N_SYMBOLS, _N_LENGTHS = 257, 19
_LONGEST_CODE, _LONGEST_CODE_OF_LENGTHS = 15, 7
_LENGTHS_IN_ORDER = np.array(
    [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15], dtype=np.int64
)
"""The order in which the codes of lengths are described."""
_HEAD_BITS = 1 | 2 << 1 | (_N_SYMBOLS - 257) << 3 | 0 << 8 | (_N_LENGTHS - 4) << 13
"""Last block; dynamic codes; 257 symbols, 1 distance (of no use), 19 lengths."""
_MOST_HEAD_WORDS = 128
_WORD = np.uint64(32)

kernel = njit(nogil=True, cache=True)
helper = njit(nogil=True)


def byte_counts(content: Bytes) -> Counts:
    """Return how often each of the 256 bytes occurs in an array (n,)."""
    counts = np.empty(256, dtype=np.int64)
    _count(content, counts)
    return counts


def huffman_deflated(content: Bytes, counts: Counts) -> bytes:
    """Return bytes (n,) as a raw DEFLATE stream; ``counts`` are their ``byte_counts``."""
    lengths = _code_lengths(np.append(counts, 1), _LONGEST_CODE)
    described = np.append(lengths, np.uint64(1))
    of_lengths = _code_lengths(
        np.bincount(described.astype(np.intp), minlength=_N_LENGTHS), _LONGEST_CODE_OF_LENGTHS
    )
    # No code is longer than 15 bits.
    words = np.empty(len(content) // 2 + _MOST_HEAD_WORDS, dtype="<u4")
    n_bytes = _write(content, described, of_lengths, words)
    return words.view(np.uint8)[:n_bytes].tobytes()


@kernel
def _count(content: Bytes, counts: Counts) -> None:
    # Four tallies: adding to one number twice in a row has to wait for the first time.
    tally = np.zeros((4, 256), dtype=np.int64)
    for place in range(len(content)):
        tally[place & 3, content[place]] += 1
    for byte in range(256):
        counts[byte] = tally[0, byte] + tally[1, byte] + tally[2, byte] + tally[3, byte]


@kernel
def _write(content: Bytes, described: Sizes, of_lengths: Sizes, words: Words) -> int:
    """Write the block; return the number of bytes.

    ``described`` holds the lengths of the codes of all symbols, and of the one distance; ``of_lengths`` those of the codes
    that these lengths are written in.
    """
    lengths = described[:-1]
    codes = _codes(lengths)
    place, bits, n_bits = _write_head(described, of_lengths, words)
    both = codes | lengths << _WORD
    for byte in content:
        entry = both[byte]
        bits |= (entry & np.uint64(0xFFFFFFFF)) << n_bits
        n_bits += entry >> _WORD
        # A branch would be guessed wrong too often: the word is written always, and stays when it is full.
        words[place] = np.uint32(bits & np.uint64(0xFFFFFFFF))
        full = n_bits >> np.uint64(5)
        place += full
        bits >>= full << np.uint64(5)
        n_bits &= np.uint64(31)
    bits |= codes[_END] << n_bits
    n_bits += lengths[_END]
    words[place], words[place + np.uint64(1)] = bits & np.uint64(0xFFFFFFFF), bits >> _WORD
    return 4 * int(place) + (int(n_bits) + 7) // 8


@helper
def _write_head(described: Sizes, of_lengths: Sizes, words: Words) -> Any:
    """Describe the codes; return the place, the bits that are not yet a word, and how many they are."""
    codes = _codes(of_lengths)
    bits, n_bits, place = np.uint64(_HEAD_BITS), np.uint64(17), np.uint64(0)
    for step in range(_N_LENGTHS + len(described)):
        if step < _N_LENGTHS:
            value, size = of_lengths[_LENGTHS_IN_ORDER[step]], np.uint64(3)
        else:
            length = described[step - _N_LENGTHS]
            value, size = codes[length], of_lengths[length]
        bits |= value << n_bits
        n_bits += size
        if n_bits >= _WORD:
            words[place] = np.uint32(bits & np.uint64(0xFFFFFFFF))
            bits, n_bits, place = bits >> _WORD, n_bits - _WORD, place + np.uint64(1)
    return place, bits, n_bits


def _code_lengths(counts: Counts, longest: int) -> Sizes:
    """Return the length of every symbol's code: Huffman's, with the longest cut to ``longest`` and others made longer for it."""
    lengths = np.zeros(len(counts), dtype=np.uint64)
    used = np.flatnonzero(counts)
    order = used[np.argsort(counts[used], kind="stable")]
    if len(order) == 1:
        lengths[order] = 1
    else:
        _lengths_in_order(order, counts[order], longest, lengths)
    return lengths


@kernel
def _lengths_in_order(order: Counts, weights: Counts, longest: int, lengths: Sizes) -> None:
    """Write the lengths of the symbols of ``order``, which has the rarest first."""
    parent = _tree(weights)
    depth = np.zeros(len(parent), dtype=np.int64)
    per_length = np.zeros(len(parent) + longest, dtype=np.int64)
    for node in range(len(parent) - 2, -1, -1):
        depth[node] = depth[parent[node]] + 1
        if node < len(order):
            per_length[min(depth[node], longest)] += 1
    _make_room(per_length, longest)
    place = len(order)
    for length in range(1, longest + 1):
        for _ in range(per_length[length]):
            place -= 1
            lengths[order[place]] = length


@helper
def _tree(weights: Counts) -> Counts:
    """Return the parent of every node of Huffman's tree: leaves, by ascending weight, then inner nodes as they are made."""
    n = len(weights)
    parent = np.zeros(2 * n - 1, dtype=np.int64)
    total = np.zeros(2 * n - 1, dtype=np.int64)
    total[:n] = weights
    leaf, inner = 0, n
    for node in range(n, 2 * n - 1):
        for _ in range(2):
            if leaf < n and (inner >= node or total[leaf] <= total[inner]):
                child = leaf
                leaf += 1
            else:
                child = inner
                inner += 1
            parent[child] = node
            total[node] += total[child]
    return parent


@helper
def _make_room(per_length: Counts, longest: int) -> None:
    """Lengthen short codes until all fit: the sum of 2**-length is at most 1."""
    taken = np.int64(0)
    for length in range(1, longest + 1):
        taken += per_length[length] << (longest - length)
    while taken > 1 << longest:
        length = longest - 1
        while per_length[length] == 0:
            length -= 1
        # A code becomes the beginning of two: its own, and one that was too long.
        per_length[length] -= 1
        per_length[length + 1] += 2
        per_length[longest] -= 1
        taken -= 1


@helper
def _codes(lengths: Sizes) -> Sizes:
    """Return the canonical code of every symbol, its first bit lowest."""
    following = np.zeros(_LONGEST_CODE + 2, dtype=np.int64)
    for length in range(1, _LONGEST_CODE + 1):
        n = np.int64(0)
        for symbol in range(len(lengths)):
            n += np.int64(lengths[symbol] == length)
        following[length + 1] = (following[length] + n) << 1
    codes = np.zeros(len(lengths), dtype=np.uint64)
    for symbol in range(len(lengths)):
        n_bits = np.int64(lengths[symbol])
        code = following[n_bits]
        following[n_bits] += 1
        for bit in range(n_bits):
            codes[symbol] |= np.uint64((code >> bit) & 1) << np.uint64(n_bits - 1 - bit)
    return codes
