"""Dots of divided colour, laid from broad to fine."""

from __future__ import annotations

import numpy as np
from PIL import Image

from painters.canvas import Array, rgb, smooth
from painters.scene import Scene
from painters.strokes import SCALE, Easel

PIGMENTS = [
    "#f6f0dc", "#f8dc5a", "#f4b02c", "#ee7a2a", "#d8402e", "#c22a5a", "#8c3a92", "#4c3a9c",
    "#2a50b4", "#3a86d0", "#8cc4e0", "#2aa09a", "#2e8a4a", "#7cba44", "#c4d860", "#1e3a5c",
]  # fmt: skip


def dots(
    easel: Easel, diameter: float, spacing: float, purity: float, contrary: float, weight: Array
) -> None:
    """Dab one layer of dots over the canvas.

    Args:
        easel: The canvas.
        diameter: Mean size of a dot in pixels at a longer side of 800.
        spacing: Distance between dots as a share of the diameter.
        purity: Share of pure pigment in a dot, 0 to 1.
        contrary: Share of dots in the complementary colour, 0 to 1.
        weight: Share of dots kept, 0 to 1 per pixel.
    """
    scene, rng = easel.scene, easel.rng
    px = scene.unit / 800.0
    at = easel.starts(diameter * spacing * px, weight)
    n = len(at)
    col, row = at.astype(int).T
    wanted = scene.colour[row, col]
    grey = wanted.mean(axis=1, keepdims=True)
    wanted = np.clip(grey + (wanted - grey) * 1.3 + rng.normal(0, 22, (n, 3)), 0, 255)
    pure = np.array([rgb(pigment) for pigment in PIGMENTS])
    far = np.sqrt((((wanted[:, None] - pure[None]) * [0.8, 1.0, 0.7]) ** 2).sum(2))
    choice = np.argmin(far + rng.gumbel(0, 13, far.shape), axis=1)
    tone = wanted * (1 - purity) + pure[choice] * purity
    other = rng.random(n) < contrary
    opposite = np.clip(grey * 2.0 - wanted, 0, 255) * 0.55 + grey * 0.45
    lift = (wanted.mean(1) - opposite.mean(1))[:, None]
    tone = np.where(other[:, None], opposite + lift + 14 * np.sign(grey - 110), tone)
    tone = tone + rng.normal(0, 7, (n, 1))
    size = diameter * px * SCALE * np.exp(rng.normal(-0.03, 0.24, n))
    slim = rng.uniform(0.62, 1.0, n)
    angle = np.arctan2(scene.vy[row, col], scene.vx[row, col]) + rng.normal(0, 0.35, n)
    turn = np.linspace(0, 2 * np.pi, 10, endpoint=False)
    rim = 0.5 * (1 + rng.normal(0, 0.09, (n, 10)))
    along = np.cos(turn) * rim * size[:, None]
    across = np.sin(turn) * rim * (size * slim)[:, None]
    cos, sin = np.cos(angle)[:, None], np.sin(angle)[:, None]
    xs = at[:, :1] * SCALE + along * cos - across * sin
    ys = at[:, 1:] * SCALE + along * sin + across * cos
    shape = np.stack([xs, ys], axis=2).reshape(n, -1)
    body = rng.uniform(110, 230, (n, 1))
    paint = np.clip(np.concatenate([tone, body], axis=1), 0, 255).astype(int)
    for outline, colour in zip(shape.tolist(), paint.tolist(), strict=True):
        easel.draw.polygon(outline, fill=tuple(colour))


def work(scene: Scene) -> Image.Image:
    """Paint a scene in dots, from broad to fine.

    Args:
        scene: The scene.

    Returns:
        The picture.
    """
    scene.colour = np.clip(scene.colour, 0, 255)
    easel = Easel(scene, scene.colour * 0.55 + rgb("#b89c6c") * 0.35)
    everywhere = np.ones(scene.shape)
    detail = scene.detail()
    dots(easel, 14.0, 0.62, 0.45, 0.10, everywhere)
    dots(easel, 9.6, 0.72, 0.60, 0.15, everywhere * 0.95)
    dots(easel, 7.0, 0.98, 0.7, 0.14, everywhere * 0.9)
    dots(easel, 4.7, 0.95, 0.55, 0.09, 0.14 + 0.7 * detail)
    dots(easel, 3.1, 0.95, 0.35, 0.03, smooth(detail, 0.35, 0.9))
    return easel.finish(0.7, 0.12, 0.5)
