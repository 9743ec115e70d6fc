"""Light through streaky glass, set in lead."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import distance_transform_edt, gaussian_filter

from painters.canvas import (
    Array,
    Mask,
    blend,
    fbm,
    noise,
    shrink,
    smooth,
)
from painters.window import SCALE, Window


def edges(label: NDArray[np.int64]) -> Mask:
    """Pixels whose right or lower neighbour belongs to another piece.

    Args:
        label: Number of the piece for every pixel.

    Returns:
        Mask of the borders.
    """
    border = np.zeros(label.shape, dtype=bool)
    border[:, :-1] |= label[:, :-1] != label[:, 1:]
    border[:-1] |= label[:-1] != label[1:]
    return border


def streaks(window: Window) -> Array:
    """Texture of hand-made glass: streaks in a direction of its own in every piece.

    Args:
        window: The window.

    Returns:
        Lightness around 0, about -1 to 1.
    """
    rng, shape = window.rng, window.shape
    count = int(window.piece_id.max()) + 1
    kinds = 6
    kind = rng.integers(0, kinds, count)[window.piece_id]
    shift = rng.normal(0, 0.5, count)[window.piece_id]
    total = np.zeros(shape)
    warp = fbm(rng, shape, 90 * SCALE, 3) * 26 * SCALE
    rows, columns = np.mgrid[0 : shape[0], 0 : shape[1]].astype(np.float64)
    table = gaussian_filter(rng.standard_normal(4096), 1.6, mode="wrap")
    table = table / table.std() * 0.6
    slow = gaussian_filter(rng.standard_normal(4096), 9.0, mode="wrap")
    table = table + slow / slow.std() * 0.8
    for k in range(kinds):
        a = np.pi * (k + rng.uniform(0, 0.8)) / kinds
        along = columns * np.cos(a) + rows * np.sin(a) + warp * (1 if k % 2 else -1)
        place = (along / (1.5 * SCALE) + shift * 700) % 4095
        low = place.astype(int)
        part = place - low
        total = np.where(kind == k, table[low] * (1 - part) + table[low + 1] * part, total)
    return total * 0.75 + 0.45 * fbm(rng, shape, 24 * SCALE, 4)


def bubbles(window: Window, count: int) -> Array:
    """Small bubbles and seeds in the glass.

    Args:
        window: The window.
        count: Number of bubbles.

    Returns:
        Lightness, about -1 to 1.
    """
    rng, (high, wide) = window.rng, window.shape
    result = np.zeros(window.shape)
    px = window.unit / 1600.0
    for _ in range(count):
        x, y = rng.uniform(12, wide - 12), rng.uniform(12, high - 12)
        r = rng.gamma(2.0, 1.0) * px + 1.4 * px
        n = int(3 * r) + 3
        x0, y0 = max(0, int(x) - n), max(0, int(y) - n)
        patch = result[y0 : y0 + 2 * n, x0 : x0 + 2 * n]
        ys, xs = np.mgrid[y0 : y0 + patch.shape[0], x0 : x0 + patch.shape[1]]
        dx, dy = (xs - x) / r, (ys - y) / (r * 1.5)
        d = np.hypot(dx, dy)
        patch += np.exp(-(((d - 1) / 0.35) ** 2)) * (-0.8 * (dx + dy)) + 0.8 * np.exp(
            -((d / 0.5) ** 2)
        )
    return result


def glaze(window: Window, lead: float, fine: float, painted: Array | None = None) -> Image.Image:
    """Put light through the glass and set it in lead.

    Args:
        window: The window.
        lead: Half width of the main leads in pixels at a longer side of 800.
        fine: Half width of the leads between pieces, likewise.
        painted: Dark paint on the glass, 0 to 1.

    Returns:
        The picture.
    """
    rng, shape = window.rng, window.shape
    px = window.unit / 800.0
    piece, main = edges(window.piece_id), edges(window.shape_id)
    near = distance_transform_edt(~piece)
    near_main = distance_transform_edt(~main)
    uneven = 1 + 0.16 * fbm(rng, shape, 18 * SCALE, 3) + 0.12 * noise(rng, shape, 70 * SCALE)
    half = np.maximum(fine * px * uneven, 1.0)
    half_main = np.maximum(lead * px * uneven, 1.0)
    clear = np.minimum(near - half, near_main - half_main)
    count = int(window.piece_id.max()) + 1
    tint = rng.normal(0, 10, (count, 3))[window.piece_id]
    bright = rng.normal(1.0, 0.10, count)[window.piece_id]
    texture = streaks(window)
    hammer = noise(rng, shape, 3.2 * SCALE) * 0.6 + noise(rng, shape, 1.6 * SCALE) * 0.4
    base = np.clip(window.glass + tint, 4, 255)
    sky = 1.0 + 0.17 * fbm(rng, shape, 200 * SCALE, 3)
    inner = smooth(clear, 0.0, 17 * px)
    power = np.clip(bright * sky * (0.66 + 0.46 * inner) * (1 + 0.36 * texture), 0.12, 2.0)
    power = power + 0.42 * bubbles(window, 420) * power
    if painted is not None:
        power = power * (1 - 0.72 * painted)
    gy, gx = np.gradient(gaussian_filter(hammer, 1.2))
    power = power * (1 + 0.30 * np.clip((gx + gy) * 2.2, -0.7, 0.9))
    light = 255.0 * (base / 255.0) ** (1.0 / np.clip(power, 0.25, 2.6)[..., None])
    light = light * np.clip(0.62 + 0.42 * power, 0, 1.3)[..., None]
    hot = smooth(power * base.mean(2) / 255.0, 0.62, 1.25)
    light = blend(light, np.array([255.0, 250.0, 226.0]), 0.5 * hot)
    bar = np.where(near_main - half_main < near - half, near_main / half_main, near / half)
    profile = np.sqrt(np.clip(1 - np.clip(bar, 0, 1) ** 2, 0, 1))
    relief = gaussian_filter(profile * 6 * px + 0.3 * noise(rng, shape, 3 * SCALE) * px, 1.0)
    gy, gx = np.gradient(relief)
    shine = np.clip(-(gx + 1.2 * gy) * 0.55, -1, 1)
    metal = np.array([34.0, 34.0, 40.0]) * (1 + 0.22 * noise(rng, shape, 4 * SCALE))[..., None]
    metal = metal + (np.clip(shine, 0, 1) ** 1.4 * 105)[..., None] * np.array([0.9, 0.96, 1.08])
    metal = metal * (1 + 0.5 * np.clip(shine, -1, 0))[..., None]
    spill = gaussian_filter(np.where(clear[..., None] > 0, light, 0), (5 * px, 5 * px, 0))
    metal = metal + 0.13 * spill
    picture = blend(metal, light, smooth(clear, -0.8, 1.0))
    bloom = gaussian_filter(np.clip(picture - 165, 0, 90), (9 * px, 9 * px, 0))
    return shrink(np.clip(picture + 0.75 * bloom, 0, 255), SCALE)
