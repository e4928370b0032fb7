"""The settings with which the toy checkpoint is trained: first from nothing, then from what came of that."""

from __future__ import annotations

from sthelar_build.settings.train import TrainSettings

_BOTH = {
    "patches_per_epoch": 240,
    "batch_size": 8,
    "weight_decay": 0.01,
    "gamma": 0.5,
    "stain_jitter": 0.25,
    "zoom": 0.5,
    "precision": "bf16",
    "half_weights": True,
}

RECIPE = {
    "first": TrainSettings(**_BOTH, epochs=40, learning_rate=0.002, patience=5),
    "second": TrainSettings(
        **_BOTH, epochs=10, learning_rate=0.001, warmup_epochs=0.5, type_entropy=2.0, patience=0
    ),
}
"""By the name of the folder; each starts from the checkpoint of the one before."""
