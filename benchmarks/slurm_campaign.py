"""Build a small toy slide through a real Slurm, while a job is cancelled and the node drained; compare with a local run.

Needs a Slurm that answers, whose node this is: ``scontrol`` must be allowed to drain it, and the folder must be seen by it. The
profile is ``profiles/slurm``; from the command line come what a small Slurm lacks (accounts, eight cores, memory for a third
attempt). A job is cancelled in mid-run (as one that outgrows its memory is killed), and must come again with more memory. Then the node is drained: what runs
ends, nothing starts, Snakemake waits. It is resumed, and the run must complete with the files of a local run, byte by byte.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import psutil
from small_run import ROOT, SmallRun, write_small_run


def main() -> None:
    arguments = _arguments()
    if subprocess.run(["scontrol", "ping"], capture_output=True, check=False).returncode:
        sys.exit("expected a Slurm that answers, found none; start one, or run this on a cluster")
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        local = (
            SmallRun(arguments.local)
            if arguments.local
            else write_small_run(Path(folder) / "local")
        )
        local.finish_or_exit()
        print("local run: complete", flush=True)
        run = write_small_run(Path(folder) / "slurm")
        run.words = _words(arguments.partition, arguments.victim)
        process = run.start()
        try:
            first, second = _cancel(process, arguments.victim)
            print(f"{arguments.victim}: cancelled with {first}, came again with {second}")
            waited = _drain(process, arguments.node, arguments.drained_s)
            print(f"{arguments.node}: drained {waited} s, nothing started; resumed", flush=True)
            status = process.wait()
        finally:
            if process.poll() is None:
                process.terminate()
        expected = local.digests()
        same = run.digests() == expected
        submitted = len(set(re.findall(r"SLURM jobid (\d+)", (run.folder / "run.log").read_text())))
        said = f"{len(expected)} files, {'the same' if same else 'NOT the same'}"
        print(f"exit {status}, jobs submitted {submitted}, {said}")
        if left := run.left_over():
            print(f"left over: {left}")
        if status or not same:
            print((run.folder / "run.log").read_text()[-20_000:])
    sys.exit(status or not same)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--partition", default="main", help="of the jobs (main)")
    parser.add_argument("--node", default=_host(), help="the node that is drained (this machine)")
    parser.add_argument(
        "--victim", default="annotate", help="rule whose job is cancelled (annotate)"
    )
    parser.add_argument("--drained-s", type=int, default=30, help="how long, in s (30)")
    parser.add_argument("--local", type=Path, help="a finished run of the same code (one is made)")
    parser.add_argument("--folder", type=Path, help="where the runs take place (a temporary one)")
    return parser.parse_args()


def _host() -> str:
    return subprocess.check_output(["hostname", "-s"], text=True).strip()


def _words(partition: str, victim: str) -> tuple[str, ...]:
    return (
        *(
            "--workflow-profile",
            str(ROOT / "profiles/slurm"),
            "--jobs",
            "2",
            "--latency-wait",
            "10",
        ),
        *(
            "--default-resources",
            f"slurm_partition={partition}",
            "mem_mb=4000*attempt",
            "runtime=60",
        ),
        *("--set-resources", f"{victim}:mem_mb=3000*attempt"),
        *("--set-threads", "rasterise=2"),
        *("--slurm-no-account", "--slurm-status-command", "squeue"),
        *("--slurm-init-seconds-before-status-checks", "2"),
    )


def _jobs() -> dict[int, dict[str, str]]:
    """Return what Slurm says of every job that it remembers, by number."""
    text = subprocess.run(
        ["scontrol", "-o", "show", "job"], capture_output=True, text=True, check=False
    )
    found = [dict(re.findall(r"(\w+)=(\S+)", line)) for line in text.stdout.splitlines()]
    return {int(job["JobId"]): job for job in found if "JobId" in job}


def _wait_for(process: psutil.Popen, what: str, seen: Callable[[], int | None]) -> int:
    while process.poll() is None:
        if (found := seen()) is not None:
            return found
        time.sleep(0.5)
    sys.exit(f"expected {what}, found that the run ended with {process.returncode}")


def _of_rule(rule: str, state: str, after: int = 0) -> Callable[[], int | None]:
    def seen() -> int | None:
        for number, job in sorted(_jobs().items()):
            named = job.get("Comment", "").removeprefix("rule_").startswith(rule)
            if number > after and named and job["JobState"] == state:
                return number
        return None

    return seen


def _cancel(process: psutil.Popen, rule: str) -> tuple[str, str]:
    """Cancel a running job of a rule; return the memory that it had, and that of the next of the rule that has more."""
    last = max(_jobs(), default=0)
    victim = _wait_for(process, f"a job of {rule}", _of_rule(rule, "RUNNING", last))
    had = _jobs()[victim]["MinMemoryNode"]
    subprocess.run(["scancel", str(victim)], check=True)

    def more() -> int | None:
        jobs = {
            n: job for n, job in _jobs().items() if n > victim and rule in job.get("Comment", "")
        }
        return next((n for n, job in jobs.items() if job["MinMemoryNode"] != had), None)

    again = _wait_for(process, f"{rule} again with more memory", more)
    return had, _jobs()[again]["MinMemoryNode"]


def _drain(process: psutil.Popen, node: str, seconds: int) -> int:
    """Drain the node for a while; end the campaign if a job starts on it meanwhile, or Snakemake gives up."""
    _set_state(node, "drain")
    try:
        started = {n for n, job in _jobs().items() if job["JobState"] != "PENDING"}
        time.sleep(seconds)
        now = {n for n, job in _jobs().items() if job["JobState"] != "PENDING"}
    finally:
        _set_state(node, "resume")
    if now - started or process.poll() is not None:
        sys.exit(f"expected a run that waits for {node}, found jobs {now - started} started")
    return seconds


def _set_state(node: str, state: str) -> None:
    words = ["scontrol", "update", f"nodename={node}", f"state={state}", "reason=campaign"]
    subprocess.run(words, check=True)


if __name__ == "__main__":
    main()
