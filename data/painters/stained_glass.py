"""Leaded windows: a designed drawing, split into pieces of streaky glass."""

from __future__ import annotations

import numpy as np
from PIL import Image

from painters.canvas import (
    curve,
    noise,
    ramp,
    smooth,
)
from painters.glazing import glaze
from painters.window import SCALE, Window, jewel, petal, pick


def first(rng: np.random.Generator, size: int) -> Image.Image:
    """A rose window in ruby, cobalt and gold.

    Args:
        rng: Source of randomness.
        size: Longer side in pixels.

    Returns:
        The picture.
    """
    w = Window(rng, size, size)
    c = (0.5, 0.5)
    everything = np.ones(w.shape, dtype=bool)
    dx, dy = w.x - c[0], w.y - c[1]
    d = np.hypot(dx, dy)
    w.put(everything, w.cells(everything, 0.075), jewel("#0c2a6c", "#1c4aa8", "#1f7a8c", "#4c2c8c"))
    for k in range(4):
        a = np.pi / 4 + k * np.pi / 2
        corner = (0.5 + 0.6 * np.cos(a), 0.5 + 0.6 * np.sin(a))
        mask, part = w.ring(corner, (0.052, 0.125), 8)
        w.put(mask, part, jewel("#b81c2c", "#e0641c", "#8c1c5c"))
        mask, part = w.ring(corner, (0.0, 0.052), 1)
        w.put(mask, part, jewel("#f8c83c", "#ffe890"))
    mask, part = w.ring(c, (0.445, 0.482), 48)
    w.put(mask, part, lambda t: ramp(np.round(t * 2) / 2, ["#e8a41c", "#c81c2c", "#f8dc7c"]))
    mask, part = w.ring(c, (0.28, 0.445), 12)
    w.put(
        mask, w.cells(mask, 0.055) + 10000 * part, jewel("#0a1f7c", "#1c3cc0", "#2c6ad8", "#1c8cc0")
    )
    for k in range(12):
        a = (k + 0.5) * np.pi / 6
        mid = (0.5 + 0.375 * np.cos(a), 0.5 + 0.375 * np.sin(a))
        mask, part = w.ring(mid, (0.026, 0.058), 6, rng.random())
        w.put(
            mask,
            part,
            jewel("#a8142c", "#dc2c2c", "#e85c2c")
            if k % 2
            else jewel("#0c6c4c", "#2ca45c", "#8cc43c"),
        )
        mask, part = w.ring(mid, (0.0, 0.026), 1)
        w.put(mask, part, jewel("#ffd84c", "#fff0b0"))
    for k in range(12):
        outline = petal(c, k * np.pi / 6, 0.12, 0.445, 0.042)
        mask = w.inside(outline)
        along = np.floor((d - 0.12) / 0.082).astype(np.int64)
        side = (dx * np.sin(k * np.pi / 6) - dy * np.cos(k * np.pi / 6) > 0).astype(np.int64)
        tone = (
            jewel("#c8141f", "#e83c1c", "#f4781c")
            if k % 2
            else jewel("#5c1c8c", "#8c2ca8", "#c83c8c")
        )
        w.put(mask, along * 2 + side * (along < 2), tone)
    mask, part = w.ring(c, (0.155, 0.205), 24)
    w.put(
        mask,
        part,
        lambda t: ramp(np.round(t * 3) / 3, ["#0c7c5c", "#f0b42c", "#3cac5c", "#fae07c"]),
    )
    mask, part = w.ring(c, (0.06, 0.155), 12, 0.5)
    w.put(mask, part, jewel("#1430a0", "#2c64d8", "#3c9cd8"))
    for k in range(8):
        w.put(
            w.inside(petal(c, k * np.pi / 4 + 0.2, 0.03, 0.145, 0.03)),
            np.zeros(w.shape, dtype=np.int64),
            jewel("#e8a01c", "#fbdc5c"),
        )
    mask, part = w.ring(c, (0.0, 0.048), 1)
    w.put(mask, part, jewel("#d81c2c", "#f0442c"))
    outer = (w.x < 0.032) | (w.x > 0.968) | (w.y < 0.032) | (w.y > 0.968)
    w.put(
        outer,
        (np.floor(w.x * 13) + 40 * np.floor(w.y * 13)).astype(np.int64),
        pick("#9c1428", "#c8481c", "#1c4c9c", "#e0981c", "#5c1c7c"),
    )
    angle = np.arctan2(dy, dx)
    fine = np.abs(np.sin(angle * 96 + 3 * np.sin(d * 60)))
    rings = np.abs(np.sin(d * 260 + 1.5 * np.sin(angle * 12)))
    petals = smooth(rings, 0.16, 0.02) * (d > 0.21) * (d < 0.44) + smooth(fine, 0.13, 0.02) * (
        d > 0.06
    ) * (d < 0.15)
    petals = petals * smooth(noise(rng, w.shape, 20 * SCALE), -0.9, 0.4)
    return glaze(w, 4.6, 2.7, petals * 0.85)


def second(rng: np.random.Generator, size: int) -> Image.Image:
    """A landscape window: sun and rays over hills, a river, a tree and irises.

    Args:
        rng: Source of randomness.
        size: Longer side in pixels.

    Returns:
        The picture.
    """
    w = Window(rng, int(size * 0.8), size)
    everything = np.ones(w.shape, dtype=bool)
    sun = (0.50, 0.30)
    dx, dy = w.x - sun[0], w.y - sun[1]
    d, angle = np.hypot(dx, dy), np.arctan2(dy, dx)
    ray = np.floor((angle / (2 * np.pi) + 1) * 22 + 0.35 * np.sin(d * 16)).astype(np.int64)
    band = np.floor(np.sqrt(np.clip(d - 0.1, 0, 2)) * 6.0 + 0.4 * (ray % 2)).astype(np.int64)
    w.put(everything, ray * 50 + band, jewel("#000000"))
    heat = smooth(d, 0.08, 0.55)
    alternate = 0.10 * (ray % 2) + 0.07 * rng.standard_normal(400)[(ray * 7 + band * 13) % 400]
    sky = ["#ffe070", "#f8a83c", "#e8644c", "#b84c8c", "#5c4cb0", "#2448a0", "#142c78"]
    w.glass[:] = ramp(np.clip(heat * 0.95 + alternate, 0, 1), sky)
    mask, part = w.ring(sun, (0.0, 0.098), 1)
    w.put(mask, part, jewel("#ffd23c", "#ffe674"))
    mask, part = w.ring(sun, (0.072, 0.1), 16)
    w.put(mask, part, jewel("#f8901c", "#fbc43c"))
    ridge = 0.47 - 0.07 * np.sin(w.x * 7.5 + 0.6) - 0.02 * np.sin(w.x * 19)
    mask = w.y > ridge
    w.put(mask, w.cells(mask, 0.085, (1.5, 0.8)), jewel("#2c2474", "#4c3ca0", "#7a4ca8", "#2c5ca4"))
    ridge = 0.555 + 0.045 * np.sin(w.x * 8 + 2.4)
    mask = w.y > ridge
    w.put(mask, w.cells(mask, 0.075, (1.6, 0.7)), jewel("#0c4c3c", "#1c7c4c", "#4ca43c", "#a0b82c"))
    middle = 0.30 + 0.16 * np.sin(w.y * 9 + 3.6) + 0.25 * (w.y - 0.6)
    wide = 0.02 + 0.42 * np.clip(w.y - 0.585, 0, 1) ** 1.15
    mask = (np.abs(w.x - middle) < wide) & (w.y > 0.59)
    flow = np.floor((w.y + 0.02 * np.sin(w.x * 30)) * 26).astype(np.int64) * 9
    part = flow + np.floor((w.x - middle) / wide * 1.6 + 0.5 * (flow // 9 % 2)).astype(np.int64)
    w.put(mask, part, jewel("#1c5cb0", "#2c9ccc", "#8cd4dc", "#f4cc84", "#1c7cac"))
    ridge = 0.80 - 0.16 * smooth(w.x, 0.45, 0.8) + 0.02 * np.sin(w.x * 14)
    mask = w.y > ridge
    w.put(mask, w.cells(mask, 0.07, (0.7, 1.3)), jewel("#0c3428", "#145c38", "#2c8438", "#7ca42c"))
    stem = curve([(0.70, 0.82), (0.665, 0.62), (0.69, 0.42), (0.655, 0.20), (0.69, 0.02)], 60)
    limbs = [(stem, 0.034, 0.012)]
    limbs += [(curve([(0.675, 0.40), (0.60, 0.30), (0.57, 0.17), (0.50, 0.09)], 40), 0.015, 0.006)]
    limbs += [(curve([(0.675, 0.33), (0.74, 0.24), (0.80, 0.21)], 30), 0.013, 0.008)]
    for line, foot, tip in limbs:
        thick = np.linspace(foot, tip, len(line))[:, None] * [[1.0, 0.15]]
        mask = w.inside(np.vstack([line - thick, (line + thick)[::-1]]))
        w.put(
            mask,
            np.floor(w.y * 13 + w.x * 3).astype(np.int64),
            jewel("#4c2420", "#84442c", "#5c2c50"),
        )
    for _ in range(52):
        line, _, _ = limbs[int(rng.choice([0, 0, 1, 1, 2]))]
        foot = line[rng.integers(len(line) // 3, len(line))]
        a, long = rng.uniform(0, 2 * np.pi), rng.uniform(0.055, 0.10)
        mid = foot + rng.normal(0, 0.035, 2)
        shape = w.inside(petal((mid[0], mid[1]), a, 0.0, long, long * 0.27))
        if shape.sum() > 400:
            half = ((w.x - mid[0]) * np.sin(a) - (w.y - mid[1]) * np.cos(a) > 0).astype(np.int64)
            tone = (
                jewel("#145c2c", "#4c9c2c", "#b8c42c")
                if rng.random() < 0.6
                else jewel("#c8381c", "#ec841c", "#f8c43c")
            )
            w.put(shape, half, tone)
    for cx, top in (
        (0.08, 0.77),
        (0.19, 0.84),
        (0.31, 0.80),
        (0.43, 0.87),
        (0.56, 0.80),
        (0.735, 0.85),
    ):
        for side in (-1, 1, -1, 1):
            a = -np.pi / 2 + side * rng.uniform(0.06, 0.3)
            blade = petal((cx + side * 0.012, 1.03), a, 0.0, rng.uniform(0.13, 0.24), 0.014)
            w.put(
                w.inside(blade),
                np.floor(w.y * 9).astype(np.int64),
                jewel("#0c6c3c", "#3ca44c", "#9cc83c"),
            )
        bloom = [
            (-2.5, 0.062),
            (-0.64, 0.062),
            (-1.57, 0.075),
            (2.6, 0.058),
            (0.54, 0.058),
            (1.57, 0.062),
        ]
        for a, far in bloom:
            tone = (
                jewel("#3c1c94", "#6c3cc8", "#a86cdc")
                if a < 0
                else jewel("#2c2ca8", "#8c3cb8", "#c45ca8")
            )
            w.put(
                w.inside(petal((cx, top), a + rng.normal(0, 0.1), 0.004, far, 0.02)),
                np.zeros(w.shape, dtype=np.int64),
                tone,
            )
        w.put(
            np.hypot(w.x - cx, w.y - top) < 0.013,
            np.zeros(w.shape, dtype=np.int64),
            jewel("#f8b41c", "#ffe46c"),
        )
    outer = (w.x < 0.03) | (w.x > 0.77) | (w.y < 0.03) | (w.y > 0.97)
    blocks = (np.floor(w.x * 11) + 40 * np.floor(w.y * 11)).astype(np.int64)
    w.put(outer, blocks, pick("#0c4c6c", "#1c7c8c", "#0c6c5c", "#d8982c", "#8c1c3c"))
    veins = smooth(
        np.abs(np.sin((w.x + 0.6 * w.y) * 190 + 5 * noise(rng, w.shape, 60 * SCALE))), 0.14, 0.02
    )
    veins = veins * smooth(noise(rng, w.shape, 26 * SCALE), 0.0, 0.9) * (w.y > 0.45)
    return glaze(w, 3.3, 2.1, veins * 0.7)
