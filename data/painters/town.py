"""A hill town above a bridge."""

from __future__ import annotations

import numpy as np
from PIL import Image
from scipy.ndimage import gaussian_filter

from painters.canvas import blend, curve, ramp, rgb, smooth
from painters.pen import INDIGO, RUST, SEPIA, Drawing, work
from painters.village import bridge, bush, cypress, house


def first(rng: np.random.Generator, size: int) -> Image.Image:
    """A hill town above a bridge.

    Args:
        rng: Source of randomness.
        size: Longer side in pixels.

    Returns:
        The picture.
    """
    d = Drawing(rng, size, int(size * 0.78))
    x, y = d.x, d.y
    cloud = d.fbm(0.17, 4) + 1.3 * np.exp(-(((y - 0.17) / 0.09) ** 2)) - 0.6
    puff = smooth(cloud, -0.2, 0.5)
    gy, gx = np.gradient(gaussian_filter(cloud, 11 * size / 800))
    air = ramp(y / 0.42, ["#3c68b0", "#6c9ccc", "#b4ccd0", "#f4cc9c", "#ee9c74"])
    tone = 0.52 + 0.5 * y + 0.30 * puff - 0.30 * smooth(gy * 45, 0.15, 1.0)
    d.shape_in(
        y < 2,
        np.clip(tone, 0, 1),
        blend(air, rgb("#fffaf0"), 0.72 * puff),
        (1.0 - gy * 40, gx * 40 + 0.12),
        INDIGO,
    )
    u = np.linspace(-0.02, 1.02, 140)
    for base, rise, k, wash, ink, dark in (
        (0.37, 0.035, 5.0, "#9cb0d0", INDIGO, 0.78),
        (0.41, 0.03, 8.0, "#a4b08c", INDIGO, 0.66),
        (0.45, 0.022, 11.0, "#c4b474", SEPIA, 0.62),
    ):
        ridge = base - rise * np.sin(u * k + k) - 0.3 * rise * np.sin(u * 2.7 * k)
        line = np.interp(x[0], u, ridge)
        below = y - line[None]
        lean = np.gradient(line)[None] * d.unit
        mark = 0.13 * d.fbm(0.04, 3)
        d.shape_in(
            below > 0,
            dark + mark - 1.4 * np.clip(0.05 - below, 0, 1),
            rgb(wash) * (1 + 0.3 * mark)[..., None],
            (1.0, lean * 2 + 0.35),
            ink,
        )
        d.contour(np.stack([u, ridge], axis=1), 2.0, ink)
    hill = curve(
        [
            (0.20, 0.60),
            (0.30, 0.49),
            (0.42, 0.40),
            (0.55, 0.35),
            (0.68, 0.37),
            (0.82, 0.47),
            (0.96, 0.53),
            (1.06, 0.60),
            (1.06, 0.75),
            (0.2, 0.75),
        ],
        90,
    )
    d.shape_in(
        d.inside(hill),
        0.62 + 0.16 * d.fbm(0.04, 3),
        ramp(0.5 + 0.25 * d.noise(0.04), ["#8c8c44", "#b4a85c", "#dcc47c"]),
        (1.0, 0.9 * (x - 0.58)),
        SEPIA,
    )
    d.contour(hill[:70], 2.2)
    tower = [(0.555, 0.40), (0.555, 0.20), (0.60, 0.20), (0.60, 0.40)]
    shade = smooth(x, 0.555, 0.60)
    d.shape_in(
        d.inside(tower),
        0.92 - 0.62 * shade,
        ramp(1 - shade, ["#a87c64", "#e8c898", "#f4e0b8"]),
        (1.0, 0.12),
        SEPIA,
    )
    cone = [(0.548, 0.205), (0.5775, 0.10), (0.607, 0.205)]
    d.shape_in(
        d.inside(cone),
        0.80 - 0.62 * shade,
        ramp(1 - shade, ["#7c2c2c", "#c4543a", "#e08858"]),
        (x - 0.5775, y - 0.07),
        RUST,
    )
    d.contour([*tower, tower[0]], 2.4)
    d.contour([*cone, cone[0]], 2.4)
    for wy in (0.235, 0.29, 0.34):
        d.shape_in(
            d.inside([(0.571, wy), (0.571, wy + 0.026), (0.582, wy + 0.026), (0.582, wy)]),
            0.1,
            rgb("#5c688c"),
            (0, 1.0),
            INDIGO,
        )
    for row, (low, high) in enumerate(
        ((0.50, 0.66), (0.43, 0.74), (0.37, 0.83), (0.33, 0.90), (0.40, 0.97))
    ):
        for px in np.arange(low, high, 0.053):
            hx = px + rng.uniform(-0.012, 0.012)
            foot = (
                0.405
                + 0.043 * row
                + 0.32 * (hx - 0.60) ** 2 * (1.6 - 0.2 * row)
                + rng.uniform(-0.008, 0.008)
            )
            if rng.random() < 0.88:
                house(d, hx, foot, rng.uniform(0.05, 0.072))
            else:
                bush(d, hx + 0.03, foot - 0.03, 0.032, 0.045)
    water = y > 0.615
    depth = np.clip(y - 0.615, 0, 1)
    ripple = gaussian_filter(rng.standard_normal(d.shape), (1.4 * size / 800, 16 * size / 800)) * 6
    r = np.clip(
        (0.615 - depth * 1.15 + 0.008 * ripple * (0.4 + depth * 3)) * d.unit, 0, d.height - 1
    ).astype(int)
    mirror = np.take_along_axis(d.tone, r, axis=0)
    image = np.take_along_axis(d.colour, r[..., None], axis=0)
    tone = 0.35 + 0.5 * mirror + 0.09 * ripple
    d.shape_in(
        water,
        tone,
        blend(image, rgb("#6c9cb8"), np.full(d.shape, 0.48)),
        (1.0, 0.06 * ripple),
        INDIGO,
    )
    bridge(d)
    bank = curve(
        [(-0.05, 0.64), (0.08, 0.66), (0.2, 0.70), (0.32, 0.715), (0.40, 0.755), (0.45, 0.82)], 60
    )
    land = d.inside(np.vstack([bank, [[-0.05, 0.82]]]))
    d.shape_in(
        land,
        0.6 + 0.22 * d.fbm(0.03, 3),
        ramp(0.5 + 0.25 * d.noise(0.05), ["#7c7c34", "#b0984c", "#dcc07c"]),
        (0.7, 1.0 + d.noise(0.06)),
        SEPIA,
    )
    d.contour(bank, 2.8)
    for cx, foot, tall, wide in (
        (0.075, 0.74, 0.62, 0.062),
        (0.185, 0.76, 0.42, 0.045),
        (0.275, 0.775, 0.24, 0.03),
    ):
        cypress(d, cx, foot, tall, wide)
    bush(d, 0.955, 0.745, 0.12, 0.095)
    bush(d, 0.83, 0.775, 0.07, 0.05)
    for _ in range(90):
        gx0, gy0 = rng.uniform(0.0, 0.40), rng.uniform(0.70, 0.79)
        blade = curve(
            [
                (gx0, gy0),
                (gx0 + rng.normal(0, 0.006), gy0 - 0.02),
                (gx0 + rng.normal(0, 0.018), gy0 - rng.uniform(0.025, 0.05)),
            ],
            10,
        )
        if gy0 > 0.66 + 0.3 * gx0:
            d.line(blade * d.unit, 1.7, SEPIA)
    return work(d)
