"""Run the script of docs/without_snakemake.md as it stands in a folder of its own, and compare all files with the workflow's, byte by byte."""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from small_run import ROOT, SmallRun, write_small_run

PAGE = ROOT / "docs/without_snakemake.md"


def main() -> None:
    arguments = _arguments()
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        by_hand = write_small_run(Path(folder) / "by_hand", width_um=None)
        _run_script(by_hand)
        print("script: complete", flush=True)
        workflow = write_small_run(Path(folder) / "workflow", width_um=None)
        workflow.finish_or_exit()
        expected, found = workflow.digests(), by_hand.digests()
    names = expected.keys() | found.keys()
    wrong = sorted(name for name in names if expected.get(name) != found.get(name))
    print(f"files compared {len(names)}, equal {len(names) - len(wrong)}", *wrong, sep="\n  ")
    sys.exit(bool(wrong))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, help="where the runs take place (a temporary one)")
    return parser.parse_args()


def _run_script(run: SmallRun) -> None:
    """Run every block of the page as one script; the folder gets the network that is shipped, and Snakemake is not used."""
    (run.folder / "src").symlink_to(ROOT / "src")
    blocks = re.findall(r"```bash\n(.*?)```", PAGE.read_text(), flags=re.DOTALL)
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", "\n".join(blocks)],
        cwd=run.folder,
        env=run.environment | {"PATH": f"{Path(sys.executable).parent}:{run.environment['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.exit(f"expected the script to complete\n{done.stdout}{done.stderr[-20_000:]}")


if __name__ == "__main__":
    main()
