"""Faults of the machine in mid-run: each must be said on one clear line, and the run complete with the same files after the remedy.

A second workflow in the same folder; an input, then an output, whose date lies in the future; a disk that fills up (a small
tmpfs where one may mount it; a limit on the size of files, ``ulimit -f``, everywhere); an image that vanishes. All take place in
copies of one finished run, from which the masks and all that follows have been taken away; after the remedy all
files must be those of the undisturbed run, byte by byte, with no draft left.
"""

from __future__ import annotations

import argparse
import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import yaml
from small_run import SLIDE, SmallRun, jobs, write_small_run

HE = f"resources/toy/{SLIDE}/he_image.ome.tif"
DAY_S = 86_400
LARGEST_FILE = 200_000


def main() -> None:
    arguments = _arguments()
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        base = _undisturbed(Path(folder), arguments.finished)
        tried = survived = 0
        for name, fault in FAULTS.items():
            if name not in (arguments.only or FAULTS):
                continue
            run = _copy(base, Path(folder) / "copy")
            said = fault(run)
            good = bool(said) and _same(base, run)
            tried, survived = tried + 1, survived + good
            print(f"{name}: {'survived' if good else 'NOT SURVIVED'}; it said: {said}", flush=True)
            _unmount(run)
            shutil.rmtree(run.folder)
        print(f"faults tried {tried}, survived {survived}")
    sys.exit(tried != survived)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=FAULTS, action="append", help="this fault (all)")
    parser.add_argument(
        "--finished", type=Path, help="a finished run of the same code (one is made)"
    )
    parser.add_argument("--folder", type=Path, help="where the runs take place (a temporary one)")
    return parser.parse_args()


def _undisturbed(folder: Path, finished: Path | None) -> SmallRun:
    """Return a finished run whose slide is no product of the workflow."""
    if finished:
        shutil.copytree(finished, folder / "base")
        run = SmallRun(folder / "base")
    else:
        run = write_small_run(folder / "base")
        run.finish_or_exit(HE)
    config = yaml.safe_load((run.folder / "config/config.yaml").read_text())
    config.pop("simulate")
    (run.folder / "config/config.yaml").write_text(yaml.safe_dump(config))
    run.finish_or_exit()
    return run


def _copy(base: SmallRun, folder: Path) -> SmallRun:
    """Copy a finished run, dates and all, without its grid of patches and all that follows from it."""
    shutil.copytree(base.folder, folder)
    slide = folder / "results" / SLIDE
    for path in [*slide.glob("*_40x*"), slide / f"sdata_{SLIDE}.zarr", folder / "results/dataset"]:
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    return SmallRun(folder)


def _second_workflow(run: SmallRun) -> str:
    first = run.start()
    while not jobs(first) and first.poll() is None:
        time.sleep(0.05)
    second = run.finish()
    alive = first.poll() is None
    first.wait()
    return _line(second.stderr + second.stdout, "lock") if second.returncode == 1 and alive else ""


def _input_in_the_future(run: SmallRun) -> str:
    return _in_the_future(run, run.folder / HE, HE)


def _output_in_the_future(run: SmallRun) -> str:
    path = f"results/{SLIDE}/transform.json"
    return _in_the_future(run, run.folder / path, path)


def _in_the_future(run: SmallRun, path: Path, named: str) -> str:
    """Run with a file that is newer than now, which is refused; then date it back."""
    before = path.stat().st_mtime
    os.utime(path, (before, time.time() + DAY_S))
    done = run.finish()
    os.utime(path, (before, before))
    return _line(done.stderr, f"{named}: expected a date") if done.returncode == 1 else ""


def _large_files_refused(run: SmallRun) -> str:
    """Forbid files of more than some size, in Snakemake and all that it starts; then allow them."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (LARGEST_FILE, limits[1]))
    try:
        done = run.finish()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    run.finish_or_exit()
    return _line(_logs(run, done), r"^error:.*File too large") if done.returncode == 1 else ""


def _full_disk(run: SmallRun) -> str:
    """Put the results on a disk with room for what is there and little more; then give it room."""
    results, aside = run.folder / "results", run.folder / "aside"
    results.rename(aside)
    results.mkdir()
    used = sum(path.stat().st_blocks * 512 for path in aside.rglob("*"))
    _mount(results, f"size={used + 2_000_000}")
    shutil.copytree(aside, results, dirs_exist_ok=True)
    shutil.rmtree(aside)
    done = run.finish()
    _mount(results, "remount,size=2g")
    run.finish_or_exit()
    return _line(_logs(run, done), r"^error:.*No space left") if done.returncode == 1 else ""


def _mount(folder: Path, options: str) -> None:
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)], check=True)


def _unmount(run: SmallRun) -> None:
    if (run.folder / "results").is_mount():
        subprocess.run(["umount", str(run.folder / "results")], check=True)


def _vanished_input(run: SmallRun) -> str:
    """Take the image away while a job is at work; then bring it back."""
    he, aside = run.folder / HE, run.folder / "aside.tif"
    process = run.start()
    while not jobs(process) and process.poll() is None:
        time.sleep(0.05)
    he.rename(aside)
    status = process.wait()
    said = _line(_logs(run), rf"(error:|MissingInput|    ).*{HE}")
    aside.rename(he)
    run.finish_or_exit()
    return said if status == 1 else ""


def _logs(run: SmallRun, done: subprocess.CompletedProcess[str] | None = None) -> str:
    texts = [path.read_text() for path in run.folder.glob("logs/*/*.log")]
    told = [done.stderr, done.stdout] if done else [(run.folder / "run.log").read_text()]
    return "\n".join([*texts, *told])


def _line(text: str, pattern: str) -> str:
    """Return the first line that has the pattern."""
    found = re.search(pattern, text, flags=re.MULTILINE)
    if not found:
        sys.stderr.write(f"no line with {pattern!r} in:\n{text[-3000:]}\n")
        return ""
    start = text.rfind("\n", 0, found.end()) + 1
    return text[start:].split("\n", 1)[0].strip()


def _same(base: SmallRun, run: SmallRun) -> bool:
    run.finish_or_exit()
    expected, found = base.digests(), run.digests()
    names = expected.keys() | found.keys()
    wrong = sorted(name for name in names if expected.get(name) != found.get(name))
    for name in [*wrong, *map(str, run.left_over())]:
        print(f"  expected the same as undisturbed, and nothing left over, found {name}")
    return not wrong and not run.left_over()


FAULTS: dict[str, Callable[[SmallRun], str]] = {
    "second workflow": _second_workflow,
    "input in the future": _input_in_the_future,
    "output in the future": _output_in_the_future,
    "large files refused": _large_files_refused,
    "vanished input": _vanished_input,
} | ({"full disk": _full_disk} if os.geteuid() == 0 else {})


if __name__ == "__main__":
    main()
