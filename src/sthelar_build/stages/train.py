"""Train a network of the CellViT family on exported patches, and say how good it is on those kept aside."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Annotated, Any

from sthelar_build.errors import ConfigError
from sthelar_build.io.provenance import Provenance, provenance
from sthelar_build.io.records import write_record
from sthelar_build.io.scratch import resumable
from sthelar_build.options import InFiles, MaybeInFile, OutFile, Threads, as_json
from sthelar_build.settings.train import TrainSettings

if TYPE_CHECKING:
    from sthelar_build.adapters.cellvit_training.session import Trained
    from sthelar_build.io.cellvit_export import Export

logger = logging.getLogger(__name__)


def run(
    dataset: InFiles,
    checkpoint: OutFile,
    evaluation: OutFile,
    settings: Annotated[TrainSettings, as_json(TrainSettings)],
    start: MaybeInFile = None,
    threads: Threads = 1,
) -> None:
    """Train on one or more datasets in the format cellvit: their folders, or the manifests in them.

    A training that was killed goes on after its last epoch when it is called again with the same datasets and settings.
    """
    import torch

    from sthelar_build.adapters.cellvit.checkpoint import open_checkpoint
    from sthelar_build.adapters.cellvit_training.dataset import open_exports
    from sthelar_build.adapters.cellvit_training.evaluation import table_lines
    from sthelar_build.adapters.cellvit_training.session import evaluate, train
    from sthelar_build.adapters.cellvit_training.weights import write_checkpoint

    if settings.start and not start:
        raise ConfigError(
            f"--start: expected the checkpoint that train.start names ({settings.start}), found none; name it"
        )
    torch.set_num_threads(threads)
    exports = open_exports([path if path.is_dir() else path.parent for path in dataset])
    first = open_checkpoint(start, trusted=settings.trust_start) if start else None
    source = provenance("train", settings, _inputs(exports) | {"start": start})
    with resumable(checkpoint, source) as folder:
        trained = train(exports, first, settings, folder, threads)
        found = evaluate(trained, exports, threads)
        for line in table_lines(found):
            logger.info("%s", line)
        record = {"best_epoch": trained.done.best_epoch, **found, "history": trained.done.history}
        write_record(evaluation, record, source)
        write_checkpoint(
            checkpoint,
            trained.network,
            _config(trained, exports, source, found),
            trained.done.best_epoch,
            half=settings.half_weights,
        )


def _inputs(exports: list[Export]) -> dict[str, Any]:
    """Return the files that say what is learnt from: our manifests have checksums of all others."""
    return {
        f"dataset_{number}": manifest if manifest.is_file() else export.folder / "labels.zip"
        for number, export in enumerate(exports, start=1)
        for manifest in [export.folder / "manifest.json"]
    }


def _config(
    trained: Trained, exports: list[Export], source: Provenance, found: dict[str, Any]
) -> dict[str, Any]:
    """Return the config of the checkpoint: the public keys, then what it was made of and how good it is."""
    from sthelar_build.adapters.cellvit_training.weights import flat_config

    facts = {
        "data": {"magnification": trained.magnifications[0]},
        "transformations": {
            "normalize": {"mean": list(trained.how.mean), "std": list(trained.how.std)}
        },
        "training": {"mixed_precision": trained.how.precision == "fp16"},
        "dataset_config": {
            "nuclei_types": exports[0].nuclei_types,
            "tissue_types": exports[0].tissue_types,
        },
        "sthelar": {"provenance": source, "test": found},
    }
    return flat_config(trained.network.architecture, facts)
