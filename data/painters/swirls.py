"""Nights and dusks in swirling strokes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image

from painters.canvas import Array, ramp, smooth
from painters.country import Sky, paint_flame, paint_ground, paint_sky, paint_village
from painters.scene import Scene
from painters.strokes import Brush, Easel


def work(scene: Scene, edges: Sequence[tuple[Array, float, str]]) -> Image.Image:
    """Paint a scene from broad to fine and draw its contours.

    Args:
        scene: The scene.
        edges: Contours: points, width in pixels at 800 and colour.

    Returns:
        The picture.
    """
    easel = Easel(scene, scene.colour * 0.62)
    detail = scene.detail()
    easel.lay(Brush(40, 15, 0.5, jitter=12, tint=7, stray=9, body=90, wet=0.05))
    easel.lay(Brush(32, 8.5, 0.62, jitter=15, tint=9, stray=9, body=130, wet=0.1))
    for points, width, colour in edges:
        easel.outline(points, width, colour)
    easel.lay(Brush(24, 5.6, 0.85, jitter=17, tint=10, stray=6, body=165, wet=0.08))
    easel.lay(
        Brush(13, 3.4, 0.7, jitter=12, tint=9, stray=2, body=170, wet=0.0),
        smooth(detail, 0.25, 0.8),
    )
    easel.lay(
        Brush(21, 4.0, 1.6, jitter=10, tint=12, stray=4, body=215, wet=0.0),
        0.75 * np.ones(scene.shape),
        scene.colour * 1.13 + 16,
    )
    return easel.finish(1.0, 0.22, 0.5)


def first(rng: np.random.Generator, size: int) -> Image.Image:
    """A blue night with a moon, a great whirl, cypresses and a village.

    Args:
        rng: Source of randomness.
        size: Longer side in pixels.

    Returns:
        The picture.
    """
    scene = Scene(rng, size, int(size * 0.8))
    sky = Sky(
        colours=["#0a1440", "#142a78", "#1f4aa8", "#3a78c8", "#77aedb", "#c3dcd6", "#f1ecc0"],
        whirls=[(0.44, 0.27, 0.15), (0.64, 0.37, -0.11), (0.24, 0.43, -0.08), (0.9, 0.42, 0.08)],
        stars=[
            (0.15, 0.13, 0.052),
            (0.33, 0.08, 0.019),
            (0.50, 0.07, 0.024),
            (0.66, 0.15, 0.028),
            (0.07, 0.35, 0.020),
            (0.60, 0.02, 0.012),
            (0.93, 0.23, 0.022),
            (0.80, 0.30, 0.015),
            (0.28, 0.27, 0.014),
            (0.95, 0.05, 0.018),
        ],
        star=["#4f86b8", "#8fb89a", "#d9d27a", "#f7cf45", "#fde37c", "#fff6cf"],
        base=(1.0, 0.05),
    )
    paint_sky(scene, sky, 0.58)
    u = np.arange(scene.width) / scene.unit
    far = 0.54 - 0.045 * np.sin(u * 6.0 + 0.5) - 0.022 * np.sin(u * 14 + 2)
    mid = 0.605 - 0.028 * np.sin(u * 9.0 + 2.6)
    near = 0.70 + 0.035 * np.sin(u * 6.4 + 0.4)
    paint_ground(scene, far, ["#121f55", "#23408c", "#3d6fb0", "#7fb0c9"], 0.5)
    paint_ground(scene, mid, ["#0f2a3c", "#1d4f5c", "#3f7a5c", "#8fae62", "#d6cf78"], -0.3)
    houses = [
        (0.11 + 0.072 * k + rng.uniform(-0.01, 0.01), 0.0, rng.uniform(0.05, 0.07))
        for k in range(9)
    ]
    houses = [(a, 0.685 + rng.uniform(-0.03, 0.018), s) for a, _, s in houses]
    walls, roofs = (
        ["#5c86b0", "#3c6a9c", "#86a3a8", "#b29a6a"],
        ["#27325f", "#7a4038", "#3a4a70", "#a4562f"],
    )
    spire = [(0.385, 0.655), (0.385, 0.575), (0.40, 0.455), (0.415, 0.575), (0.415, 0.655)]
    scene.put(
        scene.inside(spire),
        ramp(smooth(scene.x, 0.385, 0.415), ["#8fb2d0", "#22386c"]),
        (0.03, 1.0),
    )
    paint_village(scene, sorted(houses, key=lambda h: h[1]), walls, roofs)
    paint_ground(scene, near, ["#0c1c2c", "#1c4038", "#3c6a34", "#86963c", "#d0b44c"], -0.45, 0.015)
    dark = ["#060d18", "#10241f", "#1e3f2c", "#3e5f2c", "#7d7a35"]
    flames = [
        paint_flame(
            scene, [(0.90, 0.83), (0.885, 0.62), (0.895, 0.42), (0.872, 0.28)], 0.055, dark
        ),
        paint_flame(scene, [(0.80, 0.83), (0.805, 0.68), (0.79, 0.56), (0.802, 0.46)], 0.042, dark),
    ]
    edges = [(np.stack([u, ridge], axis=1), 4.2, "#0b1638") for ridge in (far, mid, near)]
    edges += [(flame, 3.4, "#060b16") for flame in flames]
    edges += [(np.array(spire), 2.6, "#0b1638")]
    return work(scene, edges)


def second(rng: np.random.Generator, size: int) -> Image.Image:
    """A green and violet dusk with a great orange moon over wheat.

    Args:
        rng: Source of randomness.
        size: Longer side in pixels.

    Returns:
        The picture.
    """
    scene = Scene(rng, size, int(size * 0.8))
    sky = Sky(
        colours=["#2a1650", "#3f2f86", "#2c6a94", "#2f9c94", "#7cc49a", "#d8d488", "#f8e6a0"],
        whirls=[(0.30, 0.17, -0.14), (0.10, 0.36, 0.10), (0.48, 0.36, 0.09), (0.93, 0.40, -0.08)],
        stars=[
            (0.72, 0.20, 0.075),
            (0.52, 0.10, 0.016),
            (0.08, 0.10, 0.018),
            (0.94, 0.08, 0.017),
            (0.43, 0.03, 0.012),
            (0.20, 0.36, 0.013),
            (0.90, 0.30, 0.012),
        ],
        star=["#a05a78", "#d8604a", "#f0862e", "#f9b13c", "#fdd970", "#fff3c4"],
        base=(1.0, -0.1),
    )
    paint_sky(scene, sky, 0.56)
    u = np.arange(scene.width) / scene.unit
    far = 0.49 - 0.05 * np.sin(u * 5.0 + 3.4) - 0.016 * np.sin(u * 17)
    mid = 0.545 + 0.022 * np.sin(u * 8.0 + 1.0)
    near = 0.60 + 0.045 * np.sin(u * 4.6 + 4.4)
    front = 0.71 + 0.03 * np.sin(u * 5.6 + 1.6)
    paint_ground(scene, far, ["#2c1a58", "#4c3a94", "#6c6cb4", "#b49cb0"], 0.4)
    paint_ground(scene, mid, ["#123a44", "#1f6a5c", "#5a9a54", "#b8bc5a"], -0.3)
    walls, roofs = ["#d8a878", "#b87c6c", "#e4c490"], ["#8a2f34", "#5a2a58", "#b84a2c"]
    paint_village(
        scene, [(0.62, 0.60, 0.07), (0.70, 0.61, 0.055), (0.16, 0.595, 0.06)], walls, roofs
    )
    paint_ground(scene, near, ["#7a4a18", "#b87a1c", "#dca82c", "#f2cc50", "#fbe88c"], 0.75, 0.013)
    paint_ground(scene, front, ["#4a2a3c", "#8a4a24", "#c8861f", "#e8b83c", "#f6dc78"], -0.8, 0.012)
    dark = ["#160a2c", "#2a1c4c", "#1c4a4c", "#2f6e4c", "#9a8a3c"]
    flames = [
        paint_flame(
            scene, [(0.155, 0.83), (0.165, 0.60), (0.145, 0.42), (0.175, 0.25)], 0.058, dark
        ),
        paint_flame(
            scene, [(0.39, 0.62), (0.392, 0.55), (0.388, 0.50), (0.394, 0.44)], 0.024, dark
        ),
    ]
    edges = [(np.stack([u, ridge], axis=1), 3.8, "#2a123c") for ridge in (far, mid, near, front)]
    edges += [(flame, 3.2, "#160a2a") for flame in flames]
    return work(scene, edges)
