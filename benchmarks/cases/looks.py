"""What happens to an H&E between the microtome and the file: damage, dirt, focus and colour."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from sthelar_build.core.simulation.fields import smooth_noise

RGB = NDArray[np.uint8]

_GLASS = 241.0
_INKS = ((0.15, 0.25, 0.75), (0.1, 0.5, 0.25), (0.2, 0.2, 0.22))


@dataclass(frozen=True)
class Look:
    """Colour and focus of a scan; the defaults change nothing."""

    gamma: float = 1.0
    brightness: float = 1.0
    tint: tuple[float, float, float] = (1.0, 1.0, 1.0)
    blur_um: float = 0.0

    @classmethod
    def drawn(cls, rng: np.random.Generator) -> Look:
        """Return a random look, within what scanners and laboratories differ."""
        red, green, blue = rng.uniform(0.9, 1.08, 3).round(3).tolist()
        return cls(
            gamma=round(rng.uniform(0.8, 1.25), 3),
            brightness=round(rng.uniform(0.85, 1.06), 3),
            tint=(red, green, blue),
            blur_um=round(rng.choice([0.0, rng.uniform(0.3, 0.9)]), 3),
        )

    def applied(self, image: RGB, um_per_px: float) -> RGB:
        """Return the image as this scanner sees it."""
        seen = np.empty_like(image)
        levels = (np.arange(256) / 255) ** self.gamma * 255 * self.brightness
        for channel, tint in enumerate(self.tint):
            sharp = np.clip(levels * tint, 0, 255).astype(np.float32)[image[..., channel]]
            blurred = ndimage.gaussian_filter(sharp, self.blur_um / um_per_px)
            seen[..., channel] = np.clip(blurred + 0.5, 0, 255)
        return seen


def damaged(
    rng: np.random.Generator, image: RGB, um_per_px: float, defects: tuple[str, ...]
) -> RGB:
    """Return the image with defects by name: fold, tear, pen, bubble; other names change nothing."""
    made = {"fold": folded, "tear": torn, "pen": inked, "bubble": bubbled}
    for defect in defects:
        if defect in made:
            image = made[defect](rng, image, um_per_px)
    return image


def folded(rng: np.random.Generator, image: RGB, um_per_px: float) -> RGB:
    """Return the image with a strip in which tissue lies twice, the upper layer from elsewhere."""
    along, across = _axes(rng, image.shape, um_per_px)
    wave_um = 12 * np.sin(along / rng.uniform(60, 120))
    strip = np.abs(across + wave_um) < rng.uniform(20, 45)
    shift_px = np.round(rng.uniform(25, 60, 2) / um_per_px).astype(int)
    upper = np.roll(image, shift_px, axis=(0, 1))
    twice = image.astype(np.float32) * upper / _GLASS
    return np.where(strip[..., None], twice, image).astype(np.uint8)


def torn(rng: np.random.Generator, image: RGB, um_per_px: float) -> RGB:
    """Return the image with 10 to 25 % of its area gone in one ragged piece."""
    along, across = _axes(rng, image.shape, um_per_px)
    reach = np.hypot(along, across * rng.uniform(1, 2))
    ragged = smooth_noise(rng, image.shape[:2], 60 / um_per_px)
    depth = reach / np.median(reach) + 0.15 * ragged
    hole = depth < np.quantile(depth[::8, ::8], rng.uniform(0.10, 0.25))
    glass = _GLASS + rng.normal(0, 1.5, image.shape).astype(np.float32)
    return np.where(hole[..., None], glass, image).astype(np.uint8)


def inked(rng: np.random.Generator, image: RGB, um_per_px: float) -> RGB:
    """Return the image with the stroke of a pen across it."""
    along, across = _axes(rng, image.shape, um_per_px)
    bend_um = 40 * np.sin(along / rng.uniform(150, 300))
    edge_um = np.abs(across + bend_um) - rng.uniform(25, 60)
    cover = 1 / (1 + np.exp(np.clip(edge_um / 3, -30, 30))) * rng.uniform(0.6, 0.9)
    ink = np.array(_INKS[rng.integers(len(_INKS))], dtype=np.float32)
    return (image * (1 - cover[..., None] * (1 - ink))).astype(np.uint8)


def bubbled(rng: np.random.Generator, image: RGB, um_per_px: float) -> RGB:
    """Return the image with an air bubble: a dark rim, and out of focus inside."""
    along, across = _axes(rng, image.shape, um_per_px)
    radius_um = rng.uniform(70, 140)
    reach = np.hypot(along, across)
    blurred = ndimage.gaussian_filter(image, (3 / um_per_px, 3 / um_per_px, 0))
    seen = np.where((reach < radius_um)[..., None], 0.85 * blurred + 0.15 * _GLASS, image)
    rim = np.exp(-(((reach - radius_um) / 5) ** 2))
    return (seen * (1 - 0.8 * rim[..., None])).astype(np.uint8)


def _axes(
    rng: np.random.Generator, shape: tuple[int, ...], um_per_px: float
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return coordinates (y, x) in um along and across a random line near the middle of the image."""
    angle = rng.uniform(0, np.pi)
    middle = np.array(shape[:2]) * rng.uniform(0.3, 0.7, 2)
    rows = ((np.arange(shape[0]) - middle[0]) * um_per_px).astype(np.float32)[:, None]
    columns = ((np.arange(shape[1]) - middle[1]) * um_per_px).astype(np.float32)[None]
    cos, sin = np.float32(np.cos(angle)), np.float32(np.sin(angle))
    return columns * cos + rows * sin, rows * cos - columns * sin
