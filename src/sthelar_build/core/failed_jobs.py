"""The jobs that failed, read off the log of Snakemake."""

from __future__ import annotations

import re
from typing import NamedTuple

_RULE = re.compile(r"^(?:Error in |\s+)rule (\w+):$")
"""A job, or one of a group of jobs; where a job starts the word stands at the beginning of the line."""
_JOB = re.compile(r"^\s+jobid: (\d+)$")
_LOG = re.compile(r"^\s+log: (.+?) \(check log file")
_FINISHED = re.compile(r"^Finished jobid: (\d+)\b")


class FailedJob(NamedTuple):
    """A job that failed, and did not succeed when it was tried again."""

    rule: str
    log: str
    """Path of its log; empty where it has none."""

    @property
    def of(self) -> str:
        """The slide that it is of, or ``dataset``: the folder of its log."""
        return self.log.split("/")[-2] if self.log.count("/") else ""


def failed_jobs(text: str) -> list[FailedJob]:
    r"""Return the failed jobs in the order in which they failed first; those that a retry saved are left out.

    >>> failed_jobs("Error in rule tile:\n    jobid: 3\n    log: logs/s1/tile_40x.log (check log file(s) ...)\n")
    [FailedJob(rule='tile', log='logs/s1/tile_40x.log')]
    """
    failed: dict[int, FailedJob] = {}
    rule, job = "", -1
    for line in text.splitlines():
        if found := _FINISHED.match(line):
            failed.pop(int(found[1]), None)
        elif found := _RULE.match(line):
            rule = found[1]
        elif rule and (found := _JOB.match(line)):
            job = int(found[1])
            failed.setdefault(job, FailedJob(rule, ""))
        elif rule and (found := _LOG.match(line)):
            failed[job] = FailedJob(rule, found[1].split(", ")[0])
            rule = ""
        elif line and not line.startswith(" "):
            rule = ""
    return list(failed.values())
