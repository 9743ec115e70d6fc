"""Waves in the manner of colour woodblock prints."""

from __future__ import annotations

import numpy as np
from PIL import Image

from painters.canvas import (
    curve,
    ramp,
    rgb,
    smooth,
)
from painters.coast import boat, cloud, mountain
from painters.sea import swell, wave
from painters.sheet import FOAM, LINE, Sheet


def first(rng: np.random.Generator, size: int) -> Image.Image:
    """A great blue wave over a boat, with a far mountain.

    Args:
        rng: Source of randomness.
        size: Longer side in pixels.

    Returns:
        The picture.
    """
    s = Sheet(rng, size, int(size * 0.75))
    sky = ramp(s.y / 0.5, ["#3f6c9c", "#a9c0b8", "#ead9ae", "#f2c79a", "#e9b08e"])
    s.wash(np.ones(s.shape), sky)
    for cy, cx in ((0.13, 0.78), (0.20, 0.62), (0.27, 0.90), (0.33, 0.72)):
        bank = smooth(np.abs(s.y - cy - 0.008 * np.sin(s.x * 22 + cy * 50)), 0.02, 0.012)
        bank = bank * smooth(np.abs(s.x - cx), 0.24, 0.15)
        s.wash(bank * 0.7, rgb("#f6e6c4"))
    for cx, cy, wide in (
        (0.80, 0.20, 0.10),
        (0.63, 0.13, 0.075),
        (0.945, 0.30, 0.08),
        (0.58, 0.335, 0.05),
    ):
        cloud(s, cx, cy, wide, ["#f6ead0", "#e8c8a4", "#c4ccc0"])
    mountain(s, (0.76, 0.285), 0.485, 0.23, ["#2c4a84", "#4c78a8", "#9cb4b4", "#e4c8a0"], 0.05)
    blues = ["#5c98bc", "#143070", "#2456a0", "#b4d4d8", "#17397c", "#3f7cb8"]
    swell(
        s,
        [(-0.1, 0.52), (0.3, 0.47), (0.6, 0.50), (0.8, 0.465), (1.1, 0.50)],
        ["#2f66a4", "#6ca8c4", "#a8d0d0", "#3c74ac"],
        0.018,
        1,
    )
    wave(
        s,
        [
            (0.62, 0.66),
            (0.47, 0.61),
            (0.37, 0.52),
            (0.335, 0.41),
            (0.36, 0.31),
            (0.43, 0.262),
            (0.49, 0.28),
            (0.535, 0.335),
        ],
        [
            (-0.36, 0.80),
            (-0.22, 0.60),
            (-0.06, 0.36),
            (0.08, 0.18),
            (0.24, 0.085),
            (0.40, 0.10),
            (0.52, 0.18),
            (0.565, 0.30),
        ],
        blues,
        0.052,
        0.42,
    )
    boat(s, 0.66, 0.545, 0.24, -0.12)
    swell(
        s,
        [(-0.1, 0.70), (0.15, 0.62), (0.4, 0.60), (0.62, 0.615), (0.8, 0.56), (1.1, 0.47)],
        ["#12306c", "#2c68ac", "#7cb4c8", "#1c4484"],
        0.034,
        -1,
    )
    boat(s, 0.27, 0.625, 0.20, -0.16)
    swell(
        s,
        [(-0.1, 0.62), (0.1, 0.66), (0.35, 0.71), (0.6, 0.68), (0.85, 0.66), (1.1, 0.60)],
        ["#1c4c94", "#102a64", "#2c6cac", "#9cc8d0"],
        0.040,
        1,
    )
    s.fill([(0.925, 0.045), (0.965, 0.045), (0.965, 0.125), (0.925, 0.125)], "#b8382c", 1.2)
    for k in range(4):
        a = 0.058 + 0.017 * k
        s.stroke([(0.934, a), (0.956, a + 0.004)], 2.4, FOAM)
        s.stroke([(0.945, a - 0.006), (0.943, a + 0.010)], 2.0, FOAM)
    return s.pull()


def second(rng: np.random.Generator, size: int) -> Image.Image:
    """Green waves at sunset before a red mountain, with sails.

    Args:
        rng: Source of randomness.
        size: Longer side in pixels.

    Returns:
        The picture.
    """
    s = Sheet(rng, size, int(size * 0.75))
    sky = ramp(s.y / 0.46, ["#26305c", "#8c4c5c", "#dc6a44", "#f4a850", "#f6d888"])
    s.wash(np.ones(s.shape), sky)
    sun = np.hypot(s.x - 0.30, s.y - 0.20)
    s.wash(smooth(sun, 0.094, 0.092), ramp((s.y - 0.1) / 0.2, ["#c8242c", "#d8402c", "#f08c4c"]))
    for cy, cx, wide in (
        (0.10, 0.22, 0.2),
        (0.165, 0.42, 0.22),
        (0.25, 0.18, 0.26),
        (0.29, 0.5, 0.2),
        (0.06, 0.66, 0.2),
    ):
        bank = smooth(np.abs(s.y - cy - 0.007 * np.sin(s.x * 24 + cy * 60)), 0.017, 0.010)
        s.wash(bank * smooth(np.abs(s.x - cx), wide, wide * 0.6) * 0.8, rgb("#fae0b0"))
    for cx, cy, wide in (
        (0.12, 0.185, 0.085),
        (0.43, 0.235, 0.075),
        (0.70, 0.075, 0.08),
        (0.93, 0.135, 0.09),
    ):
        cloud(s, cx, cy, wide, ["#fae0b0", "#f0a468", "#c85c54"])
    mountain(s, (0.20, 0.255), 0.44, 0.30, ["#6c2430", "#a83c30", "#cc6c44", "#4c6c54"], 0.032)
    for k in range(7):
        a, b = 0.44 + 0.028 * k, 0.115 + 0.014 * k + rng.normal(0, 0.006)
        s.stroke(
            curve(
                [
                    (a - 0.016, b - 0.008),
                    (a - 0.006, b - 0.006),
                    (a, b),
                    (a + 0.006, b - 0.008),
                    (a + 0.017, b - 0.011),
                ],
                20,
            ),
            1.9,
            LINE,
            0.8,
        )
    greens = ["#58a89c", "#0f3c54", "#1c6c74", "#c4e0c0", "#123058", "#3c9484"]
    swell(
        s,
        [(-0.1, 0.44), (0.2, 0.425), (0.5, 0.45), (0.8, 0.42), (1.1, 0.45)],
        ["#e09c5c", "#c8b080", "#6ca898", "#2c7478"],
        0.014,
        -1,
    )
    boat(s, 0.10, 0.445, 0.095, 0.03, "#f4e2b8")
    boat(s, 0.24, 0.455, 0.12, -0.04, "#e8b878")
    swell(
        s,
        [(-0.1, 0.50), (0.15, 0.525), (0.4, 0.50), (0.7, 0.54), (1.1, 0.5)],
        ["#1c5c6c", "#48a098", "#a8d0b0", "#2c7478"],
        0.024,
        -1,
    )
    wave(
        s,
        [
            (0.36, 0.70),
            (0.50, 0.65),
            (0.60, 0.57),
            (0.645, 0.46),
            (0.625, 0.36),
            (0.56, 0.31),
            (0.50, 0.325),
            (0.455, 0.375),
        ],
        [
            (1.32, 0.80),
            (1.2, 0.62),
            (1.06, 0.42),
            (0.93, 0.25),
            (0.78, 0.155),
            (0.62, 0.155),
            (0.49, 0.225),
            (0.425, 0.345),
        ],
        greens,
        0.050,
        0.42,
    )
    boat(s, 0.29, 0.60, 0.19, 0.13, "#f0d8a4")
    swell(
        s,
        [(-0.1, 0.58), (0.1, 0.63), (0.35, 0.67), (0.6, 0.64), (0.8, 0.66), (1.1, 0.72)],
        ["#0f3450", "#2c8484", "#90c8b0", "#185464"],
        0.036,
        -1,
    )
    swell(
        s,
        [(-0.1, 0.72), (0.15, 0.66), (0.4, 0.70), (0.65, 0.73), (0.9, 0.66), (1.1, 0.62)],
        ["#1c6470", "#0f2c50", "#3c948c", "#c8d8a8"],
        0.040,
        1,
    )
    s.fill([(0.035, 0.04), (0.075, 0.04), (0.075, 0.12), (0.035, 0.12)], "#2c3c6c", 1.2)
    for k in range(4):
        a = 0.053 + 0.017 * k
        s.stroke([(0.044, a), (0.066, a + 0.004)], 2.4, FOAM)
        s.stroke([(0.055, a - 0.006), (0.053, a + 0.010)], 2.0, FOAM)
    return s.pull()
