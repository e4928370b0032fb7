"""A scratch folder that outlives the process: whoever does the same work again goes on where it ended."""

from __future__ import annotations

import fcntl
import hashlib
import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from glob import escape
from pathlib import Path
from typing import Any

from sthelar_build.errors import InputError, SthelarError, machine_refusal
from sthelar_build.io.atomic import make_parent

_LOCK = "busy"
_DIGITS = 16


@contextmanager
def resumable(final: Path, work: Mapping[str, Any]) -> Iterator[Path]:
    """Yield a folder beside ``final``, empty or as a killed process left it; it is removed when the block succeeds.

    Parameters
    ----------
    final
        What is being made. The folder is ``.{name}.unfinished-{digest}``: a declared output of a job would be removed by
        Snakemake when the job fails.
    work
        All that decides the result, as JSON: other work never finds the folder, and removes it once it is done.

    Notes
    -----
    Whatever ends the block but a mistake of the user leaves the folder for the next one. Two processes at the same
    work are refused, where the file system has locks.
    """
    make_parent(final)
    text = json.dumps(work, sort_keys=True)
    digest = hashlib.sha256(text.encode()).hexdigest()[:_DIGITS]
    prefix = f".{final.name}.unfinished-"
    folder = final.parent / f"{prefix}{digest}"
    folder.mkdir(exist_ok=True)
    with (folder / _LOCK).open("w") as lock:
        _take(lock, folder)
        try:
            yield folder
        except SthelarError:
            shutil.rmtree(folder)
            raise
        except Exception as error:
            if machine_refusal(error):
                error.add_note(
                    f"what is done is kept in {folder}, and the next run goes on from there"
                )
            raise
        shutil.rmtree(folder)
    _remove_others(final.parent, prefix)


def remembered(scratch: Path, name: str, value: Any, renew: bool = False) -> Any:
    """Return what a process noted under ``name`` in its folder; ``value``, as JSON has it, if none did.

    With ``renew``, note ``value`` first.
    """
    path = scratch / f"{name}.json"
    if renew:
        draft = path.with_suffix(".part")
        draft.write_text(json.dumps(value), encoding="utf-8")
        draft.rename(path)
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else value


def _take(lock: Any, folder: Path) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise InputError(
            f"{folder}: expected nobody at this work, found a process that is still at it; wait for it or end it"
        ) from error
    except OSError:
        # Some file systems have no locks.
        return


def _remove_others(parent: Path, prefix: str) -> None:
    for path in parent.glob(f"{escape(prefix)}*/{_LOCK}"):
        with suppress(OSError), path.open("r+") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(path.parent, ignore_errors=True)
