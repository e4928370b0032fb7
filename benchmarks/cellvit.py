"""Speed of CellViT inference, and what reduced precision does to the masks.

On a CPU: CellViT-256, batches of 4 patches of 256 px; the naive form (skip decoders run for each branch, batch norms kept, rows
of channels apart in memory) against ours at float32 and bfloat16. With ``--device cuda``: patches per second of CellViT-256 and
CellViT-SAM-H at several batches and precisions. Weights are drawn from their names, unless ``--checkpoint`` gives a file.
"""

from __future__ import annotations

import argparse
import itertools
import tempfile
import time
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from figures import Figure, add_figures, add_json
from numpy.typing import NDArray
from torch import Tensor

from sthelar_build.adapters.cellvit.architecture import architecture_of
from sthelar_build.adapters.cellvit.checkpoint import Checkpoint, open_checkpoint
from sthelar_build.adapters.cellvit.network import BINARY, HV, TYPES, CellViT, build_network
from sthelar_build.adapters.cellvit.predictor import NetworkMaps, Predictor

SIDE_PX = 256
NETWORKS = {"CellViT-256": ("CellViT256", "ViT256"), "CellViT-SAM-H": ("CellViTSAM", "SAM-H")}


def drawn(name: str, like: Tensor) -> Tensor:
    """Return weights that depend on nothing but their name, of a size that keeps the maps alive to the end."""
    rng, shape = np.random.default_rng(zlib.crc32(name.encode())), tuple(like.shape)
    if name.endswith("num_batches_tracked"):
        return torch.zeros(shape, dtype=torch.int64)
    if name.endswith("running_var"):
        values = rng.uniform(0.5, 1.5, shape)
    elif len(shape) == 1 and name.endswith("weight"):
        values = rng.uniform(0.8, 1.2, shape)
    elif len(shape) < 2 or "pos" in name or name.endswith("cls_token"):
        values = rng.normal(0, 0.1, shape)
    else:
        # only transposed convolutions are 2 x 2, and theirs come first
        n_in = shape[0] if shape[-1] == 2 else np.prod(shape[1:])
        values = rng.normal(0, np.sqrt(2 / n_in) if "decoder" in name else np.sqrt(1 / n_in), shape)
    return torch.from_numpy(np.asarray(values, dtype=np.float32))


def drawn_checkpoint(folder: Path, public_name: str) -> Checkpoint:
    arch, backbone = NETWORKS[public_name]
    config = {"model.backbone": backbone}
    with torch.device("meta"):
        network = CellViT(architecture_of(arch, {"model": {"backbone": backbone}}, {}, public_name))
    weights = {name: drawn(name, value) for name, value in network.state_dict().items()}
    path = folder / f"{public_name}.pth"
    torch.save({"arch": arch, "config": config, "model_state_dict": weights}, path)
    return open_checkpoint(path)


def tissue_like(n: int, seed: int = 0) -> NDArray[np.uint8]:
    """Return images with blobs of nucleus size, so that the masks are not mere noise."""
    rng = np.random.default_rng(seed)
    coarse = torch.from_numpy(
        rng.normal(size=(n, 3, SIDE_PX // 16, SIDE_PX // 16)).astype(np.float32)
    )
    smooth = torch.nn.functional.interpolate(
        coarse, size=(SIDE_PX, SIDE_PX), mode="bicubic"
    ).numpy()
    pixels = 180 + 45 * smooth + rng.normal(0, 8, smooth.shape)
    return np.ascontiguousarray(pixels.clip(0, 255).astype(np.uint8).transpose(0, 2, 3, 1))


def naive(network: CellViT, images: Tensor) -> dict[str, Tensor]:
    """Run the network as published: every branch decodes the skips anew."""
    with torch.inference_mode():
        encoded = network.encoder(images)
        maps = {}
        for name in (BINARY, HV, TYPES):
            sources = [images, *encoded.skips[:3]]
            skips = [d(s) for d, s in zip(network.skip_decoders(), sources, strict=True)]
            maps[name] = network.get_submodule(name)(skips, encoded.skips[-1])
    return maps


def dice(one: NDArray[Any], other: NDArray[Any]) -> float:
    return float(2 * (one & other).sum() / max(1, one.sum(dtype=int) + other.sum(dtype=int)))


def best_seconds(
    forms: dict[str, Callable[[], Any]], rounds: int, clock: Callable[[], float]
) -> dict[str, float]:
    """Return the best time of each form; the forms take turns, so that a busy machine is busy for all."""
    best = dict.fromkeys(forms, float("inf"))
    for run in forms.values():
        run()
    for _ in range(rounds):
        for name, run in forms.items():
            start = clock()
            run()
            best[name] = min(best[name], clock() - start)
    return best


def report_agreement(name: str, maps: NetworkMaps, wanted: NetworkMaps) -> None:
    pixels = wanted.nucleus.size
    print(
        f"{name}: Dice {dice(maps.nucleus, wanted.nucleus):.5f}, "
        f"{int((maps.nucleus != wanted.nucleus).sum())} of {pixels} nucleus pixels and "
        f"{int((maps.types != wanted.types).sum())} type pixels differ, "
        f"hv differs by at most {np.abs(maps.hv - wanted.hv).max() / np.abs(wanted.hv).max():.1e} of its range"
    )


def on_cpu(checkpoint: Checkpoint, rounds: int, json: Path | None) -> None:
    images = tissue_like(4)
    network = build_network(checkpoint)
    ours = {name: Predictor(checkpoint, "cpu", name, side_px=SIDE_PX) for name in ("fp32", "bf16")}
    normalised = ours["fp32"].normalised(images).contiguous()
    forms: dict[str, Callable[[], Any]] = {"naive fp32": lambda: naive(network, normalised)}
    for name, predictor in ours.items():
        forms[f"ours {name}"] = lambda predictor=predictor: predictor(images)
    # on a busy machine the time of the processor says more, if there is but one thread to wait for
    clock = time.thread_time if torch.get_num_threads() == 1 else time.perf_counter
    best = best_seconds(forms, rounds, clock)
    print(f"form\tseconds per patch, {torch.get_num_threads()} threads\tratio")
    for name, seconds in best.items():
        print(f"{name}\t{seconds / len(images):.3f}\t{best['naive fp32'] / seconds:.2f}")
    figures = [
        Figure(
            "CellViT",
            f"{checkpoint.path.stem}, {name.removeprefix('ours ')}",
            "s per patch",
            best[name] / len(images),
            best["naive fp32"] / len(images),
            "published form",
        )
        for name in best
        if name != "naive fp32"
    ]
    add_figures(json, figures)
    maps = naive(network, normalised)
    wanted = NetworkMaps(
        maps[BINARY][:, :2].argmax(1).numpy().astype(np.uint8),
        maps[HV].numpy(),
        maps[TYPES].argmax(1).numpy().astype(np.uint8),
        None,
        None,
    )
    print(f"naive: {wanted.nucleus.mean():.1%} of the pixels are nucleus")
    for name, predictor in ours.items():
        report_agreement(f"ours {name} against naive", predictor(images), wanted)


def on_gpu(checkpoint: Checkpoint, device: str, rounds: int, batches: list[int]) -> None:
    wanted = Predictor(checkpoint, device, "fp32", batch_size=4)(tissue_like(4))
    print("precision\tmerged\tbatch\tpatches per second\tpeak GB")
    for precision, merged in itertools.product(("fp32", "bf16", "fp16"), (False, True)):
        found = Predictor(checkpoint, device, precision, side_px=SIDE_PX, merged=merged)
        for batch in sorted({*batches, found.batch_size}):
            found.batch_size, images = batch, tissue_like(batch)
            torch.cuda.reset_peak_memory_stats()
            seconds = best_seconds(
                {"ours": lambda p=found, i=images: p(i)}, rounds, time.perf_counter
            )["ours"]
            peak, fitted = torch.cuda.max_memory_allocated() / 1e9, found.batch_size
            print(f"{precision}\t{merged}\t{fitted}\t{batch / seconds:.1f}\t{peak:.1f}", flush=True)
        report_agreement(f"{precision}, merged {merged}", found(tissue_like(4)), wanted)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--network", choices=NETWORKS, action="append")
    parser.add_argument("--checkpoint", type=Path, action="append", default=[])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--batch", type=int, nargs="+", default=[1, 8, 32])
    add_json(parser)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    gpu = options.device != "cpu"
    defaults = [] if options.checkpoint else list(NETWORKS) if gpu else ["CellViT-256"]
    with tempfile.TemporaryDirectory() as folder:
        checkpoints = [drawn_checkpoint(Path(folder), n) for n in options.network or defaults]
        for checkpoint in [*checkpoints, *map(open_checkpoint, options.checkpoint)]:
            print(f"{checkpoint.path.stem} on {options.device}, torch {torch.__version__}")
            if gpu:
                on_gpu(checkpoint, options.device, options.rounds, options.batch)
            else:
                on_cpu(checkpoint, options.rounds, options.json)


if __name__ == "__main__":
    main()
