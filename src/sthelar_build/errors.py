"""What goes wrong through no fault of ours: the user can act on it, so it is one line without a traceback."""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterable

DISK_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_ERRNO = re.compile(r"\berrno = (\d+)")
_REMEDIES = {
    errno.ENOSPC: "free some space or write elsewhere, and run again",
    errno.EDQUOT: "free some of your quota or write elsewhere, and run again",
    errno.EFBIG: "raise the limit of the size of files (ulimit -f) or write elsewhere, and run again",
    errno.EROFS: "write elsewhere, or make it writable",
    errno.EACCES: "change its permissions, or take another path",
    errno.EPERM: "change its permissions, or take another path",
    errno.ENOTDIR: "a file stands where a folder is needed: move it away, or take another path",
    errno.EISDIR: "a folder stands where a file is needed: move it away, or take another path",
    errno.ENAMETOOLONG: "take a shorter path",
    errno.EMFILE: "raise the number of open files (ulimit -n), and run again",
    errno.ENFILE: "raise the number of open files of this machine, and run again",
    errno.EIO: "check the disk or the network, and run again",
    errno.ESTALE: "check the network file system, and run again",
}
"""Failures of the machine that the user can mend, and how. Not ENOENT: that may be a mistake of ours."""


class SthelarError(Exception):
    """The user can mend this; the message says where, what was expected, what was found, and what to do."""


class InputError(SthelarError):
    """A file is missing, broken, or not what the sheet says it is."""


class ConfigError(SthelarError):
    """The configuration or one of its sheets cannot be used."""


def machine_refusal(error: BaseException) -> OSError | None:
    """Return what the machine refused that a user can mend, such as space on a disk; None if the error is anything else.

    Libraries raise errors of their own while they handle such a one (HDF5 when it closes a file on a full disk), so
    those that came before count, and the number that is only in the text.
    """
    one: BaseException | None = error
    while one is not None:
        number = one.errno if isinstance(one, OSError) else _number_in_text(one)
        if number in _REMEDIES:
            return one if isinstance(one, OSError) else OSError(number, os.strerror(number))
        one = one.__cause__ or one.__context__
    return None


def in_words(refusal: OSError, notes: Iterable[str] = ()) -> str:
    """Return one line: where, what was expected and found, the remedy, and what has been noted on the way."""
    number = refusal.errno or errno.EIO
    where = refusal.filename or "output"
    found = f"{where}: expected to read or write here, found: {os.strerror(number)}"
    return "; ".join((found, _REMEDIES[number], *notes))


def first_line(error: BaseException) -> str:
    """Return the first line of what an error says; its kind where it says nothing."""
    return (str(error).splitlines() or [type(error).__name__])[0]


def _number_in_text(error: BaseException) -> int:
    found = _ERRNO.search(str(error)) if isinstance(error, RuntimeError) else None
    return int(found[1]) if found else 0
