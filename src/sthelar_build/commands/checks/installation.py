"""Whether everything is installed that the run needs."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from importlib.util import find_spec
from platform import python_version

from sthelar_build.config import Config, gpus_of
from sthelar_build.core.checkup import Line, package_lines
from sthelar_build.io.environment import installed_version, locked_versions, required_packages
from sthelar_build.stages import STAGES


def check_installation(config: Config | None) -> Iterator[Line]:
    """Yield what is installed; ``config`` says what else is needed, None where it cannot be read."""
    yield Line("ok", "Python", python_version())
    required = required_packages()
    installed = {name: installed_version(name) for name in required}
    yield from package_lines(required, installed, locked_versions())
    yield _snakemake()
    yield from _torch(config)
    yield from _extras(config or Config())


def _snakemake() -> Line:
    if shutil.which("snakemake"):
        return Line("ok", "Snakemake", installed_version("snakemake") or "found")
    return Line(
        "problem",
        "Snakemake",
        "expected the command snakemake on the path, found none",
        "activate the environment: source .venv/bin/activate",
    )


def _torch(config: Config | None) -> Iterator[Line]:
    try:
        from sthelar_build.adapters.cellvit.devices import devices_here
    except (ImportError, OSError) as error:
        yield Line("problem", "torch", f"cannot be loaded: {error}", "install it again: make .venv")
        return
    there = devices_here()
    best = next(name for name, found in there.items() if found)
    yield Line("ok", "torch", f"{installed_version('torch')}, runs on {best}")
    with_settings = [stage for stage in STAGES if stage != "simulate"]
    asking = [stage for stage in with_settings if config and gpus_of(config, stage)]
    if asking and not there["cuda"]:
        yield Line(
            "warning",
            "GPU",
            f"the configuration says device: cuda for {', '.join(asking)}, and there is none here",
            "run them where there is one (docs/cluster.md), or say device: auto",
        )


def _extras(config: Config) -> Iterator[Line]:
    """Yield the packages that only some configurations need, and that are not there."""
    models = config.embed.models.values()
    needed = {
        "cellpose": (config.resegment.source == "cellpose", "resegment.source", "segment"),
        "transformers": (
            any(model.kind == "transformers" for model in models),
            "embed.models",
            "features",
        ),
        "scvi": (config.cluster.scvi, "cluster.scvi", ""),
    }
    for package, (wanted, key, extra) in needed.items():
        if wanted and find_spec(package) is None:
            install = "scvi-tools" if package == "scvi" else f'".[{extra}]"'
            yield Line(
                "problem",
                package,
                f"{key} asks for it, and it is not installed",
                f"pip install {install}, or change {key}",
            )
