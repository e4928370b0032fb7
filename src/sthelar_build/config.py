"""The whole run: what ``config/config.yaml`` may say."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import Field, ValidationError, field_validator, model_validator

from sthelar_build.errors import ConfigError
from sthelar_build.settings.annotate import AnnotateSettings
from sthelar_build.settings.assemble import AssembleSettings
from sthelar_build.settings.assess import AssessSettings
from sthelar_build.settings.base import SCALE, Settings, problems
from sthelar_build.settings.cluster import ClusterSettings
from sthelar_build.settings.collect import CollectSettings
from sthelar_build.settings.compare import CompareSettings
from sthelar_build.settings.count import CountSettings
from sthelar_build.settings.describe import DescribeSettings
from sthelar_build.settings.embed import EmbedSettings
from sthelar_build.settings.evaluate import EvaluateSettings
from sthelar_build.settings.export import ExportSettings
from sthelar_build.settings.export_slides import ExportSlidesSettings
from sthelar_build.settings.gather import GatherSettings
from sthelar_build.settings.gather_predictions import GatherPredictionsSettings
from sthelar_build.settings.ingest import IngestSettings
from sthelar_build.settings.outline import OutlineSettings
from sthelar_build.settings.preflight import PreflightSettings
from sthelar_build.settings.rasterise import RasteriseSettings
from sthelar_build.settings.refine import RefineSettings
from sthelar_build.settings.register import RegisterSettings
from sthelar_build.settings.report import ReportSettings
from sthelar_build.settings.resegment import ResegmentSettings
from sthelar_build.settings.segment import SegmentSettings
from sthelar_build.settings.simulate import SimulateSettings
from sthelar_build.settings.tile import TileSettings
from sthelar_build.settings.train import TrainSettings
from sthelar_build.settings.view import ViewSettings

PatchFormat = Literal["pannuke", "sthelar", "cellvit", "cellvit_plus", "huggingface"]
"""Formats made of patches: written once for every scale."""
SlideFormat = Literal["qupath", "explorer", "hest", "stimage"]
"""Formats made of whole slides: they have no scale, and are written once."""
ExportFormat = Literal[PatchFormat, SlideFormat]
_SCALE_WORDS = ("native", "native/2")


def _check_scale(value: str) -> str:
    if value in _SCALE_WORDS:
        return value
    try:
        um_per_px = float(value)
    except ValueError:
        um_per_px = math.nan
    if not 0 < um_per_px < 10:
        raise ValueError(f"expected native, native/2, or a number in um/px, found {value!r}")
    return value


class Config(Settings):
    """The whole run: what ``config/config.yaml`` may say."""

    slides: Path = Path("config/slides.tsv")
    """Sheet of slides."""
    references: Path = Path("config/references.tsv")
    """Sheet of reference atlases."""
    curation: Path = Path("config/curation")
    """Folder of human decisions: ``{slide}.tsv`` changes the labels of clusters or cells."""
    scales: dict[Annotated[str, Field(pattern=r"^[A-Za-z0-9]+$")], str] = {
        "40x": "native",
        "20x": "native/2",
    }
    """Name of each scale, and what it is: native (level 0), native/2, or um per px."""
    formats: tuple[ExportFormat, ...] = ("pannuke", "sthelar", "cellvit", "huggingface")
    """Dataset formats to write: pannuke, sthelar, cellvit, cellvit_plus and huggingface at every scale; qupath, explorer,
    hest and stimage, which have no scale of ours, once."""
    shards: Annotated[int, Field(ge=1, le=999)] = 1
    """Jobs that draw the masks of one slide at one scale, and that segment it, each some rows of the grid: for clusters of small nodes,
    or of several GPUs. The result is the same whatever the number; one job draws the largest slides in minutes."""
    simulate: dict[str, SimulateSettings] = {}
    """Recipes of the toy slides, by name."""
    preflight: PreflightSettings = PreflightSettings()
    resegment: ResegmentSettings = ResegmentSettings()
    ingest: IngestSettings = IngestSettings()
    count: CountSettings = CountSettings()
    register_: RegisterSettings = Field(default=RegisterSettings(), alias="register")
    annotate: AnnotateSettings = AnnotateSettings()
    cluster: ClusterSettings = ClusterSettings()
    refine: RefineSettings = RefineSettings()
    tile: TileSettings = TileSettings()
    rasterise: RasteriseSettings = RasteriseSettings()
    gather: GatherSettings = GatherSettings()
    segment: SegmentSettings = SegmentSettings()
    gather_predictions: GatherPredictionsSettings = GatherPredictionsSettings()
    assess: AssessSettings = AssessSettings()
    train: TrainSettings = TrainSettings()
    embed: EmbedSettings = EmbedSettings()
    assemble: AssembleSettings = AssembleSettings()
    view: ViewSettings = ViewSettings()
    outline: OutlineSettings = OutlineSettings()
    report: ReportSettings = ReportSettings()
    collect: CollectSettings = CollectSettings()
    export: ExportSettings = ExportSettings()
    export_slides: ExportSlidesSettings = ExportSlidesSettings()
    evaluate: EvaluateSettings = EvaluateSettings()
    compare: CompareSettings = CompareSettings()
    describe: DescribeSettings = DescribeSettings()

    @field_validator("scales")
    @classmethod
    def _known_scales(cls, scales: dict[str, str]) -> dict[str, str]:
        return {name: _check_scale(value) for name, value in scales.items()}

    @model_validator(mode="after")
    def _known_evaluated_scale(self) -> Config:
        wanted = self.evaluate.scale
        if wanted is not None and wanted not in self.scales:
            raise ValueError(
                f"expected evaluate.scale to be one of {', '.join(self.scales)}, found {wanted}; correct it"
            )
        return self

    @property
    def evaluated_scales(self) -> list[str]:
        """The scale at which a trained network is evaluated; none without a checkpoint."""
        if self.evaluate.checkpoint is None:
            return []
        return [self.evaluate.scale or next(iter(self.scales))]

    @model_validator(mode="after")
    def _features_have_a_scale(self) -> Config:
        if self.embed.scale and self.embed.scale not in self.scales:
            raise ValueError(
                f"expected embed.scale to be one of the scales {', '.join(self.scales)}, found {self.embed.scale}"
            )
        return self

    @property
    def features_scale(self) -> str:
        """Name of the scale whose patches ``embed`` looks at."""
        return self.embed.scale or next(iter(self.scales))

    @property
    def patch_formats(self) -> list[str]:
        """The formats that are written for every scale."""
        return [name for name in self.formats if name in get_args(PatchFormat)]

    @property
    def slide_formats(self) -> list[str]:
        """The formats that are written once."""
        return [name for name in self.formats if name in get_args(SlideFormat)]

    def settings_of(self, stage: str) -> Settings:
        """Return the settings of a stage by its name."""
        # ``register`` is taken: every pydantic model inherits a method of that name.
        settings: Settings = getattr(self, "register_" if stage == "register" else stage)
        return settings


def load_config(values: Mapping[str, Any]) -> Config:
    """Validate what the configuration file holds; ConfigError names every problem on one line."""
    try:
        return Config.model_validate(dict(values))
    except ValidationError as error:
        raise ConfigError(
            f"configuration: {problems(error, Config)}; every key: config/README.md"
        ) from error


def check_frozen_splits(config: Config) -> None:
    """Raise ConfigError if one file of frozen splits is to serve several scales."""
    path = config.collect.frozen_splits
    if path and len(config.scales) > 1 and SCALE not in str(path):
        raise ConfigError(
            f"configuration: collect.frozen_splits: expected {SCALE} in the path, as a file serves one of the scales "
            f"{', '.join(config.scales)}, found {str(path)!r}; give one file for each scale"
        )


def check_checkpoints(config: Config) -> None:
    """Raise ConfigError if a scale is to be segmented by a network and has none."""
    for scale in config.scales:
        if config.segment.method == "cellvit" and not config.segment.checkpoint_at(scale):
            raise ConfigError(
                f"configuration: segment.checkpoint: expected one for every scale ({', '.join(config.scales)}), found none "
                f"for {scale}; name one file for all scales, or one for each"
            )


def gpus_of(config: Config, stage: str) -> int | None:
    """Return how many GPUs a job of a stage asks its cluster for: one where its ``device`` is cuda, else None.

    ``auto`` takes a GPU where the job finds one, and asks for none. None leaves the resource unset: some clusters take 0 for a request.
    """
    values = config.settings_of(stage).model_dump()
    wanted = values.get("device") == "cuda" and values.get("engine", "exact") == "exact"
    return 1 if wanted else None


def settings_json(settings: Settings) -> str:
    """Return settings as the one-line JSON that the command line takes; equal settings give equal text."""
    return settings.model_dump_json()
