"""Vessels, fruit and their shadows in pen and ink."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from painters.canvas import blend, curve, ramp, rgb, smooth
from painters.pen import SEPIA, Drawing


def lathe(
    d: Drawing,
    cx: float,
    profile: Sequence[tuple[float, float]],
    wash: Sequence[str],
    ink: int,
    bulge: float = 0.22,
) -> None:
    """Draw a vessel turned on a lathe, lit from the left.

    Args:
        d: The drawing.
        cx: Its axis.
        profile: Heights and radii from the mouth to the foot, as shares of the longer side.
        wash: Ramp of its wash from shadow to light.
        ink: Number of the ink.
        bulge: Roundness of its rings as seen from above, 0 to 1.
    """
    line = curve(profile, 70)
    y, radius = line[:, 0], np.maximum(line[:, 1], 1e-3)
    foot = radius[-1] * bulge
    u = np.linspace(-1, 1, 24)
    bottom = np.stack([cx - radius[-1] * u, y[-1] + foot * np.sqrt(1 - u * u)], axis=1)
    edge = np.vstack(
        [np.stack([cx - radius, y], axis=1)[::-1], np.stack([cx + radius, y], axis=1), bottom]
    )
    mask = d.inside(edge)
    width = np.interp(d.y, y, radius)
    side = np.clip((d.x - cx) / width, -0.98, 0.98)
    fall = np.interp(d.y, y, np.gradient(radius) / (np.gradient(y) + 1e-6))
    tone = (
        0.93
        - 0.74 * smooth(side + 0.22 * np.clip(fall, -1, 1) * -1, -0.35, 0.72)
        + 0.16 * smooth(side, 0.78, 1.0)
    )
    tone = tone - 0.22 * smooth(side, -0.72, -1.0) + 0.3 * np.exp(-(((side + 0.42) / 0.13) ** 2))
    slope = -bulge * side / np.sqrt(1 - side**2)
    d.shape_in(mask, tone, ramp(tone + 0.07 * d.noise(0.02), wash), (1.0, slope), ink)
    mouth = np.stack(
        [
            cx + radius[0] * np.cos(np.linspace(0, 2 * np.pi, 50)),
            y[0] + bulge * radius[0] * np.sin(np.linspace(0, 2 * np.pi, 50)),
        ],
        axis=1,
    )
    inner = 0.22 + 0.5 * smooth(d.x, cx - radius[0], cx + radius[0])
    d.shape_in(d.inside(mouth), inner, ramp(inner, wash), (0.2, 1.0), ink)
    d.contour(mouth, 2.0, ink)
    d.contour(np.stack([cx - radius, y], axis=1), 1.8, ink)
    d.contour(np.vstack([np.stack([cx + radius, y], axis=1), bottom]), 3.0, ink)


def fruit(
    d: Drawing,
    cx: float,
    cy: float,
    rx: float,
    ry: float,
    wash: Sequence[str],
    ink: int,
    pear: float = 0.0,
) -> None:
    """Draw a fruit lit from the upper left.

    Args:
        d: The drawing.
        cx: Middle, to the right.
        cy: Middle, downwards.
        rx: Half width.
        ry: Half height; all as shares of the longer side.
        wash: Ramp of its wash from shadow to light.
        ink: Number of the ink.
        pear: How much narrower its upper part is, 0 to 1.
    """
    t = np.linspace(0, 2 * np.pi, 70)
    up = np.clip(-np.sin(t), 0, 1)
    edge = np.stack(
        [
            cx + rx * np.cos(t) * (1 - pear * smooth(up, 0.0, 0.8)),
            cy + ry * np.sin(t) * (1 + 0.5 * pear * up),
        ],
        axis=1,
    )
    dx = (d.x - cx) / rx / np.where(d.y < cy, 1 - 0.75 * pear * smooth(d.y, cy, cy - 1.4 * ry), 1)
    dy = (d.y - cy) / ry
    lit = -0.62 * dx - 0.62 * dy
    depth = np.sqrt(np.clip(1 - dx**2 - dy**2 * 0.9, 0, 1))
    tone = 0.34 + 0.46 * lit + 0.32 * depth + 0.12 * smooth(np.hypot(dx, dy), 0.8, 1.0) * (lit < 0)
    tone = tone + 0.4 * np.exp(-(((dx + 0.38) / 0.16) ** 2 + ((dy + 0.42) / 0.16) ** 2))
    d.shape_in(
        d.inside(edge),
        tone,
        ramp(tone + 0.12 * d.noise(0.02), wash),
        (-dy * 0.9 - 0.25, dx * 0.9 + 0.35),
        ink,
    )
    d.contour(np.vstack([edge, edge[:3]]), 2.4, ink)
    stalk = curve(
        [
            (cx + 0.004, cy - ry * (0.86 + 0.5 * pear)),
            (cx + 0.006, cy - ry * (1.1 + 0.5 * pear)),
            (cx + 0.02, cy - ry * (1.3 + 0.5 * pear)),
        ],
        16,
    )
    d.contour(stalk, 3.4, SEPIA)


def shadow(d: Drawing, cx: float, cy: float, rx: float, ry: float, depth: float = 0.6) -> None:
    """Cast a shadow on whatever lies there now.

    Args:
        d: The drawing.
        cx: Middle, to the right.
        cy: Middle, downwards.
        rx: Half width.
        ry: Half height; all as shares of the longer side.
        depth: Darkness, 0 to 1.
    """
    far = np.hypot((d.x - cx) / rx, (d.y - cy) / ry)
    dark = depth * smooth(far, 1.0, 0.55)
    d.tone = d.tone * (1 - dark)
    d.colour = blend(d.colour, rgb("#6c78a8"), 0.55 * dark)
