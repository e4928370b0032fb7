"""The latent space of scVI (Lopez et al. 2018). Optional: needs ``pip install scvi-tools``, which nothing else does.

The settings of the training are those of the original dataset. It runs on one thread of the CPU: two threads, or a
GPU, sum in another order, and 100 epochs make another latent space of that.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any

import anndata
import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from sthelar_build.errors import ConfigError

Floats = NDArray[np.float32]
_PLAN = {
    "optimizer": "AdamW",
    "lr": 1e-4,
    "n_epochs_kl_warmup": 400,
    "reduce_lr_on_plateau": True,
    "lr_patience": 5,
    "lr_scheduler_metric": "reconstruction_loss_validation",
}
_STOP = {
    "early_stopping": True,
    "early_stopping_monitor": "reconstruction_loss_validation",
    "early_stopping_min_delta": 0.1,
    "early_stopping_patience": 10,
}
_LEAST_ROWS = 20
"""A tenth of the rows is held out to stop by; of fewer there is nothing to learn."""


def check_scvi() -> None:
    """Raise ConfigError unless scvi-tools is installed."""
    if find_spec("scvi") is None:
        raise ConfigError(
            "--table scvi: expected scvi-tools to be installed, found none; "
            "pip install scvi-tools, or leave cluster.scvi false"
        )


def scvi_latent(counts: sp.csr_matrix, dimensions: int, max_epochs: int, seed: int) -> Floats:
    """Return where scVI, trained on these raw counts (rows, genes), puts every row: (rows, dimensions).

    The mean of the latent distribution. Equal counts, settings and seed give equal places on one machine. Fewer than
    20 rows are all put at the origin.
    """
    if counts.shape[0] < _LEAST_ROWS:
        return np.zeros((counts.shape[0], dimensions), dtype=np.float32)
    table = anndata.AnnData(counts)
    with _one_quiet_thread():
        import scvi  # type: ignore[import-not-found, unused-ignore]

        scvi.settings.seed = seed
        scvi.model.SCVI.setup_anndata(table)
        model = scvi.model.SCVI(table, n_latent=dimensions)
        model.train(
            max_epochs=max_epochs,
            accelerator="cpu",
            devices=1,
            plan_kwargs=_PLAN,
            check_val_every_n_epoch=1,
            enable_checkpointing=False,
            enable_progress_bar=False,
            **_STOP,
        )
        latent: Any = model.get_latent_representation()
    return np.ascontiguousarray(latent, dtype=np.float32)


@contextmanager
def _one_quiet_thread() -> Iterator[None]:
    """Keep torch to one thread, and the chatter of lightning away."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(logging.NOTSET)
        torch.set_num_threads(before)
