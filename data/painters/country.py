"""Sky, hills, cypresses and houses for swirling landscapes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from painters.canvas import Array, blend, curve, ramp, rgb, smear, smooth
from painters.scene import Scene

Spot = tuple[float, float, float]


@dataclass
class Sky:
    """Plan of a sky.

    Attributes:
        colours: Ramp from the dark to the light of the air.
        whirls: Vortices (x, y, radius); a negative radius turns the other way.
        stars: Stars (x, y, radius).
        star: Ramp of a star from its rim to its heart.
        base: Direction of the wind (right, down).
    """

    colours: Sequence[str]
    whirls: Sequence[Spot]
    stars: Sequence[Spot]
    star: Sequence[str]
    base: tuple[float, float]


def paint_sky(scene: Scene, sky: Sky, horizon: float) -> None:
    """Put the swirling sky into a scene.

    Args:
        scene: The scene.
        sky: The plan.
        horizon: Where the sky ends, as a share of the longer side.
    """
    x, y = scene.x, scene.y
    wave = 0.35 * np.sin(x * 7.0 + 1.0) + 0.18 * scene.noise(0.12)
    vx = np.full(scene.shape, sky.base[0])
    vy = sky.base[1] + wave
    arms = np.zeros(scene.shape)
    for cx, cy, radius in sky.whirls:
        size, sense = abs(radius), np.sign(radius)
        dx, dy = x - cx, (y - cy) * 1.12
        d = np.hypot(dx, dy) + 1e-4
        near = np.exp(-((d / size) ** 2) * 0.9)
        vx = vx * (1 - near) + near * 1.6 * sense * (-dy / d - 0.16 * dx / d * sense)
        vy = vy * (1 - near) + near * 1.6 * sense * (dx / d - 0.16 * dy / d * sense)
        spiral = np.cos(2 * np.arctan2(dy, dx) * sense - 7.0 * np.log(d / size + 0.06))
        arms += near**0.7 * spiral * smooth(d, 0.0, size * 0.25)
    glow = np.zeros(scene.shape)
    rings = np.zeros(scene.shape)
    for cx, cy, radius in sky.stars:
        dx, dy = x - cx, y - cy
        d = np.hypot(dx, dy) + 1e-4
        near = np.exp(-((d / (2.3 * radius)) ** 2))
        vx = vx * (1 - near) + near * 1.5 * -dy / d
        vy = vy * (1 - near) + near * 1.5 * dx / d
        wobble = 1 + 0.07 * np.sin(3 * np.arctan2(dy, dx) + cx * 40)
        r = d * wobble / radius
        glow = np.maximum(glow, np.exp(-((r / 1.15) ** 2)))
        halo = 0.62 * np.exp(-((r / 2.5) ** 2)) * (0.5 + 0.5 * np.cos(r * 5.6 - 0.4))
        rings = np.maximum(rings, halo * smooth(r, 0.7, 1.2))
    length = np.hypot(vx, vy) + 1e-6
    ux, uy = vx / length, vy / length
    bands = smear(scene.fbm(0.05, 3), ux, uy, 0.09 * scene.unit, 12)
    fine = smear(scene.noise(0.012), ux, uy, 0.05 * scene.unit, 8)
    height = 1.0 - y / horizon
    level = 0.50 - 0.34 * height + 0.17 * bands + 0.07 * fine + 0.25 * arms
    colour = ramp(level, sky.colours)
    star = ramp(0.10 + 0.9 * np.maximum(glow, 0.5 * rings), sky.star)
    colour = blend(colour, star, np.clip(smooth(glow, 0.05, 0.5) + rings, 0, 1))
    scene.put(y < 2, colour, (vx, vy))


def paint_ground(
    scene: Scene, ridge: Array, colours: Sequence[str], slope: float, grain: float = 0.02
) -> None:
    """Put one rolling hill or field into a scene.

    Args:
        scene: The scene.
        ridge: Height of its upper edge per column, as a share of the longer side.
        colours: Ramp from dark to light.
        slope: How strongly strokes bend down the hill, -1 to 1.
        grain: Size of its furrows as a share of the longer side.
    """
    depth = scene.y - ridge[None, :]
    inside = depth > 0
    tilt = np.gradient(ridge) * scene.unit
    vx = np.ones(scene.shape)
    vy = tilt[None, :] * np.exp(-depth * 6) + slope * smooth(depth, 0.0, 0.12)
    vy = vy + 0.22 * np.sin(scene.x * 21 + depth * 30) + 0.12 * scene.noise(0.05)
    length = np.hypot(vx, vy)
    streak = smear(scene.fbm(grain, 2), vx / length, vy / length, 0.05 * scene.unit, 9)
    level = 0.46 + 0.17 * streak + 0.13 * scene.noise(0.08) + 0.28 * np.exp(-depth * 26)
    scene.put(inside, ramp(level, colours), (vx, vy))


def paint_flame(
    scene: Scene, spine: Sequence[tuple[float, float]], breadth: float, colours: Sequence[str]
) -> Array:
    """Put a dark flame of a cypress into a scene.

    Args:
        scene: The scene.
        spine: Points from the foot to the tip.
        breadth: Half of the breadth near the foot, as a share of the longer side.
        colours: Ramp from dark to light.

    Returns:
        Its outline.
    """
    middle = curve(spine, 90)
    t = np.linspace(0, 1, 90)
    body = breadth * (1 - t) ** 0.75 * (0.55 + 0.75 * np.sin(np.pi * np.minimum(1, t * 1.1 + 0.22)))

    def lick(pace: float) -> Array:
        return 1 + 0.13 * np.sin(t * pace) + 0.12 * np.sin(t * 2.3 * pace + 1)

    left = middle - np.stack([body * lick(25), -0.01 * lick(31)], axis=1)
    right = middle + np.stack([body * lick(29), 0.01 * lick(27)], axis=1)
    edge = np.vstack([left, right[::-1]])
    mask = scene.inside(edge)
    at = np.interp(-scene.y, -middle[::-1, 1][::-1], middle[:, 0])
    side = (scene.x - at) / breadth
    vx = 0.45 * np.sin(scene.y * 34 + side * 2.6) - 0.25 * side
    vy = -np.ones(scene.shape)
    length = np.hypot(vx, vy)
    streak = smear(scene.fbm(0.018, 2), vx / length, vy / length, 0.04 * scene.unit, 8)
    level = 0.38 + 0.21 * streak - 0.16 * side
    scene.put(mask, ramp(level, colours), (vx, vy))
    return edge


def paint_village(
    scene: Scene, where: Sequence[Spot], walls: Sequence[str], roofs: Sequence[str]
) -> None:
    """Put small houses with lit windows into a scene.

    Args:
        scene: The scene.
        where: Houses (x, foot, size).
        walls: Colours to choose walls from.
        roofs: Colours to choose roofs from.
    """
    rng = scene.rng
    for cx, foot, size in where:
        high, wide, roof = size * rng.uniform(0.55, 0.8), size, size * rng.uniform(0.45, 0.65)
        left, right, top = cx - wide / 2, cx + wide / 2, foot - high
        split = cx + wide * rng.uniform(-0.12, 0.1)
        wall, tile = rgb(str(rng.choice(walls))), rgb(str(rng.choice(roofs)))
        front = [(left, foot), (left, top), (split, top - roof * 0.1), (split, foot)]
        side = [(split, foot), (split, top), (right, top), (right, foot)]
        slant = [(left, top), (left + wide * 0.22, top - roof), (right - wide * 0.1, top - roof)]
        slant = [*slant, (right + wide * 0.08, top + size * 0.04)]
        scene.put(scene.inside(front), wall * 1.1, (0.05, 1.0))
        scene.put(scene.inside(side), wall * 0.66, (0.05, 1.0))
        scene.put(scene.inside(slant), tile, (1.0, 0.4))
        for k in range(2):
            if rng.random() < 0.8:
                wx = left + wide * (0.14 + 0.48 * k) + wide * rng.uniform(0, 0.06)
                wy, s = top + high * 0.3, size * 0.15
                pane = [(wx, wy), (wx + s, wy), (wx + s, wy + s * 1.5), (wx, wy + s * 1.5)]
                scene.put(scene.inside(pane), rgb("#ffd65a"), (0.0, 1.0))
