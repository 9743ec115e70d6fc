"""Houses, trees and a bridge in pen and ink."""

from __future__ import annotations

import numpy as np

from painters.canvas import curve, ramp, rgb, smooth
from painters.pen import INDIGO, RUST, SEPIA, Drawing


def house(d: Drawing, x: float, foot: float, size: float) -> None:
    """Draw a small house with a tiled roof.

    Args:
        d: The drawing.
        x: Left corner.
        foot: Height of its foot.
        size: Width; all as shares of the longer side.
    """
    rng = d.rng
    tall, depth = size * rng.uniform(0.8, 1.5), size * rng.uniform(0.35, 0.55)
    top, a, b = foot - tall, x + size * 0.62, x + size * 0.62 + depth
    wall = rgb(str(rng.choice(["#f4d08c", "#eab47c", "#f8e6bc", "#e09c78", "#e8b8a0"])))
    peak = (x + size * 0.31, top - size * rng.uniform(0.2, 0.34))
    back = (peak[0] + depth, peak[1] + size * 0.02)
    front = [(x, foot), (x, top), peak, (a, top), (a, foot)]
    side = [(a, foot), (a, top), (b, top + size * 0.02), (b, foot)]
    roof = [(a + size * 0.04, top + size * 0.05), peak, back, (b + size * 0.04, top + size * 0.06)]
    eave = [
        (x - size * 0.05, top + size * 0.05),
        peak,
        (peak[0] + size * 0.05, peak[1]),
        (x + size * 0.02, top + size * 0.06),
    ]
    d.shape_in(d.inside(front), 0.92, wall, (0.05, 1.0))
    d.shape_in(
        d.inside(side), 0.46, wall * 0.74, (0.3, 1.0), INDIGO if rng.random() < 0.5 else SEPIA
    )
    tiles = rgb(str(rng.choice(["#c4543a", "#b4442f", "#d4703f", "#a83c34"])))
    d.shape_in(d.inside(roof), 0.62, tiles, (a - peak[0], top - peak[1]), RUST)
    d.shape_in(d.inside(eave), 0.5, tiles * 0.85, (0.4, 1.0), RUST)
    for k in range(int(rng.integers(1, 4))):
        wx, wy = x + size * (0.12 + 0.2 * (k % 2)), top + tall * (0.18 + 0.36 * (k // 2))
        pane = [
            (wx, wy),
            (wx + size * 0.1, wy),
            (wx + size * 0.1, wy + size * 0.19),
            (wx, wy + size * 0.19),
        ]
        d.shape_in(d.inside(pane), 0.12, rgb("#5c688c"), (0.0, 1.0), INDIGO)
    for part in (front, side, roof):
        d.contour([*part, part[0]], 1.5)


def bush(d: Drawing, cx: float, cy: float, rx: float, ry: float) -> None:
    """Draw a round bush or crown.

    Args:
        d: The drawing.
        cx: Middle, to the right.
        cy: Middle, downwards.
        rx: Half width.
        ry: Half height; all as shares of the longer side.
    """
    dx, dy = (d.x - cx) / rx, (d.y - cy) / ry
    lump = d.fbm(0.5 * rx, 3)
    mask = dx**2 + dy**2 + 0.22 * lump < 1
    tone = 0.48 + 0.30 * (-dx - dy) * 0.9 + 0.26 * lump
    d.shape_in(
        mask,
        tone,
        ramp(tone, ["#1c4434", "#4c7434", "#9ca444", "#e4d07c"]),
        (-dy + 0.4, dx + 0.3 + 0.5 * lump),
        SEPIA,
    )
    t = np.linspace(0, 2 * np.pi, 50)
    ring = 1 + 0.10 * np.sin(9 * t) + 0.06 * np.sin(17 * t)
    d.contour(np.stack([cx + rx * np.cos(t) * ring, cy + ry * np.sin(t) * ring], axis=1), 1.6)


def cypress(d: Drawing, cx: float, foot: float, tall: float, wide: float) -> None:
    """Draw a cypress.

    Args:
        d: The drawing.
        cx: Its axis.
        foot: Height of its foot.
        tall: Height.
        wide: Half width; all as shares of the longer side.
    """
    t = np.linspace(0, 1, 60)
    body = (
        wide
        * np.sin(np.pi * (0.08 + 0.92 * t) ** 0.62) ** 0.8
        * (1 + 0.10 * np.sin(t * 40 + cx * 90))
    )
    body[-1] = 0
    left = np.stack([cx - body, foot - tall * t], axis=1)
    right = np.stack([cx + body * (1 + 0.1 * np.cos(t * 33)), foot - tall * t], axis=1)
    side = (d.x - cx) / wide
    tone = 0.46 - 0.38 * side + 0.17 * d.fbm(0.025, 3)
    flow = 0.55 * np.sin(d.y * 42 + side * 2) - 0.4 * side
    d.shape_in(
        d.inside(np.vstack([left, right[::-1]])),
        tone,
        ramp(tone + 0.1, ["#1c3c44", "#3c6448", "#8c9448", "#ccbc6c"]),
        (flow * 0.6, -1.0),
        INDIGO,
    )
    d.contour(left, 1.9, INDIGO)
    d.contour(right, 3.0, INDIGO)


def bridge(d: Drawing) -> None:
    """Draw a stone bridge with its mirror image.

    Args:
        d: The drawing.
    """
    arches = [(0.33, 0.058), (0.47, 0.066), (0.625, 0.072), (0.785, 0.066), (0.92, 0.055)]
    deck = curve([(0.20, 0.585), (0.4, 0.545), (0.62, 0.525), (0.84, 0.545), (1.06, 0.585)], 60)
    wall = np.vstack([deck, [[1.06, 0.655], [0.20, 0.655]]])
    stone = (
        0.70 + 0.10 * d.noise(0.012) + 0.1 * np.sin(d.y * 420) * smooth(d.noise(0.03), -0.4, 0.6)
    )
    d.shape_in(
        d.inside(wall),
        stone,
        ramp(0.5 + 0.3 * d.noise(0.02), ["#c49c7c", "#e0c094", "#f0dcb0"]),
        (1.0, 0.02),
        SEPIA,
    )
    top = np.interp(d.x, deck[:, 0], deck[:, 1])
    d.shape_in(d.inside(wall) & (d.y < top + 0.016), 0.88, rgb("#ecd4a4"), (1.0, 0.0), SEPIA)
    for cx, r in arches:
        t = np.linspace(np.pi, 2 * np.pi, 40)
        arc = np.stack([cx + r * np.cos(t), 0.657 + 1.15 * r * np.sin(t)], axis=1)
        inner = 0.22 + 0.35 * smooth(d.x, cx - r, cx + r * 0.4)
        d.shape_in(
            d.inside(arc),
            inner,
            ramp(inner, ["#54587c", "#8c7c80", "#c4a484"]),
            (d.x - cx, d.y - 0.70),
            SEPIA,
        )
        view = np.stack([cx + 0.3 * r + 0.66 * r * np.cos(t), 0.657 + 0.92 * r * np.sin(t)], axis=1)
        d.shape_in(d.inside(view), 0.86, rgb("#b8ccc8"), (1.0, 0.0), INDIGO)
        d.contour(arc, 2.8)
        d.contour(view, 1.5)
        outer = np.stack([cx + 1.14 * r * np.cos(t), 0.655 + 1.32 * r * np.sin(t)], axis=1)
        d.contour(outer, 1.3)
        for a in np.linspace(np.pi * 1.06, np.pi * 1.94, 13):
            ray = np.array(
                [
                    [cx + k * r * np.cos(a), 0.656 + 1.15 * k * r * np.sin(a)]
                    for k in (1.0, 1.07, 1.14)
                ]
            )
            d.line(ray * d.unit, 1.5, SEPIA)
        low = np.stack([cx + r * np.cos(t), 0.657 - 0.9 * r * np.sin(t)], axis=1)
        d.shape_in(d.inside(low), 0.42, rgb("#7c8ca4"), (1.0, 0.02), INDIGO)
    d.contour(deck, 3.2)
    d.contour(deck + np.array([0, 0.016]), 1.5)
    rng = d.rng
    for _ in range(150):
        a, b = rng.uniform(0.2, 1.0), rng.uniform(0.57, 0.65)
        if all(np.hypot(a - cx, (b - 0.657) / 1.15) > r * 1.2 for cx, r in arches):
            w = rng.uniform(0.008, 0.018)
            d.line(np.array([[a, b], [a + w, b], [a + w, b + 0.008]]) * d.unit, 1.1, SEPIA)
