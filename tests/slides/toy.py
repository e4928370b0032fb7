"""For whole chains: a simulated slide taken through the real stages; ask for its fixtures (``toy``, ...)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from filelock import FileLock

from sthelar_build.config import Config
from sthelar_build.settings.simulate import SimulateSettings

SLIDE = "toy"
SCALES = {"40x": "native", "20x": "native/2"}


@dataclass(frozen=True)
class Toy:
    """Paths of a tiny slide: ``raw`` as the instrument leaves them, ``results`` as the stages do."""

    folder: Path
    recipe: SimulateSettings
    alignment: str = "alignment_matrix.csv"

    @property
    def raw(self) -> Path:
        return self.folder / "resources" / "toy" / SLIDE

    @property
    def results(self) -> Path:
        return self.folder / "results" / SLIDE

    def make(self, what: str, *outputs: str, **arguments: Any) -> None:
        """Run a stage with the default settings unless its outputs are there."""
        with FileLock(self.folder / f"{what}.lock"):
            if all((self.folder / output).exists() for output in outputs):
                return
            run: Callable[..., None] = import_module(
                f"sthelar_build.stages.{what.split('-')[0]}"
            ).run
            settings = (
                self.recipe if what == "simulate" else Config().settings_of(what.split("-")[0])
            )
            run(**arguments, settings=settings)

    def simulate(self) -> Toy:
        self.folder.mkdir(parents=True, exist_ok=True)
        truth = f"resources/toy/{SLIDE}/truth/truth.json"
        self.make("simulate", truth, out=self.raw, slide=SLIDE)
        return self

    def count(self) -> Toy:
        self.simulate()
        r = self.results
        tables = {name: r / f"{name}.parquet" for name in ("nuclei", "cells", "transcripts")}
        self.make(
            "ingest",
            f"results/{SLIDE}/bundle.json",
            xenium=self.raw / "xenium",
            bundle=r / "bundle.json",
            **tables,
        )
        self.make(
            "count",
            f"results/{SLIDE}/counts_cells.h5ad",
            bundle=r / "bundle.json",
            counts_nuclei=r / "counts_nuclei.h5ad",
            counts_cells=r / "counts_cells.h5ad",
            **tables,
        )
        return self

    def register(self) -> Toy:
        self.count()
        r = self.results
        self.make(
            "register",
            f"results/{SLIDE}/transform.json",
            he=self.raw / "he_image.ome.tif",
            xenium=self.raw / "xenium",
            bundle=r / "bundle.json",
            nuclei=r / "nuclei.parquet",
            alignment=str(self.raw / self.alignment),
            transform=r / "transform.json",
            registration=r / "registration.parquet",
            pictures=r / "registration",
        )
        return self

    def label(self) -> Toy:
        self.count()
        r = self.results
        for table in ("nuclei", "cells"):
            self.make(
                f"annotate-{table}",
                f"results/{SLIDE}/tangram_{table}.parquet",
                counts=r / f"counts_{table}.h5ad",
                reference=self.raw / "reference.h5ad",
                label_key="cell_type",
                tangram=r / f"tangram_{table}.parquet",
            )
        for table in ("nuclei", "cells", "combined"):
            self.make(
                f"cluster-{table}",
                f"results/{SLIDE}/clusters_{table}.h5ad",
                counts_nuclei=r / "counts_nuclei.h5ad",
                counts_cells=r / "counts_cells.h5ad",
                table=table,
                clusters=r / f"clusters_{table}.h5ad",
            )
        self.make(
            "refine",
            f"results/{SLIDE}/labels.parquet",
            cells=r / "cells.parquet",
            counts_cells=r / "counts_cells.h5ad",
            tangram_cells=r / "tangram_cells.parquet",
            tangram_nuclei=r / "tangram_nuclei.parquet",
            clusters_cells=r / "clusters_cells.h5ad",
            clusters_nuclei=r / "clusters_nuclei.h5ad",
            clusters_combined=r / "clusters_combined.h5ad",
            tissue="Breast",
            condition="cancer",
            labels=r / "labels.parquet",
            evidence=r / "evidence.parquet",
            overrides=r / "overrides.parquet",
            pictures=r / "refine",
        )
        return self

    def assess(self) -> Toy:
        self.register()
        self.label()
        for scale in SCALES:
            self._assess(scale)
        return self

    def _assess(self, scale: str) -> None:
        r = self.results
        patches = r / f"patches_{scale}.parquet"
        masks = r / f"masks_{scale}"
        predictions = r / f"predictions_{scale}"
        he = self.raw / "he_image.ome.tif"
        transform = r / "transform.json"
        self.make(
            f"tile-{scale}",
            f"results/{SLIDE}/{patches.name}",
            he=he,
            transform=transform,
            transcripts=r / "transcripts.parquet",
            scale=SCALES[scale],
            patches=patches,
        )
        self.make(
            f"rasterise-{scale}",
            f"results/{SLIDE}/{masks.name}/manifest.json",
            nuclei=r / "nuclei.parquet",
            labels=r / "labels.parquet",
            transform=transform,
            patches=patches,
            masks=masks,
        )
        self.make(
            f"segment-{scale}",
            f"results/{SLIDE}/{predictions.name}/manifest.json",
            he=he,
            patches=patches,
            predictions=predictions,
            instance_maps=r / f"instance_map_predictions_{scale}.h5",
        )
        self.make(
            f"assess-{scale}",
            f"results/{SLIDE}/metrics_{scale}.parquet",
            masks=masks / "manifest.json",
            patches=patches,
            predictions=predictions / "manifest.json",
            tissue="Breast",
            metrics=r / f"metrics_{scale}.parquet",
            displacement=r / f"metrics_{scale}_displacement.parquet",
        )
