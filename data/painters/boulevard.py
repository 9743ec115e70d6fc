"""A wet boulevard with lamps and red awnings."""

from __future__ import annotations

import numpy as np
from PIL import Image

from painters.canvas import blend, ramp, rgb, smooth
from painters.scene import Scene
from painters.street import Street, night
from painters.terrace import lamp, walker, work


def second(rng: np.random.Generator, size: int) -> Image.Image:
    """A wet boulevard with lamps and red awnings.

    Args:
        rng: Source of randomness.
        size: Longer side in pixels.

    Returns:
        The picture.
    """
    s = Scene(rng, size, int(size * 0.8))
    st = Street(s, 0.56, 0.42, 0.36)
    moon = [
        (0.62, 0.10, 0.030),
        (0.45, 0.06, 0.010),
        (0.52, 0.17, 0.009),
        (0.72, 0.05, 0.009),
        (0.49, 0.25, 0.008),
        (0.68, 0.21, 0.009),
    ]
    night(
        s,
        ["#1a1044", "#34206c", "#4c3c94", "#7c5ca4", "#c87c8c"],
        moon,
        ["#7c6cb8", "#d0b4c8", "#f8e4bc", "#fffaf0"],
    )
    lit = ["#fcc450", "#f8983c", "#fde08c", "#f0643c"]
    st.facade(0.60, 4.2, 8.0, 0.85, ["#241850", "#44306c", "#745488", "#a87c90"], lit, 4, 5)
    st.facade(0.60, 2.2, 4.2, 1.05, ["#0f2444", "#1c4464", "#34747c", "#6ca498"], lit, 4, 4)
    st.facade(0.60, 1.1, 2.2, 0.92, ["#28103c", "#54204c", "#8c3c58", "#c0686c"], lit, 4, 4)
    st.facade(-0.62, 4.4, 8.0, 0.80, ["#1c2454", "#384c84", "#6c74a0", "#a898a8"], lit, 4, 5)
    st.facade(-0.62, 2.4, 4.4, 1.0, ["#3c1434", "#7c2c40", "#b8544c", "#dc8c64"], lit, 4, 4)
    st.facade(-0.62, 1.02, 2.4, 1.15, ["#14304c", "#1f5c70", "#3c8c8c", "#8cb8a0"], lit, 4, 5)
    for side in (-1, 1):
        for near, far, tone in (
            (1.06, 1.6, "#d8302c"),
            (1.75, 2.5, "#f0a02c"),
            (2.7, 3.8, "#c82c4c"),
            (4.4, 6.0, "#e87c2c"),
        ):
            w = side * 0.61
            shop = st.quad((w, -0.35, near), (w, -0.13, near), (w, -0.13, far), (w, -0.35, far))
            s.put(
                shop,
                ramp(
                    1.2
                    - 1.5 * (s.y - st.vy) / np.maximum(np.abs(s.x - st.vx), 0.05)
                    + 0.16 * s.noise(0.016),
                    ["#b8441f", "#e88424", "#f8b83c", "#fde884", "#fff6c4"],
                ),
                (0.05, 1.0),
            )
            cuts = np.linspace(near, far, 4)[1:-1] + s.rng.normal(0, 0.03, 2) * near
            for part in (near, *cuts, far - 0.04 * near):
                post = st.quad(
                    (w, -0.35, part),
                    (w, -0.13, part),
                    (w, -0.13, part + 0.03 * near),
                    (w, -0.35, part + 0.03 * near),
                )
                s.put(post, rgb("#5c2424"), (0, 1.0))
            for low, high, dark in ((-0.36, -0.31, "#54203c"), (-0.19, -0.18, "#7c3424")):
                rail = st.quad((w, low, near), (w, high, near), (w, high, far), (w, low, far))
                s.put(rail, rgb(dark), (st.vx - s.x, st.vy - s.y))
            for _ in range(3):
                guest, tall = s.rng.uniform(near, far), s.rng.uniform(-0.25, -0.22)
                bust = st.quad(
                    (w, -0.31, guest),
                    (w, tall, guest + 0.01 * near),
                    (w, tall, guest + 0.05 * near),
                    (w, -0.31, guest + 0.07 * near),
                )
                s.put(bust, rgb(str(s.rng.choice(["#3c1c4c", "#7c2c3c", "#1c3c5c"]))), (0, 1.0))
            cloth = st.quad(
                (w, -0.03, near),
                (side * 0.50, -0.10, near),
                (side * 0.50, -0.10, far),
                (w, -0.03, far),
            )
            z = 0.55 / np.maximum(np.abs(s.x - st.vx), 0.04)
            stripe = smooth(np.sin(np.log(np.maximum(z, 0.2)) * 46), -0.3, 0.3)
            s.put(
                cloth,
                blend(np.broadcast_to(rgb(tone), s.colour.shape), rgb("#fce4b4"), 0.8 * stripe),
                (side * 0.6, -0.6),
            )
            hem = st.quad(
                (side * 0.50, -0.10, near),
                (side * 0.50, -0.125, near),
                (side * 0.50, -0.125, far),
                (side * 0.50, -0.10, far),
            )
            s.put(hem, rgb(tone) * 0.72, (0.05, 1.0))
    lamps = [(-0.40, 1.25), (0.36, 1.6), (-0.40, 2.3), (0.36, 3.0), (-0.40, 4.2), (0.36, 5.2)]
    for a, b in lamps[::-1]:
        lx, ly = st.at(a, 0.115, b)
        lamp(s, lx, ly, 0.022 / b, 0.17 / b, "#fffbe0", "#ff9c3c")
    st.cobbles(
        ["#120f38", "#28285c", "#44508c", "#8c8cb8"],
        ["#7c3444", "#c8683c", "#f4a84c", "#fde49c"],
        [(a * 0.8, b, 0.26) for a, b in lamps] + [(0.0, 7.0, 1.6)],
        0.85,
        0.61,
    )
    for a, b in lamps[::-1]:
        w = 0.006
        s.put(
            st.quad((a - w, -0.36, b), (a - w, 0.09, b), (a + w, 0.09, b), (a + w, -0.36, b)),
            rgb("#14102c"),
            (0, 1.0),
        )
        s.put(
            st.quad(
                (a - 0.026, 0.08, b),
                (a - 0.016, 0.095, b),
                (a + 0.016, 0.095, b),
                (a + 0.026, 0.08, b),
            ),
            rgb("#14102c"),
            (1.0, 0),
        )
    people = [
        (-0.05, 4.6, "#1c1440"),
        (0.12, 3.9, "#4c1c3c"),
        (0.22, 2.9, "#241848"),
        (-0.13, 3.2, "#2c2c5c"),
        (0.02, 2.0, "#241848"),
        (0.09, 1.96, "#8c2438"),
        (-0.25, 1.7, "#14204c"),
        (0.17, 1.32, "#1c1844"),
    ]
    for a, b, coat in people:
        walker(s, st, a, b, coat, "#f8a44c")
        fx, fy = st.at(a, -0.36, b)
        shade = (
            np.exp(-(((s.x - fx) / (0.07 / b)) ** 2))
            * smooth(s.y, fy - 0.002, fy + 0.01)
            * smooth(s.y, fy + 0.34 / b, fy)
        )
        s.colour = blend(s.colour, rgb(coat), 0.75 * shade)
    for a, b, tone in ((0.04, 2.0, "#c82c34"), (-0.25, 1.7, "#2c6c9c"), (0.17, 1.32, "#e89c2c")):
        fx, fy = st.at(a + 0.012, -0.105, b)
        dome = (np.hypot(s.x - fx, (s.y - fy) * 1.7) < 0.085 / b) & (s.y < fy + 0.008 / b)
        s.put(
            dome,
            rgb(tone) * (1.25 - 0.7 * smooth(s.x, fx - 0.1 / b, fx + 0.1 / b))[..., None],
            (1.0, 0.4 * np.sign(s.x - fx)),
        )
    dark = "#100a28"
    lines = [
        ([st.at(w, h, a), st.at(w, h, b)], 3.0, dark)
        for w, h, a, b in (
            (0.6, 0.92, 1.1, 2.2),
            (0.6, 1.05, 2.2, 4.2),
            (-0.62, 1.0, 2.4, 4.4),
            (-0.62, 1.15, 1.02, 2.4),
            (0.6, -0.36, 1.1, 2.2),
            (-0.62, -0.36, 1.02, 2.3),
        )
    ]
    return work(s, lines)
