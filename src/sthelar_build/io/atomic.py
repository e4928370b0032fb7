"""Publish a file or a folder whole, or not at all."""

from __future__ import annotations

import errno
import fcntl
import secrets
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from glob import escape
from pathlib import Path

from sthelar_build.errors import InputError, machine_refusal

_LOCK = "lock"


@contextmanager
def published(final: Path) -> Iterator[Path]:
    """Yield a scratch path beside ``final``; move it into place only if the block succeeds.

    Works for files and folders. A folder that stands at ``final`` (Snakemake makes the parents of
    declared outputs) is replaced as a whole; what stood there before survives a failure. A process
    that is killed leaves its scratch folder; the next one that publishes ``final`` removes it. What the machine
    refuses, such as a full disk, is an OSError that names ``final``, whichever library met it.
    """
    make_parent(final)
    _remove_abandoned(final)
    # Named before it is made: whenever a signal comes, it is known what to remove.
    scratch = final.parent / f".{final.name}.{secrets.token_hex(8)}"
    try:
        with _naming(final), _makeable(final):
            scratch.mkdir(mode=0o700)
        with _naming(final), _locked(scratch):
            draft = scratch / final.name
            yield draft
            if final.is_dir() and draft.is_dir():
                final.rename(scratch / "previous")
            draft.rename(final)
    finally:
        if _exists(scratch):
            shutil.rmtree(scratch)


def _exists(path: Path) -> bool:
    """Return whether there is something; there is none where a name is too long to be one."""
    try:
        return path.exists()
    except OSError:
        return False


@contextmanager
def published_together(*finals: Path) -> Iterator[list[Path]]:
    """Yield a scratch path for each; all are moved into place once the block succeeds, none if it fails."""
    with ExitStack() as publishing:
        yield [publishing.enter_context(published(final)) for final in finals]


def make_parent(final: Path) -> None:
    """Make the folder in which something is to be published.

    NotADirectoryError if a file stands there, InputError if the place takes no folders at all (``/proc``).
    """
    try:
        with _makeable(final):
            final.parent.mkdir(parents=True, exist_ok=True)
    except FileExistsError as error:
        raise NotADirectoryError(errno.ENOTDIR, str(error), str(final.parent)) from error


@contextmanager
def _makeable(final: Path) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:
        raise InputError(
            f"{final}: expected a place where files can be made, found that {error.filename} cannot be; write elsewhere"
        ) from error


@contextmanager
def _naming(final: Path) -> Iterator[None]:
    """Name the final place in what the machine refuses there; a refusal elsewhere has a name of its own."""
    try:
        yield
    except Exception as error:
        refusal = machine_refusal(error)
        beside = str(final.parent / f".{final.name}.")
        if refusal is None or not str(refusal.filename or beside).startswith(beside):
            raise
        raise OSError(refusal.errno, str(error), str(final)) from error


@contextmanager
def _locked(scratch: Path) -> Iterator[None]:
    """Hold a lock in the scratch folder; it ends with the process, however that ends, on whatever machine."""
    with (scratch / _LOCK).open("w") as lock:
        # Some file systems have no locks: there nothing counts as abandoned.
        with suppress(OSError):
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _remove_abandoned(final: Path) -> None:
    for lock in final.parent.glob(f".{escape(final.name)}.*/{_LOCK}"):
        if _is_free(lock):
            shutil.rmtree(lock.parent, ignore_errors=True)


def _is_free(path: Path) -> bool:
    with suppress(OSError), path.open("r+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    return False
