"""Ground shared by all painters: noise, ramps, flow smearing, relief light, paper and weave."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from scipy.ndimage import gaussian_filter, map_coordinates

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]
Points = Sequence[tuple[float, float]] | Array


def noise(rng: np.random.Generator, shape: tuple[int, int], scale: float) -> Array:
    """Smooth random field with zero mean and unit deviation.

    Args:
        rng: Source of randomness.
        shape: Height and width in pixels.
        scale: Size of one lump in pixels, at least 1.

    Returns:
        The field, of the given shape.
    """
    height, width = shape
    rows, columns = int(height / scale) + 5, int(width / scale) + 5
    grid = Image.fromarray(rng.standard_normal((rows, columns)).astype(np.float32))
    big = grid.resize((int(columns * scale) + 1, int(rows * scale) + 1), Image.Resampling.BICUBIC)
    top = int(rng.integers(0, int(2 * scale) + 1))
    left = int(rng.integers(0, int(2 * scale) + 1))
    field = np.asarray(big, dtype=np.float64)[top : top + height, left : left + width]
    return (field - field.mean()) / (field.std() + 1e-9)


def fbm(
    rng: np.random.Generator,
    shape: tuple[int, int],
    scale: float,
    octaves: int = 4,
    gain: float = 0.5,
) -> Array:
    """Sum of noises, each octave half as large and weaker by `gain`.

    Args:
        rng: Source of randomness.
        shape: Height and width in pixels.
        scale: Lump size of the first octave in pixels.
        octaves: Number of octaves, at least 1.
        gain: Weight of each octave relative to the one before, 0 to 1.

    Returns:
        The field, zero mean and unit deviation.
    """
    total = np.zeros(shape)
    for octave in range(octaves):
        total += gain**octave * noise(rng, shape, max(1.0, scale / 2**octave))
    return (total - total.mean()) / (total.std() + 1e-9)


def smooth(value: Array | float, low: float, high: float) -> Array:
    """Smooth step from 0 at `low` to 1 at `high`.

    Args:
        value: Field to map.
        low: Where the step begins; may be larger than `high` for a falling step.
        high: Where the step ends.

    Returns:
        Field between 0 and 1.
    """
    t = np.clip((np.asarray(value, dtype=np.float64) - low) / (high - low), 0.0, 1.0)
    return t * t * (3.0 - 2.0 * t)


def ramp(level: Array, colours: Sequence[str]) -> Array:
    """Colours along a ramp.

    Args:
        level: Position on the ramp, 0 to 1; clipped.
        colours: At least two colours as `#rrggbb`.

    Returns:
        RGB field, 0 to 255, with one more axis than `level`.
    """
    table = np.array([rgb(colour) for colour in colours])
    position = np.clip(level, 0.0, 1.0) * (len(table) - 1)
    index = np.minimum(position.astype(int), len(table) - 2)
    part = (position - index)[..., None]
    return table[index] * (1.0 - part) + table[index + 1] * part


def rgb(colour: str) -> Array:
    """Three numbers of one colour.

    Args:
        colour: Colour as `#rrggbb`.

    Returns:
        Red, green and blue, 0 to 255.
    """
    return np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)], dtype=np.float64)


def blend(under: Array, over: Array, weight: Array) -> Array:
    """Mix one picture into another.

    Args:
        under: RGB field, 0 to 255.
        over: RGB field or one colour, 0 to 255.
        weight: Share of `over`, 0 to 1, without the colour axis.

    Returns:
        The mixture.
    """
    return under * (1.0 - weight[..., None]) + over * weight[..., None]


def polygon(shape: tuple[int, int], points: Points) -> Mask:
    """Inside of a polygon.

    Args:
        shape: Height and width in pixels.
        points: Corners as (x, y) in pixels.

    Returns:
        Mask, true inside.
    """
    image = Image.new("L", (shape[1], shape[0]))
    ImageDraw.Draw(image).polygon([(float(x), float(y)) for x, y in points], fill=255)
    return np.asarray(image) > 0


def curve(points: Points, count: int = 60) -> Array:
    """Catmull-Rom curve through points.

    Args:
        points: At least two points (x, y).
        count: Number of points on the result.

    Returns:
        Points on the curve, shape (count, 2).
    """
    p = np.asarray(points, dtype=np.float64)
    p = np.vstack([2 * p[0] - p[1], p, 2 * p[-1] - p[-2]])
    t = np.linspace(0, len(p) - 3 - 1e-9, count)
    i = t.astype(int)
    f = (t - i)[:, None]
    a, b, c, d = p[i], p[i + 1], p[i + 2], p[i + 3]
    return 0.5 * (
        2 * b + (c - a) * f + (2 * a - 5 * b + 4 * c - d) * f**2 + (3 * b - a - 3 * c + d) * f**3
    )


def smear(field: Array, vx: Array, vy: Array, reach: float, steps: int = 10) -> Array:
    """Average a field along a flow, which draws it out into streaks.

    Args:
        field: Field to smear.
        vx: Flow to the right, unit length.
        vy: Flow downwards, unit length.
        reach: Distance to either side in pixels.
        steps: Samples to either side, at least 1.

    Returns:
        The streaked field, zero mean and unit deviation.
    """
    rows, columns = np.mgrid[0 : field.shape[0], 0 : field.shape[1]].astype(np.float64)
    total = field.copy()
    for sign in (1.0, -1.0):
        y, x = rows.copy(), columns.copy()
        for _ in range(steps):
            r = np.clip(y, 0, field.shape[0] - 1).astype(int)
            c = np.clip(x, 0, field.shape[1] - 1).astype(int)
            x += sign * vx[r, c] * reach / steps
            y += sign * vy[r, c] * reach / steps
            total += map_coordinates(field, [y, x], order=1, mode="reflect")
    return (total - total.mean()) / (total.std() + 1e-9)


def light(colour: Array, height: Array, strength: float = 1.0, gloss: float = 0.25) -> Array:
    """Light a painted surface from the upper left.

    Args:
        colour: RGB field, 0 to 255.
        height: Thickness of the paint, any unit in which 255 is thick.
        strength: Depth of the shading, about 0 to 2.
        gloss: Strength of the wet highlights, 0 to 1.

    Returns:
        The lit picture, 0 to 255.
    """
    relief = gaussian_filter(height, 0.9) * 0.7 + gaussian_filter(height, 3.0) * 0.3
    gy, gx = np.gradient(relief)
    slope = (gx + 1.3 * gy) / 28.0
    shade = np.tanh(slope) * strength
    lit = colour * (1.0 + 0.34 * shade[..., None])
    spark = np.clip(shade - 0.35, 0.0, None) ** 1.5 * gloss * 210.0
    return np.clip(lit + spark[..., None], 0, 255)


def weave(rng: np.random.Generator, shape: tuple[int, int], pitch: float) -> Array:
    """Threads of a linen canvas.

    Args:
        rng: Source of randomness.
        shape: Height and width in pixels.
        pitch: Distance between threads in pixels.

    Returns:
        Relief around 0, about -1 to 1.
    """
    rows, columns = np.mgrid[0 : shape[0], 0 : shape[1]].astype(np.float64)
    across = columns + 0.45 * pitch * noise(rng, shape, 14 * pitch)
    down = rows + 0.45 * pitch * noise(rng, shape, 14 * pitch)
    k = 2 * np.pi / pitch
    threads = np.sin(across * k) * (0.5 + 0.5 * np.sin(down * k / 2)) + np.sin(down * k) * (
        0.5 - 0.5 * np.sin(across * k / 2)
    )
    return threads * 0.6 * (1 + 0.4 * noise(rng, shape, 5 * pitch))


def shrink(colour: Array, factor: int) -> Image.Image:
    """Reduce a picture painted larger than wanted.

    Args:
        colour: RGB field, 0 to 255.
        factor: Whole number by which both sides shrink.

    Returns:
        The picture.
    """
    image = Image.fromarray(np.clip(colour, 0, 255).astype(np.uint8))
    if factor == 1:
        return image
    return image.resize((image.width // factor, image.height // factor), Image.Resampling.LANCZOS)
