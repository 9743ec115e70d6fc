"""Boats, clouds and mountains for prints."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.ndimage import gaussian_filter

from painters.canvas import (
    Array,
    Points,
    curve,
    ramp,
    rgb,
)
from painters.sheet import FOAM, LINE, Sheet, drop


def boat(
    sheet: Sheet, x: float, y: float, long: float, tilt: float, sail: str | None = None
) -> None:
    """Print a slender boat.

    Args:
        sheet: The sheet.
        x: Middle of the boat.
        y: Height of its middle.
        long: Length; all as shares of the longer side.
        tilt: Slope in radians.
        sail: Colour of its sail, if it has one.
    """
    cos, sin = np.cos(tilt), np.sin(tilt)

    def place(points: Points) -> Array:
        along, down = np.asarray(points, dtype=np.float64).T * long
        return np.stack([x + along * cos - down * sin, y + along * sin + down * cos], axis=1)

    if sail:
        sheet.fill(
            place([(-0.02, 0.0), (-0.02, -0.75), (0.01, -0.75), (0.01, 0.0)]), "#5a3a2c", 1.0
        )
        cloth = place(
            curve(
                [
                    (-0.30, -0.66),
                    (0.0, -0.70),
                    (0.30, -0.66),
                    (0.36, -0.36),
                    (0.30, -0.08),
                    (-0.28, -0.10),
                    (-0.22, -0.38),
                    (-0.30, -0.66),
                ],
                40,
            )
        )
        sheet.fill(cloth, sail, 1.8)
        for k in range(1, 6):
            a = -0.30 + 0.1 * k
            sheet.stroke(
                place(curve([(a, -0.66), (a + 0.07, -0.37), (a, -0.1)], 14)), 0.9, "#8a4a3a", 0.4
            )
    hull = curve(
        [
            (-0.56, -0.15),
            (-0.36, -0.01),
            (0.0, 0.03),
            (0.36, -0.02),
            (0.58, -0.17),
            (0.40, 0.09),
            (0.0, 0.13),
            (-0.38, 0.09),
            (-0.56, -0.15),
        ],
        50,
    )
    sheet.fill(place(hull), "#d9a765", 1.9)
    sheet.stroke(
        place(curve([(-0.46, -0.03), (0.0, 0.075), (0.48, -0.05)], 24)), 1.3, "#8a4a2c", 0.3
    )
    if not sail:
        for a in np.linspace(-0.3, 0.34, 7):
            man = place(
                curve(
                    [(a - 0.035, 0.03), (a - 0.03, -0.06), (a + 0.02, -0.08), (a + 0.045, 0.03)], 10
                )
            )
            sheet.fill(man, "#2f5a94" if sheet.rng.random() < 0.6 else "#b2543c", 1.0)
            drop(sheet, place([(a + 0.005, -0.105)])[0], long * 0.022)


def cloud(sheet: Sheet, x: float, y: float, wide: float, tones: Sequence[str]) -> None:
    """Print a curling cloud with echoing lines.

    Args:
        sheet: The sheet.
        x: Middle, to the right.
        y: Height of its base.
        wide: Half of its breadth; all as shares of the longer side.
        tones: Colours from the rim to the heart.
    """
    rng = sheet.rng
    lobes = sorted(rng.uniform(-0.8, 0.8, 6), key=abs, reverse=True)
    for k in lobes:
        cx, r = x + k * wide, wide * (0.34 - 0.2 * abs(k)) * rng.uniform(0.85, 1.2)
        cy = y - 0.35 * r
        t = np.linspace(np.pi * 0.92, 2.08 * np.pi, 40)
        for j, tone in enumerate(tones):
            s = 1 - 0.26 * j
            arc = np.stack([cx + r * s * np.cos(t), cy + 0.9 * r * s * np.sin(t)], axis=1)
            tail = np.array([[cx + r * s * 1.25, y + 0.006], [cx - r * s * 1.25, y + 0.006]])
            sheet.fill(np.vstack([arc, tail]), tone)
            sheet.stroke(arc, 1.7 - 0.25 * j, LINE, 0.6)
        turn = np.linspace(0, 4.2, 26)
        coil = r * 0.26 * (1 - turn / 5.2)
        sheet.stroke(
            np.stack([cx + coil * np.cos(turn), cy + coil * np.sin(turn) * 0.9], axis=1),
            1.2,
            LINE,
            0.7,
        )
    for k in range(4):
        a = x - wide * rng.uniform(0.7, 1.5)
        b = x + wide * rng.uniform(0.7, 1.5)
        h = y + 0.005 + 0.0085 * k
        bar = curve([(a, h), (a * 0.6 + b * 0.4, h + rng.normal(0, 0.002)), (b, h)], 30)
        sheet.stroke(bar, 6.5 - k, tones[0], 0.9)
        sheet.stroke(bar + np.array([0, 0.0042]), 1.1, LINE, 0.9)


def mountain(
    sheet: Sheet,
    peak: tuple[float, float],
    foot: float,
    wide: float,
    tones: Sequence[str],
    snow: float,
) -> None:
    """Print a mountain with snow on its peak.

    Args:
        sheet: The sheet.
        peak: Its peak (x, y).
        foot: Height of its foot.
        wide: Half of its breadth.
        tones: Ramp from the peak to the foot.
        snow: Depth of the snow; all as shares of the longer side.
    """
    x, y = peak
    flank = [
        (x - wide, foot),
        (x - wide * 0.5, y + (foot - y) * 0.66),
        (x - wide * 0.16, y + (foot - y) * 0.16),
    ]
    flank += [
        (x - wide * 0.05, y),
        (x + wide * 0.06, y + 0.003),
        (x + wide * 0.18, y + (foot - y) * 0.17),
    ]
    flank += [(x + wide * 0.5, y + (foot - y) * 0.62), (x + wide, foot)]
    line = curve(flank, 90)
    mask = gaussian_filter(sheet.inside(line).astype(np.float64), 0.8)
    sheet.wash(mask, ramp((sheet.y - y) / (foot - y), tones))
    saw = y + snow * (
        1 + 0.75 * np.sin(sheet.x * 230 + 2 * np.sin(sheet.x * 61)) * np.cos(sheet.x * 97)
    )
    sheet.wash(mask * (sheet.y < saw), rgb(FOAM))
    for k in range(26):
        a = x + wide * sheet.rng.uniform(-0.16, 0.16)
        b = y + snow * sheet.rng.uniform(0.4, 2.2)
        out = (a - x) * sheet.rng.uniform(1.2, 2.6)
        gully = curve([(a, b), (a + out * 0.5, b + 0.03), (a + out, b + 0.07 + 0.002 * k)], 12)
        rows, columns = (gully[:, ::-1] * sheet.unit).astype(int).T
        gully = gully[mask[rows, np.minimum(columns, mask.shape[1] - 1)] > 0.9]
        sheet.stroke(gully, 1.2, tones[0], 1.0)
    sheet.stroke(line, 2.0, LINE, 0.2)
