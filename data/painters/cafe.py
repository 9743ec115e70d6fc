"""A café terrace under stars."""

from __future__ import annotations

import numpy as np
from PIL import Image

from painters.canvas import blend, ramp, rgb, smooth
from painters.scene import Scene
from painters.street import Street, night
from painters.terrace import lamp, table, walker, work


def first(rng: np.random.Generator, size: int) -> Image.Image:
    """A café terrace under stars.

    Args:
        rng: Source of randomness.
        size: Longer side in pixels.

    Returns:
        The picture.
    """
    s = Scene(rng, int(size * 0.8), size)
    st = Street(s, 0.47, 0.50, 0.5)
    stars = [
        (0.40, 0.09, 0.017),
        (0.52, 0.05, 0.012),
        (0.47, 0.19, 0.014),
        (0.60, 0.13, 0.018),
        (0.36, 0.20, 0.010),
        (0.55, 0.25, 0.012),
        (0.43, 0.30, 0.011),
        (0.67, 0.04, 0.011),
        (0.31, 0.04, 0.013),
        (0.50, 0.36, 0.008),
        (0.64, 0.22, 0.008),
        (0.56, 0.33, 0.007),
    ]
    night(
        s,
        ["#0c1648", "#16307c", "#2450a4", "#3c78c0", "#7cace0"],
        stars,
        ["#3c6ac0", "#a8c8e0", "#f4ecc0", "#fffbe8"],
    )
    below, _, _ = st.ground()
    s.put(below, ramp(0.5 + 0.3 * s.noise(0.02), ["#1c2450", "#34467c"]), (1.0, 0.1))
    cold, lit = ["#0e1636", "#1c2c5c", "#34508c", "#5878a8"], ["#f8b43c", "#fcd464", "#f08c34"]
    st.facade(0.50, 3.6, 6.0, 0.75, cold, lit, 3, 3)
    st.facade(0.46, 2.1, 3.6, 0.62, ["#14143c", "#2c2c64", "#4c4c8c", "#7c78a8"], lit, 3, 3)
    st.facade(0.42, 1.25, 2.1, 0.78, ["#10203c", "#1f3c64", "#3c6488", "#6c94a0"], lit, 4, 3)
    st.facade(-0.50, 3.4, 6.0, 0.6, ["#20204c", "#4c3c64", "#8c6458", "#c89458"], lit, 3, 4)
    tower = s.inside([(0.452, 0.52), (0.452, 0.42), (0.466, 0.36), (0.480, 0.42), (0.480, 0.52)])
    s.put(tower, rgb("#1f2c64"), (0, 1.0))
    st.cobbles(
        ["#141c48", "#2c3c7c", "#4c64a4", "#8c9cc0"],
        ["#8c4a34", "#d08438", "#f4bc50", "#fdeaa4"],
        [(-0.2, 1.25, 0.42), (-0.1, 2.2, 0.35), (0.15, 4.5, 0.5), (0.42, 2.6, 0.18)],
        0.0,
        0.42,
    )
    wall = st.quad((-0.47, -0.5, 0.95), (-0.47, 1.2, 0.95), (-0.47, 0.95, 3.4), (-0.47, -0.5, 3.4))
    z = 0.47 / np.maximum(st.vx - s.x, 0.05)
    high = -(s.y - st.vy) * z
    warm = (
        0.86
        - 0.70 * smooth(np.hypot((z - 1.2) * 0.5, (high + 0.25) * 0.85), 0.04, 0.62)
        + 0.11 * s.fbm(0.03, 3)
    )
    s.put(
        wall,
        ramp(warm, ["#3c2c64", "#8c4c44", "#dc842c", "#f8b830", "#fce068", "#fff2a8"]),
        (0.15 * s.noise(0.05), 1.0),
    )
    for near in (1.02, 1.42, 1.95, 2.6):
        far = near + 0.23 * near**0.7
        door = st.quad(
            (-0.47, -0.46, near), (-0.47, -0.12, near), (-0.47, -0.12, far), (-0.47, -0.46, far)
        )
        s.put(door, rgb("#b8501f"), (0, 1.0))
        glass = st.quad(
            (-0.47, -0.36, near + 0.05),
            (-0.47, -0.15, near + 0.05),
            (-0.47, -0.15, far - 0.05),
            (-0.47, -0.36, far - 0.05),
        )
        s.put(glass, rgb("#f8c04c"), (0, 1.0))
        window = st.quad(
            (-0.47, 0.28, near), (-0.47, 0.50, near), (-0.47, 0.50, far), (-0.47, 0.28, far)
        )
        s.put(window, rgb("#2c4a7c") if near < 1.5 else rgb("#fcc850"), (0, 1.0))
        for edge in (near - 0.09 * near, far):
            blind = st.quad(
                (-0.47, 0.27, edge),
                (-0.47, 0.51, edge),
                (-0.47, 0.51, edge + 0.08 * near),
                (-0.47, 0.27, edge + 0.08 * near),
            )
            s.put(blind, rgb("#2c7a6c"), (0, 1.0))
    floor = st.quad(
        (-0.47, -0.48, 0.95), (-0.13, -0.48, 0.95), (-0.13, -0.48, 3.2), (-0.47, -0.48, 3.2)
    )
    _, _, gz = st.ground()
    planks = 0.62 + 0.2 * np.sin(gz * 42) + 0.1 * s.noise(0.02)
    s.put(floor, ramp(planks, ["#a84c24", "#e07c2c", "#f4a83c", "#fcd468"]), (1.0, 0.12))
    s.put(
        st.quad(
            (-0.13, -0.48, 0.95), (-0.13, -0.505, 0.95), (-0.13, -0.505, 3.2), (-0.13, -0.48, 3.2)
        ),
        rgb("#7c3428"),
        (st.vx - s.x, st.vy - s.y),
    )
    for a, b in (
        (-0.37, 2.7),
        (-0.22, 2.5),
        (-0.38, 2.05),
        (-0.22, 1.85),
        (-0.39, 1.55),
        (-0.22, 1.38),
        (-0.37, 1.18),
        (-0.21, 1.06),
    ):
        table(s, st, a, b, "#f4ecc0")
    for a, b, coat in (
        (0.10, 3.3, "#1c2450"),
        (0.17, 3.2, "#5c2c44"),
        (-0.02, 4.6, "#1c2c54"),
        (-0.31, 2.2, "#3c2c4c"),
        (0.12, 1.75, "#241c48"),
        (0.04, 1.72, "#7c2438"),
        (-0.29, 1.62, "#f4ead0"),
    ):
        walker(s, st, a, b, coat, "#f8b84c")
    roof = st.quad((-0.47, 0.16, 0.8), (-0.10, -0.09, 0.8), (-0.10, -0.09, 2.7), (-0.47, 0.16, 2.7))
    plane = 0.158 / np.maximum(s.y - st.vy - 0.676 * (s.x - st.vx), 0.01)
    stripe = smooth(np.sin(np.log(plane) * 34), -0.25, 0.25)
    shade = (0.72 + 0.4 * smooth(s.y, 0.36, 0.60) + 0.08 * s.noise(0.03))[..., None]
    s.put(
        roof,
        blend(np.broadcast_to(rgb("#d4502a"), s.colour.shape), rgb("#f6c65c"), stripe) * shade,
        (0.80, 0.60),
    )
    under = st.quad(
        (-0.10, -0.09, 0.8), (-0.10, -0.135, 0.8), (-0.10, -0.135, 2.7), (-0.10, -0.09, 2.7)
    )
    s.put(under, ramp(0.5 + 0.5 * np.sin(np.log(z) * 110), ["#a8301f", "#f0a83c"]), (0.05, 1.0))
    lx, ly = st.at(-0.20, -0.13, 1.02)
    lamp(s, lx, ly, 0.017, 0.10, "#fffce0", "#fff0a0")
    lx, ly = st.at(0.40, 0.22, 2.0)
    lamp(s, lx, ly, 0.010, 0.055, "#fff6cc", "#f8a840")
    leaf = np.hypot((s.x - 0.78) / 0.11, (s.y - 0.40) / 0.19) + 0.2 * s.fbm(0.05, 3) < 1
    s.put(
        leaf,
        ramp(
            0.40 + 0.2 * s.fbm(0.02, 3) - 1.6 * (s.x - 0.75),
            ["#0c2430", "#1c4c3c", "#4c7c3c", "#b8b048"],
        ),
        (s.y - 0.4, -(s.x - 0.78) + 0.05),
    )
    s.put(
        s.inside([(0.765, 0.86), (0.775, 0.52), (0.80, 0.52), (0.80, 0.88)]),
        rgb("#241c38"),
        (0.05, 1.0),
    )
    dark = "#0c1030"
    lines = [
        ([st.at(w, h, a), st.at(w, h, b)], 3.2, dark)
        for w, h, a, b in (
            (0.42, 0.78, 1.25, 2.1),
            (0.46, 0.62, 2.1, 3.6),
            (0.42, -0.5, 1.0, 2.1),
            (-0.47, 0.16, 0.95, 2.7),
        )
    ]
    lines += [
        ([st.at(-0.10, -0.135, 0.8), st.at(-0.10, -0.135, 2.7)], 2.8, "#5c1f1c"),
        ([st.at(-0.13, -0.49, 0.95), st.at(-0.13, -0.49, 3.2)], 3.0, "#4c1c2c"),
    ]
    return work(s, lines)
