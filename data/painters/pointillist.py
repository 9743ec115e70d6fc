"""Riverbanks in dots of divided colour."""

from __future__ import annotations

import numpy as np
from PIL import Image
from scipy.ndimage import gaussian_filter

from painters.canvas import blend, ramp, rgb, smooth
from painters.dots import work
from painters.river import crown, person, trunk, water
from painters.scene import Scene


def first(rng: np.random.Generator, size: int) -> Image.Image:
    """A summer afternoon on a lawn by the river.

    Args:
        rng: Source of randomness.
        size: Longer side in pixels.

    Returns:
        The picture.
    """
    scene = Scene(rng, size, int(size * 0.8))
    x, y = scene.x, scene.y
    cloud = smooth(scene.fbm(0.16, 4) + 1.6 * (y - 0.12), 0.1, 1.3)
    air = ramp(y / 0.34, ["#3f7cc8", "#7ab2dc", "#bcd8dc", "#f4e4bc"])
    scene.put(y < 2, blend(air, rgb("#fbeed2"), 0.8 * cloud), (1.0, 0.2 * scene.noise(0.1)))
    far = 0.318 - 0.014 * np.sin(x * 11) - 0.008 * scene.noise(0.03)
    scene.put((y > far) & (y < 0.4), ramp((y - 0.29) / 0.08, ["#7c9cc0", "#6c9c98", "#98b868"]))
    leaves = ["#20356c", "#24685a", "#4c9440", "#9cc23c", "#f2e25c"]
    for k in range(15):
        cx = 0.03 + 0.069 * k + rng.uniform(-0.02, 0.02)
        tall = rng.uniform(0.03, 0.05) if k % 3 else 0.085
        crown(scene, (cx, 0.356 - tall * 0.85, 0.026 if k % 3 else 0.016, tall), leaves)
    scene.put(
        scene.inside([(0.58, 0.362), (0.58, 0.325), (0.655, 0.325), (0.655, 0.362)]), rgb("#f2dcb4")
    )
    scene.put(
        scene.inside([(0.57, 0.327), (0.595, 0.297), (0.645, 0.297), (0.667, 0.327)]),
        rgb("#cc4f34"),
    )
    water(scene, y > 0.362, 0.362, ["#bfe0e4", "#6cb0d8", "#3c7cc4", "#2c5aa8"], 0.62)
    for bx, by, s in ((0.375, 0.44, 0.125), (0.505, 0.392, 0.05), (0.86, 0.41, 0.075)):
        hull = [
            (bx - s * 0.42, by),
            (bx + s * 0.45, by),
            (bx + s * 0.32, by + s * 0.12),
            (bx - s * 0.3, by + s * 0.12),
        ]
        sail = [(bx, by - s * 0.05), (bx + s * 0.03, by - s * 1.05), (bx + s * 0.45, by - s * 0.1)]
        jib = [(bx - s * 0.05, by - s * 0.07), (bx, by - s * 0.95), (bx - s * 0.36, by - s * 0.1)]
        scene.put(
            scene.inside([(a, 2 * by + s * 0.15 - b) for a, b in sail]),
            rgb("#cfd8dc") * 0.95,
            None,
            False,
        )
        scene.put(scene.inside(sail), rgb("#fdf2d6"), (0.3, 1.0))
        scene.put(scene.inside(jib), rgb("#f4b27a"), (-0.3, 1.0))
        scene.put(scene.inside(hull), rgb("#a8322c"), (1.0, 0.0))
    bank = 0.47 + 0.13 * smooth(x, 0.95, 0.1) + 0.02 * np.sin(x * 9) + 0.004 * scene.noise(0.01)
    bank = bank + 0.0 * y
    depth = y - bank
    lawn = ramp(
        0.62 - 0.5 * depth + 0.12 * scene.fbm(0.05, 3), ["#2c7a3c", "#6cae38", "#a8cc40", "#ecdc58"]
    )
    scene.put(depth > 0, lawn, (1.0, 0.35))
    edge = smooth(np.abs(depth - 0.004), 0.009, 0.002)
    scene.colour = blend(scene.colour, rgb("#2c5a4c"), 0.7 * edge)
    shadow = smooth(scene.fbm(0.07, 3) + 14 * (y - 0.735 + 0.12 * x), -0.5, 0.6) * (depth > 0)
    scene.colour = blend(
        scene.colour,
        ramp(0.5 + 0.2 * scene.noise(0.03), ["#1c3a7c", "#1f5f62", "#2c7c44"]),
        0.86 * shadow,
    )
    person(scene, 0.52, 0.630, 0.15, "#c23a64", "#f2a03c")
    person(scene, 0.605, 0.622, 0.138, "#3c4aa4", "#f6ecd0")
    person(scene, 0.76, 0.56, 0.095, "#e8805c", "#f6ecd0")
    person(scene, 0.885, 0.545, 0.075, "#4c6cc0", "#d84a34")
    trunk(
        scene,
        [(0.10, 0.74), (0.125, 0.5), (0.105, 0.2), (0.135, 0.2), (0.165, 0.5), (0.20, 0.75)],
        "#5a3458",
    )
    trunk(scene, [(0.14, 0.36), (0.24, 0.2), (0.255, 0.205), (0.155, 0.42)], "#5a3a5c")
    for spot in (
        (0.02, 0.26, 0.11, 0.1),
        (0.10, 0.12, 0.17, 0.15),
        (0.26, 0.13, 0.12, 0.10),
        (0.19, 0.22, 0.09, 0.06),
    ):
        crown(scene, spot, ["#1f2c6c", "#1f5f5c", "#3c8c3c", "#8cbc38", "#f0dc54"], 1.0)
    crown(scene, (0.985, 0.60, 0.07, 0.10), ["#2a2c70", "#246a54", "#5c9c3c", "#d8d850"], -1.0)
    return work(scene)


def second(rng: np.random.Generator, size: int) -> Image.Image:
    """Autumn poplars at sunset along still water.

    Args:
        rng: Source of randomness.
        size: Longer side in pixels.

    Returns:
        The picture.
    """
    scene = Scene(rng, size, int(size * 0.8))
    x, y = scene.x, scene.y
    glow = np.exp(-(((x - 0.64) / 0.34) ** 2 + ((y - 0.36) / 0.22) ** 2))
    air = ramp(y / 0.42 + 0.3 * glow, ["#4a4aa8", "#8c6cb8", "#dc8ca0", "#f8b46c", "#fce08c"])
    streaks = gaussian_filter(rng.standard_normal(scene.shape), (5, 42)) * 26
    air = blend(air, rgb("#f8925c"), 0.6 * smooth(streaks, 0.5, 1.6))
    scene.put(y < 2, air, (1.0, 0.1 * scene.noise(0.1)))
    sun = np.hypot(x - 0.64, y - 0.33)
    scene.colour = blend(scene.colour, rgb("#fff4b0"), smooth(sun, 0.085, 0.03))
    far = 0.385 - 0.02 * np.sin(x * 7 + 1) - 0.006 * scene.noise(0.02)
    scene.put(
        (y > far) & (y < 0.45),
        ramp(0.5 + 0.25 * scene.noise(0.03), ["#54408c", "#7c5ca0", "#b87c98"]),
    )
    gold = ["#5a2468", "#a8344c", "#e0642c", "#f6a82c", "#fde468"]
    rust = ["#3a2468", "#7a2a5c", "#c0443c", "#ee8430", "#fac850"]
    for k in range(10):
        cx = 0.45 - 0.052 * k - 0.004 * k * k
        tall, wide = 0.055 + 0.017 * k, 0.013 + 0.0022 * k
        trunk(
            scene, [(cx - 0.003, 0.44), (cx, 0.3), (cx + 0.004, 0.3), (cx + 0.006, 0.44)], "#4a2858"
        )
        crown(scene, (cx, 0.425 - tall, wide, tall), gold if k % 2 else rust, 1.0)
    for k in range(6):
        crown(scene, (0.80 + 0.045 * k, 0.40 - 0.012 * k, 0.035, 0.036 + 0.010 * k), rust, -1.0)
    scene.put(
        scene.inside([(0.55, 0.432), (0.55, 0.395), (0.60, 0.395), (0.60, 0.432)]), rgb("#c890a0")
    )
    scene.put(
        scene.inside([(0.542, 0.397), (0.56, 0.37), (0.592, 0.37), (0.608, 0.397)]), rgb("#7a2f5a")
    )
    scene.put(
        (y > 0.428) & (y < 0.45),
        ramp(0.5 + 0.3 * scene.noise(0.02), ["#3c5a4c", "#7c8c40", "#d8a440"]),
    )
    water(scene, y > 0.446, 0.446, ["#fcd498", "#e08c9c", "#7c64b4", "#34489c"], 0.74)
    path = smooth(np.abs(x - 0.64 + 0.02 * scene.noise(0.04)), 0.075, 0.01) * (y > 0.446)
    ripple = smooth(gaussian_filter(rng.standard_normal(scene.shape), (1.6, 12)) * 7, 0.1, 0.9)
    scene.colour = blend(scene.colour, rgb("#ffe890"), 0.85 * path * ripple)
    boat = [(0.43, 0.555), (0.60, 0.545), (0.575, 0.585), (0.46, 0.588)]
    scene.put(scene.inside(boat), rgb("#2c2a6c"), (1.0, 0.0))
    scene.put(
        scene.inside([(0.435, 0.557), (0.598, 0.547), (0.594, 0.556), (0.44, 0.566)]),
        rgb("#f08c3c"),
    )
    scene.put(
        scene.inside([(0.49, 0.555), (0.497, 0.495), (0.52, 0.495), (0.535, 0.552)]),
        rgb("#b8324c"),
        (0, 1.0),
    )
    scene.put(np.hypot(x - 0.508, y - 0.482) < 0.013, rgb("#f0b04c"))
    bank = (
        0.735 - 0.2 * smooth(x, 0.6, 1.05) - 0.05 * smooth(x, 0.3, 0.0) + 0.006 * scene.noise(0.012)
    )
    turf = ramp(
        0.5 + 0.2 * scene.fbm(0.03, 3) - 1.2 * (y - bank - 0.08),
        ["#2a2a6c", "#2c6a5c", "#7c9c3c", "#e0b43c", "#f8dc70"],
    )
    scene.put(y > bank, turf, (0.3, -1.0))
    for _ in range(46):
        a, b = rng.uniform(0.0, 1.0), rng.uniform(0.0, 0.2)
        stem = float(bank[int(min(0.79, 0.62 + b) * scene.unit), int(a * (scene.width - 1))])
        lean, tall = rng.normal(0, 0.02), rng.uniform(0.05, 0.13)
        blade = [
            (a, stem + 0.05 + b),
            (a + lean, stem - tall + 0.03 + b),
            (a + 0.006, stem + 0.05 + b),
        ]
        trunk(scene, blade, str(rng.choice(["#c8a83c", "#5c7c3c", "#e87c34", "#3c5a7c"])))
    trunk(
        scene,
        [(0.90, 0.70), (0.915, 0.4), (0.90, 0.12), (0.925, 0.12), (0.945, 0.4), (0.965, 0.72)],
        "#4c2458",
    )
    for spot in ((0.97, 0.22, 0.11, 0.12), (0.86, 0.14, 0.12, 0.10), (0.95, 0.05, 0.13, 0.1)):
        crown(scene, spot, ["#42205c", "#8c2a54", "#d2502c", "#f29a2c", "#fce064"], -1.0)
    return work(scene)
