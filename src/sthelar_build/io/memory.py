"""Memory that was freed, given back to the system."""

from __future__ import annotations

import ctypes
import gc

import pyarrow as pa


def give_back() -> None:
    """Give freed memory back: the C library and arrow keep gigabytes of it, in pieces into which no large array fits.

    To be called after millions of small objects, such as shapes, or tables of AnnData, which refer to themselves, have
    been let go of. Of C libraries only glibc can be asked for it.
    """
    gc.collect()
    pa.default_memory_pool().release_unused()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
