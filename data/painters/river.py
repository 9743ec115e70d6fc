"""Trees, water and strollers for riverbanks."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.ndimage import gaussian_filter

from painters.canvas import Mask, blend, ramp, rgb, smooth
from painters.scene import Scene


def crown(
    scene: Scene, spot: tuple[float, float, float, float], colours: Sequence[str], sun: float = -1.0
) -> None:
    """Put the crown of a tree into the scene.

    Args:
        scene: The scene.
        spot: Centre x, centre y and the two radii, as shares of the longer side.
        colours: Ramp from shadow to sunlit leaves.
        sun: -1 for light from the left, 1 from the right.
    """
    cx, cy, rx, ry = spot
    dx, dy = (scene.x - cx) / rx, (scene.y - cy) / ry
    lump = scene.fbm(0.35 * min(rx, ry) + 0.01, 3)
    leafy = 0.24 * lump + 0.16 * scene.noise(0.011) + 0.16 * scene.noise(0.006)
    inside = dx**2 + dy**2 + leafy < 1
    level = 0.47 + 0.24 * sun * dx - 0.24 * dy + 0.17 * lump + 0.07 * scene.noise(0.009)
    scene.put(inside, ramp(level, colours), (-dy + 0.2, dx + 0.2))


def trunk(scene: Scene, points: Sequence[tuple[float, float]], colour: str) -> None:
    """Put a trunk or a pole into the scene.

    Args:
        scene: The scene.
        points: Corners as shares of the longer side.
        colour: Colour as `#rrggbb`.
    """
    mask = scene.inside(points)
    tone = rgb(colour) * (1 + 0.25 * scene.noise(0.01))[..., None]
    scene.put(mask, tone, (0.05, 1.0))


def water(scene: Scene, mask: Mask, line: float, tint: Sequence[str], share: float) -> None:
    """Put water that mirrors what is above it into the scene.

    Args:
        scene: The scene.
        mask: Where the water is.
        line: Height of the far bank as a share of the longer side.
        tint: Ramp of the water's own colour, far to near.
        share: Share of the mirror image, 0 to 1.
    """
    depth = np.clip(scene.y - line, 0, 1)
    rough = gaussian_filter(scene.rng.standard_normal(scene.shape), (1.4, 13)) * 6
    rough = rough * (0.3 + depth * 5)
    rows = np.clip((line - depth * 0.95 + 0.012 * rough) * scene.unit, 0, scene.height - 1)
    columns = np.clip((scene.x + 0.007 * rough) * scene.unit, 0, scene.width - 1)
    mirror = scene.colour[rows.astype(int), columns.astype(int)]
    own = ramp(depth / 0.3 + 0.14 * rough, tint)
    mixed = blend(own, mirror, np.full(scene.shape, share))
    sparkle = smooth(rough, 1.1, 2.0) * 0.75
    scene.put(mask, blend(mixed, rgb(tint[0]) * 1.1, sparkle), (1.0, 0.05 * rough))


def person(scene: Scene, x: float, foot: float, tall: float, dress: str, shade: str) -> None:
    """Put a strolling figure with a parasol into the scene.

    Args:
        scene: The scene.
        x: Middle of the figure.
        foot: Height of the ground.
        tall: Height of the figure; all as shares of the longer side.
        dress: Colour of the dress.
        shade: Colour of the parasol.
    """
    t = tall
    cast = [
        (x, foot),
        (x + t * 0.9, foot + t * 0.16),
        (x + t, foot + t * 0.24),
        (x - t * 0.1, foot + t * 0.06),
    ]
    scene.put(scene.inside(cast), blend(scene.colour, rgb("#23407a"), np.full(scene.shape, 0.6)))
    skirt = [(x - t * 0.24, foot), (x - t * 0.17, foot - t * 0.3), (x - t * 0.08, foot - t * 0.52)]
    skirt = [
        *skirt,
        (x + t * 0.08, foot - t * 0.52),
        (x + t * 0.23, foot - t * 0.40),
        (x + t * 0.30, foot),
    ]
    coat = [(x - t * 0.10, foot - t * 0.48), (x - t * 0.13, foot - t * 0.78), (x, foot - t * 0.84)]
    coat = [*coat, (x + t * 0.13, foot - t * 0.78), (x + t * 0.11, foot - t * 0.48)]
    side = smooth(scene.x, x - t * 0.25, x + t * 0.25)[..., None]
    for part, colour in ((skirt, rgb(dress)), (coat, rgb(dress) * 0.82)):
        scene.put(scene.inside(part), colour * (1.3 - 0.75 * side), (0.15, 1.0))
    head = np.hypot(scene.x - x, scene.y - foot + t * 0.91) < t * 0.08
    scene.put(head, rgb("#e0a070"), (1.0, 0.0))
    hat = np.hypot((scene.x - x) / 1.7, scene.y - foot + t * 0.965) < t * 0.065
    scene.put(hat, rgb(shade) * 0.8, (1.0, 0.0))
    px, py = x - t * 0.26, foot - t * 1.08
    trunk(
        scene,
        [
            (px, py),
            (px + t * 0.03, py),
            (x - t * 0.05, foot - t * 0.55),
            (x - t * 0.08, foot - t * 0.55),
        ],
        "#4c2c3c",
    )
    lean = (scene.y - py) + 0.28 * (scene.x - px)
    dome = (np.hypot((scene.x - px) / 0.30, lean / 0.20) < t) & (
        lean < t * 0.01 * np.cos((scene.x - px) / t * 30)
    )
    ribs = 1 + 0.16 * np.sin((scene.x - px) / t * 24)
    scene.put(
        dome,
        rgb(shade)
        * (1.35 - 0.8 * smooth(scene.x, px - t * 0.3, px + t * 0.33))[..., None]
        * ribs[..., None],
    )
