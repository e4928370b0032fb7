"""Colours for groups that have none of their own."""

from __future__ import annotations

import colorsys


def hues(n: int) -> list[str]:
    """Return n colours as #rrggbb: hues a golden angle apart, in four shades by turns, for light and dark grounds."""
    shades = ((0.62, 0.78), (0.75, 0.58), (0.48, 0.92), (0.8, 0.82))
    return [
        _hex(*colorsys.hsv_to_rgb(k * 0.618034 % 1, *shades[k % len(shades)])) for k in range(n)
    ]


def _hex(red: float, green: float, blue: float) -> str:
    return "#{:02x}{:02x}{:02x}".format(*(round(255 * part) for part in (red, green, blue)))
