"""A still life in pen and ink."""

from __future__ import annotations

import numpy as np
from PIL import Image

from painters.canvas import blend, curve, ramp, rgb, smooth
from painters.pen import INDIGO, RUST, SEPIA, Drawing, work
from painters.vessels import fruit, lathe, shadow


def second(rng: np.random.Generator, size: int) -> Image.Image:
    """A still life with a blue jug, a bottle, pears and oranges.

    Args:
        rng: Source of randomness.
        size: Longer side in pixels.

    Returns:
        The picture.
    """
    d = Drawing(rng, size, int(size * 0.8))
    x, y = d.x, d.y
    wall = 0.80 - 0.42 * smooth(x, 0.2, 1.0) + 0.07 * d.fbm(0.08, 3) - 0.2 * smooth(y, 0.2, 0.0)
    d.shape_in(
        y < 2,
        wall,
        ramp(wall, ["#4c5c94", "#7c8cac", "#c8c0a4", "#f0dcac"]),
        (1.0, -0.75 + 0.2 * d.noise(0.15)),
        INDIGO,
    )
    fold = np.sin(x * 78 + 2.0 * np.sin(y * 5 + 1) + 1.2 * np.sin(x * 31))
    drape = d.inside(
        curve(
            [
                (-0.02, -0.02),
                (0.36, -0.02),
                (0.325, 0.16),
                (0.25, 0.32),
                (0.16, 0.44),
                (0.17, 0.60),
                (-0.02, 0.60),
            ],
            60,
        )
    )
    tone = 0.52 + 0.36 * fold + 0.06 * d.fbm(0.03, 2)
    d.shape_in(
        drape,
        tone,
        ramp(tone, ["#6c1c24", "#a8342c", "#cc5c3c", "#eca070"]),
        (0.10 + 0.9 * (x - 0.1) * y, 1.0),
        RUST,
    )
    d.contour(
        curve([(0.36, -0.02), (0.325, 0.16), (0.25, 0.32), (0.16, 0.44), (0.17, 0.60)], 60),
        3.2,
        RUST,
    )
    for k in range(9):
        a = 0.02 + 0.038 * k
        d.contour(
            curve([(a, -0.02), (a - 0.006 - 0.02 * k / 9, 0.2), (a * 0.62, 0.42)], 40), 1.6, RUST
        )
    board = y > 0.545 + 0.0 * x
    plank = (
        0.86
        - 0.26 * smooth(x, 0.35, 1.0)
        + 0.08 * np.sin(y * 260 + 5 * d.noise(0.2)) * smooth(d.noise(0.05), -0.6, 0.6)
    )
    d.shape_in(
        board,
        plank,
        ramp(plank, ["#94603c", "#c8945c", "#e8c48c", "#f4dcac"]),
        (1.0, 0.05 * d.noise(0.1)),
        SEPIA,
    )
    d.contour([(-0.02, 0.545), (1.02, 0.545)], 2.6)
    cloth = curve(
        [
            (0.34, 0.60),
            (0.62, 0.585),
            (0.97, 0.60),
            (1.03, 0.68),
            (0.98, 0.82),
            (0.30, 0.82),
            (0.27, 0.71),
            (0.34, 0.60),
        ],
        90,
    )
    pleat = np.sin(x * 33 + y * 26 + 1.8 * np.sin(y * 19)) + 0.6 * np.sin(x * 71 - y * 40)
    tone = 0.87 + 0.17 * pleat * smooth(y, 0.60, 0.74)
    stripe = smooth(np.abs(((x * 0.9 + y * 0.75 + 0.010 * pleat) * 9.5) % 1.0 - 0.5), 0.15, 0.10)
    linen = blend(np.broadcast_to(rgb("#f8ecd0"), d.colour.shape), rgb("#5c84b8"), 0.85 * stripe)
    d.shape_in(d.inside(cloth), tone - 0.16 * stripe, linen, (0.75, -0.9), INDIGO)
    d.contour(cloth, 2.4, INDIGO)
    shadow(d, 0.47, 0.655, 0.22, 0.048)
    shadow(d, 0.82, 0.64, 0.22, 0.05)
    shadow(d, 0.17, 0.665, 0.14, 0.03)
    lathe(
        d,
        0.585,
        [
            (0.10, 0.024),
            (0.12, 0.029),
            (0.14, 0.024),
            (0.25, 0.025),
            (0.30, 0.052),
            (0.34, 0.063),
            (0.50, 0.066),
            (0.61, 0.062),
        ],
        ["#1c3c2c", "#3c6c44", "#8ca458", "#e0dc9c"],
        SEPIA,
    )
    label = np.abs(x - 0.585) < 0.058
    d.shape_in(
        label & (y > 0.41 + 0.006 * np.cos((x - 0.585) * 40)) & (y < 0.505),
        0.92 - 0.5 * smooth(x, 0.57, 0.64),
        rgb("#f0dcb0"),
        (1.0, 0.0),
        SEPIA,
    )
    handle = curve([(0.425, 0.285), (0.495, 0.26), (0.535, 0.33), (0.52, 0.43), (0.455, 0.50)], 50)
    ring = np.vstack([handle + np.array([0.0, -0.014]), (handle + np.array([-0.018, 0.016]))[::-1]])
    d.shape_in(
        d.inside(ring), 0.5 - 0.25 * smooth(x, 0.46, 0.53), rgb("#3c5ca0"), (0.4, 1.0), INDIGO
    )
    d.contour(handle + np.array([0.0, -0.014]), 2.6, INDIGO)
    d.contour(handle + np.array([-0.018, 0.016]), 2.2, INDIGO)
    lathe(
        d,
        0.37,
        [
            (0.225, 0.062),
            (0.26, 0.050),
            (0.30, 0.054),
            (0.36, 0.094),
            (0.44, 0.120),
            (0.53, 0.112),
            (0.60, 0.082),
            (0.63, 0.070),
        ],
        ["#142468", "#2c4ca4", "#6c98d0", "#d4e4e8"],
        INDIGO,
    )
    for k, py in enumerate((0.385, 0.505)):
        arc = np.linspace(-0.97, 0.97, 50)
        rad = 0.104 if k == 0 else 0.117
        band = np.stack([0.37 + rad * arc, py + 0.22 * rad * np.sqrt(1 - arc**2)], axis=1)
        d.contour(band, 3.2, RUST)
        d.contour(band + np.array([0, 0.012]), 1.6, INDIGO)
    for k in range(9):
        a = -0.85 + 0.21 * k
        cx, cy = 0.37 + 0.118 * a, 0.445 + 0.024 * np.sqrt(1 - a * a)
        t = np.linspace(0, 2 * np.pi, 16)
        w = 0.011 * np.sqrt(1 - a * a)
        d.contour(np.stack([cx + w * np.cos(t), cy + 0.017 * np.sin(t)], axis=1), 2.2, RUST)
    orange = ["#8c2c1c", "#d4582c", "#f0923c", "#fcd48c"]
    lathe(
        d,
        0.81,
        [
            (0.478, 0.150),
            (0.50, 0.146),
            (0.55, 0.118),
            (0.595, 0.070),
            (0.61, 0.052),
            (0.635, 0.066),
        ],
        ["#7c2c1c", "#b8543c", "#dc9464", "#f4d8ac"],
        RUST,
        0.16,
    )
    for cx, cy, r in (
        (0.785, 0.405, 0.050),
        (0.725, 0.452, 0.048),
        (0.90, 0.458, 0.042),
        (0.822, 0.455, 0.053),
    ):
        fruit(d, cx, cy, r, r * 0.97, orange, RUST)
    lip = np.linspace(0, np.pi, 40)
    rim = np.stack([0.81 + 0.15 * np.cos(lip), 0.478 + 0.024 * np.sin(lip)], axis=1)
    low = np.stack([0.81 + 0.147 * np.cos(lip), 0.496 + 0.024 * np.sin(lip)], axis=1)
    band = np.vstack([rim, low[::-1]])
    level = 0.95 - 0.66 * smooth(x, 0.72, 0.93)
    d.shape_in(
        d.inside(band),
        level,
        ramp(level, ["#7c2c1c", "#b8543c", "#dc9464", "#f4d8ac"]),
        (1.0, 0.3 * (0.81 - x)),
        RUST,
    )
    d.contour(rim, 2.4, RUST)
    d.contour(low, 1.4, RUST)
    green = ["#4c4c1c", "#8c8c34", "#ccb848", "#f4e49c"]
    shadow(d, 0.32, 0.735, 0.12, 0.026)
    shadow(d, 0.56, 0.735, 0.10, 0.024)
    fruit(d, 0.145, 0.615, 0.058, 0.058, green, SEPIA, 0.5)
    fruit(d, 0.255, 0.680, 0.064, 0.062, ["#6c3c1c", "#b8842c", "#e4c04c", "#f8eca8"], SEPIA, 0.5)
    fruit(d, 0.505, 0.700, 0.056, 0.040, ["#94701c", "#d4b02c", "#f4dc54", "#fcf4b4"], SEPIA)
    fruit(d, 0.635, 0.715, 0.040, 0.040, ["#5c1428", "#a42c34", "#d8584c", "#f4b49c"], RUST)
    fruit(d, 0.700, 0.725, 0.037, 0.036, ["#5c1428", "#a42c34", "#d8584c", "#f4b49c"], RUST)
    knife = np.array([(0.76, 0.755), (0.90, 0.690), (0.915, 0.690), (0.775, 0.765)])
    d.shape_in(d.inside(knife), 0.75, rgb("#b8c0c8"), (1.0, -0.5), INDIGO)
    d.contour(knife, 1.8)
    grip = np.array([(0.895, 0.688), (0.975, 0.648), (0.985, 0.660), (0.910, 0.702)])
    d.shape_in(d.inside(grip), 0.25, rgb("#7c3c24"), (1.0, -0.5), SEPIA)
    d.contour(np.vstack([grip, grip[:1]]), 2.2)
    return work(d)
