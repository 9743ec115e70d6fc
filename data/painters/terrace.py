"""Figures, tables and lamps for streets."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image

from painters.canvas import blend, rgb, smooth
from painters.scene import Scene
from painters.street import Street
from painters.strokes import Brush, Easel


def walker(scene: Scene, street: Street, x: float, z: float, coat: str, rim: str) -> None:
    """Put a figure on the street.

    Args:
        scene: The scene.
        street: The street.
        x: Position to the right of the axis.
        z: Distance.
        coat: Colour of the coat.
        rim: Colour of the light on its lit side.
    """
    fx, fy = street.at(x, -street.eye, z)
    t = 0.25 / z
    body = [(fx - 0.13 * t, fy), (fx - 0.23 * t, fy - 0.16 * t), (fx - 0.12 * t, fy - 0.52 * t)]
    body += [
        (fx - 0.18 * t, fy - 0.76 * t),
        (fx - 0.07 * t, fy - 0.86 * t),
        (fx + 0.07 * t, fy - 0.86 * t),
    ]
    body += [
        (fx + 0.18 * t, fy - 0.76 * t),
        (fx + 0.13 * t, fy - 0.52 * t),
        (fx + 0.22 * t, fy - 0.14 * t),
    ]
    body += [(fx + 0.12 * t, fy), (fx + 0.03 * t, fy - 0.05 * t), (fx - 0.03 * t, fy + 0.01 * t)]
    side = smooth(scene.x, fx - 0.06 * t, fx - 0.19 * t)
    tone = blend(np.broadcast_to(rgb(coat), scene.colour.shape), rgb(rim), 0.8 * side)
    scene.put(scene.inside(body), tone, (0.1, 1.0))
    head = np.hypot(scene.x - fx, (scene.y - fy + 0.92 * t) * 0.85) < 0.075 * t
    scene.put(
        head, blend(np.broadcast_to(rgb("#5a3a3c"), scene.colour.shape), rgb(rim), side), (0.2, 1.0)
    )
    hat = scene.inside(
        [
            (fx - 0.13 * t, fy - 0.95 * t),
            (fx - 0.07 * t, fy - 1.08 * t),
            (fx + 0.07 * t, fy - 1.08 * t),
            (fx + 0.13 * t, fy - 0.95 * t),
        ]
    )
    scene.put(hat, rgb(coat) * 0.7, (1.0, 0.0))


def table(scene: Scene, street: Street, x: float, z: float, top: str) -> None:
    """Put a café table with two chairs on the street.

    Args:
        scene: The scene.
        street: The street.
        x: Position to the right of the axis.
        z: Distance.
        top: Colour of the table top.
    """
    fx, fy = street.at(x, -street.eye, z)
    t = 0.125 / z
    scene.put(
        scene.inside(
            [
                (fx - 0.06 * t, fy),
                (fx - 0.04 * t, fy - t),
                (fx + 0.04 * t, fy - t),
                (fx + 0.06 * t, fy),
            ]
        ),
        rgb("#4a2a2c"),
        (0, 1.0),
    )
    disc = np.hypot(scene.x - fx, (scene.y - fy + t) * 3.0) < 0.62 * t
    rim = np.hypot(scene.x - fx, (scene.y - fy + 0.93 * t) * 3.0) < 0.64 * t
    scene.put(rim, rgb("#7c4a2c"), (1.0, 0.0))
    scene.put(
        disc,
        blend(
            np.broadcast_to(rgb(top), scene.colour.shape),
            rgb("#fffbe0"),
            0.6 * smooth(scene.x, fx + 0.6 * t, fx - 0.6 * t),
        ),
        (1.0, 0.0),
    )
    for side in (-1, 1):
        cx = fx + side * 0.95 * t
        back = [
            (cx + side * 0.3 * t, fy - 0.05 * t),
            (cx + side * 0.36 * t, fy - 1.35 * t),
            (cx + side * 0.24 * t, fy - 1.35 * t),
            (cx + side * 0.2 * t, fy - 0.05 * t),
        ]
        seat = [
            (cx - 0.3 * t, fy - 0.55 * t),
            (cx + 0.3 * t, fy - 0.62 * t),
            (cx + 0.3 * t, fy - 0.45 * t),
            (cx - 0.3 * t, fy - 0.40 * t),
        ]
        leg = [
            (cx - side * 0.22 * t, fy + 0.05 * t),
            (cx - side * 0.26 * t, fy - 0.5 * t),
            (cx - side * 0.16 * t, fy - 0.5 * t),
            (cx - side * 0.14 * t, fy + 0.05 * t),
        ]
        for part, tone in ((back, "#8c4a24"), (leg, "#5c2c24"), (seat, "#e08c34")):
            scene.put(scene.inside(part), rgb(tone), (0.2, 1.0))


def lamp(
    scene: Scene, x: float, y: float, radius: float, reach: float, heart: str, halo: str
) -> None:
    """Put a glowing lamp into the scene.

    Args:
        scene: The scene.
        x: Middle, to the right.
        y: Middle, downwards.
        radius: Radius of the lamp.
        reach: Radius of its glow; all as shares of the longer side.
        heart: Colour of the lamp.
        halo: Colour of its glow.
    """
    dx, dy = scene.x - x, scene.y - y
    d = np.hypot(dx, dy) + 1e-4
    ring = 0.8 + 0.2 * np.cos(d / radius * 3.0)
    light = np.exp(-((d / reach) ** 1.3)) * ring
    scene.colour = blend(scene.colour, rgb(halo), 0.6 * light) + rgb(halo) * 0.22 * light[..., None]
    near = d < reach * 0.75
    scene.put(near, scene.colour, (-dy, dx), label=False)
    scene.put(d < radius, rgb(heart), (-dy, dx))


def work(
    scene: Scene, lines: Sequence[tuple[Sequence[tuple[float, float]], float, str]]
) -> Image.Image:
    """Paint a scene thickly, from broad to fine.

    Args:
        scene: The scene.
        lines: Contours: points, width in pixels at 800 and colour.

    Returns:
        The picture.
    """
    scene.colour = np.clip(scene.colour, 0, 255)
    easel = Easel(scene, scene.colour * 0.5)
    detail = scene.detail()
    easel.lay(Brush(36, 19, 0.5, jitter=9, tint=8, stray=7, body=100, wet=0.08, turn=0.2))
    easel.lay(Brush(28, 12, 0.6, jitter=12, tint=10, stray=5, body=140, wet=0.14, turn=0.2))
    easel.lay(
        Brush(20, 8.0, 0.62, jitter=12, tint=10, stray=2.5, body=160, wet=0.1, turn=0.15),
        0.35 + 0.65 * detail,
    )
    for points, width, colour in lines:
        easel.outline(points, width, colour, 46)
    easel.lay(
        Brush(14, 5.0, 0.8, jitter=9, tint=8, stray=1.0, body=170, wet=0.05, turn=0.1),
        smooth(detail, 0.2, 0.75),
    )
    easel.lay(
        Brush(9, 3.1, 0.85, jitter=7, tint=6, stray=0.4, body=180, wet=0.0, turn=0.08),
        smooth(detail, 0.5, 1.0),
    )
    tone = scene.colour.mean(axis=2)
    easel.lay(
        Brush(17, 6.6, 1.4, jitter=8, tint=9, stray=1.5, body=225, wet=0.0, turn=0.25),
        smooth(tone, 110, 215),
        scene.colour * 1.07 + 14,
    )
    return easel.finish(1.15, 0.3, 0.4)
