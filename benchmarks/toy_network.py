"""The toy checkpoint: how it is made, and how good it is on the toy slides, which it has never seen.

``python benchmarks/toy_network.py make FOLDER`` makes it anew, in about half an hour on two quiet cores:

1. seven simulated slides, both tissues, 0.25 to 0.5 um per px, other seeds and stains than the toy slides: their configuration is
   written to ``FOLDER/config`` (``toy_network_cases/slides.py``);
2. the workflow, from raw bundles to the format cellvit, at both scales;
3. ``sthelar-build train``, twice, with the settings of ``toy_network_cases/recipe.py``; what a kill leaves is gone on from.

It ends as ``FOLDER/second/checkpoint.pth``; ``--ship`` copies it to where the package has it.

``python benchmarks/toy_network.py`` judges it: Dice and bPQ per toy slide and scale, the network and the classical method on the same
patches against the same masks, and the time of one core. Needs a finished ``make toy`` (``--run``). What it printed for the shipped
checkpoint stands in docs/training.md.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path

import torch
from toy_network_cases.judge import judge
from toy_network_cases.recipe import RECIPE
from toy_network_cases.slides import write_configuration

from sthelar_build.adapters.cellvit.checkpoint import open_checkpoint
from sthelar_build.adapters.cellvit.predictor import Predictor
from sthelar_build.settings.checkpoints import TOY_CHECKPOINT

ROOT = Path(__file__).parents[1]
_SCALES = ("40x", "20x")


def main() -> None:
    arguments = _arguments()
    if arguments.what == "make":
        make(arguments.folder.resolve(), arguments.cores, ship=arguments.ship)
    else:
        show(arguments.run, arguments.checkpoint, arguments.precision)


def make(folder: Path, cores: int, *, ship: bool) -> None:
    """Simulate, run the workflow, train."""
    write_configuration(folder)
    exports = [f"results/dataset/{scale}/cellvit/manifest.json" for scale in _SCALES]
    workflow = ["snakemake", "--snakefile", str(ROOT / "Snakefile"), "--directory", str(folder)]
    _run([*workflow, "--cores", str(cores), "--workflow-profile", "none", "--", *exports], folder)
    checkpoint = None
    for name, settings in RECIPE.items():
        checkpoint = _train(folder, name, settings.model_dump_json(), exports, checkpoint, cores)
    if ship and checkpoint:
        TOY_CHECKPOINT.parent.mkdir(exist_ok=True)
        shutil.copyfile(checkpoint, TOY_CHECKPOINT)


def _train(
    folder: Path, name: str, settings: str, exports: list[str], start: Path | None, cores: int
) -> Path:
    """Train once, unless it has been done; return the checkpoint."""
    checkpoint = folder / name / "checkpoint.pth"
    if not checkpoint.exists():
        command = ["sthelar-build", "train", "--checkpoint", str(checkpoint)]
        command += [word for path in exports for word in ("--dataset", path)]
        command += ["--start", str(start)] if start else []
        command += ["--evaluation", str(checkpoint.with_name("evaluation.json"))]
        _run([*command, "--threads", str(cores), "--settings", settings], folder)
    return checkpoint


def show(run: Path, checkpoint: Path, precision: str) -> None:
    """Print a line for every slide and scale of a finished run."""
    torch.set_num_threads(1)
    predictor = Predictor(open_checkpoint(checkpoint), "cpu", precision)
    print(f"{checkpoint}: {checkpoint.stat().st_size / 2**20:.2f} MB, {precision}")
    print(
        "slide        scale  um/px  patches   Dice: network  classical   bPQ: network  classical   ms/patch: network  classical"
    )
    for one in judge(run, predictor):
        network, classical = one.network, one.classical
        print(
            f"{one.slide:12s} {one.scale:5s}  {one.um_per_px:5.3f}  {one.n_patches:7d}"
            f"  {network.dice:14.3f}  {classical.dice:9.3f}  {network.bpq:13.3f}  {classical.bpq:9.3f}"
            f"  {network.ms_per_patch:18.1f}  {classical.ms_per_patch:9.1f}",
            flush=True,
        )


def _run(command: list[str], folder: Path) -> None:
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), os.environ.get("PYTHONPATH", "")]),
        # Threads that spin while they wait take the cores from those that work.
        "OMP_WAIT_POLICY": "PASSIVE",
    }
    done = subprocess.run(command, cwd=folder, env=environment, check=False)
    if done.returncode:
        sys.exit(done.returncode)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", nargs="?", choices=("judge", "make"), default="judge")
    parser.add_argument(
        "folder", nargs="?", type=Path, default=Path("results/benchmarks/toy_network")
    )
    parser.add_argument("--cores", type=int, default=2)
    parser.add_argument("--ship", action="store_true", help="copy what was made into the package")
    parser.add_argument("--run", type=Path, default=Path(), help="folder of a finished make toy")
    parser.add_argument("--checkpoint", type=Path, default=TOY_CHECKPOINT)
    parser.add_argument("--precision", choices=("fp32", "bf16"), default="fp32")
    return parser.parse_args()


if __name__ == "__main__":
    main()
