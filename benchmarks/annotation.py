"""How many cells get their class, on simulated slides whose types are known.

Every case is simulated once and kept in a folder, with what the stages make of it: a change of ``refine`` alone is
measured in seconds (``--stages refine``). Side by side stand Tangram alone, the markers of the cluster alone, and the
refined label; the last lines hold the targets against what was found. ``--detail`` shows where the errors of a case
are, ``--twice`` whether a second run, with two threads, gives the same labels.
"""

from __future__ import annotations

import argparse
import json
import logging
import tempfile
import time
from fnmatch import fnmatch
from pathlib import Path

from annotation_cases.detail import print_detail
from annotation_cases.files import is_made, make_case
from annotation_cases.outcome import outcome
from annotation_cases.plan import plans
from annotation_cases.run import STAGES, run_stages, same_labels
from annotation_cases.summary import HEAD, line, print_summary


def main() -> None:
    arguments = _arguments()
    chosen = {name: plan for name, plan in plans().items() if fnmatch(name, arguments.only)}
    settings = json.loads(arguments.settings)
    found = {}
    print(HEAD, flush=True)
    for name, plan in chosen.items():
        start = time.perf_counter()
        folder = arguments.cases / name
        again = set(arguments.stages)
        if not is_made(folder, plan):
            make_case(folder, plan)
            again = set(STAGES)
        run_stages(folder, plan, settings, again, arguments.threads)
        found[name] = outcome(folder, plan)
        print(line(name, found[name], time.perf_counter() - start), flush=True)
        if arguments.detail:
            print_detail(folder)
        if arguments.twice:
            with tempfile.TemporaryDirectory() as scratch:
                same = same_labels(folder, Path(scratch), plan, settings)
            print(f"{name}: labels with 1 and 2 threads are {'equal' if same else 'DIFFERENT'}")
    print_summary(found, {name: plans()[name] for name in found})


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    folder = Path("results/benchmarks/annotation")
    parser.add_argument(
        "--cases", type=Path, default=folder, help=f"folder of the cases ({folder})"
    )
    parser.add_argument("--only", default="*", help="names of the cases, as a pattern (*)")
    parser.add_argument(
        "--stages",
        nargs="*",
        choices=STAGES,
        default=STAGES,
        help="stages to run again; the others run where their files are not there (all)",
    )
    parser.add_argument(
        "--settings",
        default="{}",
        help='what differs from the defaults, as JSON: {"refine": {"min_marker_score": 1.5}}',
    )
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--detail", action="store_true", help="show where the errors are")
    parser.add_argument("--twice", action="store_true", help="run all again with 2 threads")
    return parser.parse_args()


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING)
    main()
