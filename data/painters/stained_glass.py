"""Leaded windows: a designed drawing, split into pieces of streaky glass."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import distance_transform_edt, gaussian_filter
from scipy.spatial import cKDTree

from painters.canvas import Array, Mask, Points, blend, curve, fbm, noise, polygon, ramp, rgb, shrink, smooth

SCALE = 2


class Window:
    """Drawing of a window, from large shapes to single pieces of glass."""

    def __init__(self, rng: np.random.Generator, width: int, height: int) -> None:
        """Make an empty window.

        Args:
            rng: Source of randomness.
            width: Width of the final picture in pixels.
            height: Height of the final picture in pixels.
        """
        self.rng = rng
        self.shape = (height * SCALE, width * SCALE)
        self.unit = float(max(self.shape))
        rows, columns = np.mgrid[0 : self.shape[0], 0 : self.shape[1]]
        wobble = 0.0016 * fbm(rng, self.shape, 60 * SCALE, 2), 0.0016 * fbm(rng, self.shape, 60 * SCALE, 2)
        self.x = columns / self.unit + wobble[0]
        self.y = rows / self.unit + wobble[1]
        self.shape_id = np.zeros(self.shape, dtype=np.int64)
        self.piece_id = np.zeros(self.shape, dtype=np.int64)
        self.glass = np.zeros((*self.shape, 3))

    def inside(self, points: Points) -> Mask:
        """Mask of a polygon.

        Args:
            points: Corners (x, y) as shares of the longer side.

        Returns:
            Mask, true inside.
        """
        return polygon(self.shape, np.asarray(points) * self.unit)

    def put(self, mask: Mask, pieces: NDArray[np.int64], tone: Callable[[Array], Array]) -> None:
        """Set glass into one shape of the drawing.

        Args:
            mask: The shape.
            pieces: Number of the piece for every pixel.
            tone: Gives RGB, 0 to 255, for a field of levels, 0 to 1, even within a piece.
        """
        _, index = np.unique(pieces[mask], return_inverse=True)
        level = self.rng.random(index.max() + 1)[index]
        first = self.piece_id.max() + 1
        self.shape_id[mask] = self.shape_id.max() + 1
        self.piece_id[mask] = first + index
        self.glass[mask] = tone(level)

    def cells(self, mask: Mask, size: float, stretch: tuple[float, float] = (1, 1)) -> NDArray[np.int64]:
        """Voronoi cells for a shape.

        Args:
            mask: The shape.
            size: Size of one cell as a share of the longer side.
            stretch: Factors by which cells are wider and higher.

        Returns:
            Number of the cell for every pixel.
        """
        gap = np.array(stretch) * size
        high, wide = self.shape[0] / self.unit, self.shape[1] / self.unit
        ys, xs = np.mgrid[-gap[1] : high + gap[1] : gap[1], -gap[0] : wide + gap[0] : gap[0]]
        seeds = np.stack([xs.ravel(), ys.ravel()], axis=1)
        seeds += self.rng.uniform(-0.42, 0.42, seeds.shape) * gap
        where = np.stack([self.x[mask], self.y[mask]], axis=1) / gap
        result = np.zeros(self.shape, dtype=np.int64)
        result[mask] = cKDTree(seeds / gap).query(where)[1]
        return result

    def ring(
        self, centre: tuple[float, float], radii: tuple[float, float], parts: int, turn: float = 0.0
    ) -> tuple[Mask, NDArray[np.int64]]:
        """Ring cut into parts.

        Args:
            centre: Middle (x, y) as shares of the longer side.
            radii: Inner and outer radius as shares of the longer side.
            parts: Number of parts.
            turn: Rotation as a share of one part.

        Returns:
            Mask of the ring and number of the part for every pixel.
        """
        dx, dy = self.x - centre[0], self.y - centre[1]
        d = np.hypot(dx, dy)
        angle = (np.arctan2(dy, dx) / (2 * np.pi) + 1.0) * parts + turn
        return (d >= radii[0]) & (d < radii[1]), np.floor(angle).astype(np.int64) % parts


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
        patch += np.exp(-(((d - 1) / 0.35) ** 2)) * (-0.8 * (dx + dy)) + 0.8 * np.exp(-((d / 0.5) ** 2))
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
    near, where = distance_transform_edt(~piece, return_indices=True)
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
    relief = gaussian_filter(profile * 6 * px + 0.7 * noise(rng, shape, 2 * SCALE) * px, 1.0)
    gy, gx = np.gradient(relief)
    shine = np.clip(-(gx + 1.2 * gy) * 0.55, -1, 1)
    metal = np.array([34.0, 34.0, 40.0]) * (1 + 0.22 * noise(rng, shape, 4 * SCALE))[..., None]
    metal = metal + (np.clip(shine, 0, 1) ** 1.4 * 105)[..., None] * np.array([0.9, 0.96, 1.08])
    metal = metal * (1 + 0.5 * np.clip(shine, -1, 0))[..., None]
    spill = gaussian_filter(np.where(clear[..., None] > 0, light, 0), (5 * px, 5 * px, 0))
    metal = metal + 0.13 * spill
    picture = blend(metal, light, smooth(clear, -0.8, 1.0))
    bloom = gaussian_filter(np.clip(picture - 165, 0, 90), (9 * px, 9 * px, 0))
    del where
    return shrink(np.clip(picture + 0.75 * bloom, 0, 255), SCALE)


def jewel(*colours: str) -> Callable[[Array], Array]:
    """Colours for the pieces of one shape.

    Args:
        *colours: Ramp of colours as `#rrggbb`.

    Returns:
        Function from levels, 0 to 1, to RGB.
    """
    return lambda level: ramp(level, colours)


def pick(*colours: str) -> Callable[[Array], Array]:
    """Colours for the pieces of one shape, without mixtures of far hues.

    Args:
        *colours: Colours as `#rrggbb`.

    Returns:
        Function from levels, 0 to 1, to RGB.
    """
    table = np.array([rgb(colour) for colour in colours])
    return lambda level: table[np.minimum((level * len(table)).astype(int), len(table) - 1)]


def petal(centre: tuple[float, float], angle: float, near: float, far: float, wide: float) -> Points:
    """Outline of a pointed petal.

    Args:
        centre: Middle of the flower.
        angle: Direction of the petal in radians.
        near: Distance of its foot from the middle.
        far: Distance of its tip.
        wide: Half of its breadth; all as shares of the longer side.

    Returns:
        Points of the outline.
    """
    t = np.linspace(0, 1, 24)
    body = wide * np.sin(np.pi * t**0.8) ** 0.8
    r = near + (far - near) * t
    across = np.concatenate([body, -body[::-1]])
    along = np.concatenate([r, r[::-1]])
    cos, sin = np.cos(angle), np.sin(angle)
    return np.stack([centre[0] + along * cos - across * sin, centre[1] + along * sin + across * cos], axis=1)


def first(rng: np.random.Generator, size: int) -> Image.Image:
    """A rose window in ruby, cobalt and gold.

    Args:
        rng: Source of randomness.
        size: Longer side in pixels.

    Returns:
        The picture.
    """
    w = Window(rng, size, size)
    c = (0.5, 0.5)
    everything = np.ones(w.shape, dtype=bool)
    dx, dy = w.x - c[0], w.y - c[1]
    d = np.hypot(dx, dy)
    w.put(everything, w.cells(everything, 0.075), jewel("#0c2a6c", "#1c4aa8", "#1f7a8c", "#4c2c8c"))
    for k in range(4):
        a = np.pi / 4 + k * np.pi / 2
        corner = (0.5 + 0.6 * np.cos(a), 0.5 + 0.6 * np.sin(a))
        mask, part = w.ring(corner, (0.052, 0.125), 8)
        w.put(mask, part, jewel("#b81c2c", "#e0641c", "#8c1c5c"))
        mask, part = w.ring(corner, (0.0, 0.052), 1)
        w.put(mask, part, jewel("#f8c83c", "#ffe890"))
    mask, part = w.ring(c, (0.445, 0.482), 48)
    w.put(mask, part, lambda t: ramp(np.round(t * 2) / 2, ["#e8a41c", "#c81c2c", "#f8dc7c"]))
    mask, part = w.ring(c, (0.28, 0.445), 12)
    w.put(mask, w.cells(mask, 0.055) + 10000 * part, jewel("#0a1f7c", "#1c3cc0", "#2c6ad8", "#1c8cc0"))
    for k in range(12):
        a = (k + 0.5) * np.pi / 6
        mid = (0.5 + 0.375 * np.cos(a), 0.5 + 0.375 * np.sin(a))
        mask, part = w.ring(mid, (0.026, 0.058), 6, rng.random())
        w.put(mask, part, jewel("#a8142c", "#dc2c2c", "#e85c2c") if k % 2 else jewel("#0c6c4c", "#2ca45c", "#8cc43c"))
        mask, part = w.ring(mid, (0.0, 0.026), 1)
        w.put(mask, part, jewel("#ffd84c", "#fff0b0"))
    for k in range(12):
        outline = petal(c, k * np.pi / 6, 0.12, 0.445, 0.042)
        mask = w.inside(outline)
        along = np.floor((d - 0.12) / 0.082).astype(np.int64)
        side = (dx * np.sin(k * np.pi / 6) - dy * np.cos(k * np.pi / 6) > 0).astype(np.int64)
        tone = jewel("#c8141f", "#e83c1c", "#f4781c") if k % 2 else jewel("#5c1c8c", "#8c2ca8", "#c83c8c")
        w.put(mask, along * 2 + side * (along < 2), tone)
    mask, part = w.ring(c, (0.155, 0.205), 24)
    w.put(mask, part, lambda t: ramp(np.round(t * 3) / 3, ["#0c7c5c", "#f0b42c", "#3cac5c", "#fae07c"]))
    mask, part = w.ring(c, (0.06, 0.155), 12, 0.5)
    w.put(mask, part, jewel("#1430a0", "#2c64d8", "#3c9cd8"))
    for k in range(8):
        w.put(w.inside(petal(c, k * np.pi / 4 + 0.2, 0.03, 0.145, 0.03)), np.zeros(w.shape, dtype=np.int64), jewel("#e8a01c", "#fbdc5c"))
    mask, part = w.ring(c, (0.0, 0.048), 1)
    w.put(mask, part, jewel("#d81c2c", "#f0442c"))
    outer = (w.x < 0.032) | (w.x > 0.968) | (w.y < 0.032) | (w.y > 0.968)
    w.put(outer, (np.floor(w.x * 13) + 40 * np.floor(w.y * 13)).astype(np.int64), pick("#9c1428", "#c8481c", "#1c4c9c", "#e0981c", "#5c1c7c"))
    angle = np.arctan2(dy, dx)
    fine = np.abs(np.sin(angle * 96 + 3 * np.sin(d * 60)))
    rings = np.abs(np.sin(d * 260 + 1.5 * np.sin(angle * 12)))
    petals = smooth(rings, 0.16, 0.02) * (d > 0.21) * (d < 0.44) + smooth(fine, 0.13, 0.02) * (d > 0.06) * (d < 0.15)
    petals = petals * smooth(noise(rng, w.shape, 20 * SCALE), -0.9, 0.4)
    return glaze(w, 3.7, 2.1, petals * 0.85)


def second(rng: np.random.Generator, size: int) -> Image.Image:
    """A landscape window: sun and rays over hills, a river, a tree and irises.

    Args:
        rng: Source of randomness.
        size: Longer side in pixels.

    Returns:
        The picture.
    """
    w = Window(rng, int(size * 0.8), size)
    everything = np.ones(w.shape, dtype=bool)
    sun = (0.50, 0.30)
    dx, dy = w.x - sun[0], w.y - sun[1]
    d, angle = np.hypot(dx, dy), np.arctan2(dy, dx)
    ray = np.floor((angle / (2 * np.pi) + 1) * 22 + 0.35 * np.sin(d * 16)).astype(np.int64)
    band = np.floor(np.sqrt(np.clip(d - 0.1, 0, 2)) * 6.0 + 0.4 * (ray % 2)).astype(np.int64)
    w.put(everything, ray * 50 + band, jewel("#000000"))
    heat = smooth(d, 0.08, 0.55)
    alternate = 0.10 * (ray % 2) + 0.07 * rng.standard_normal(400)[(ray * 7 + band * 13) % 400]
    sky = ["#ffe070", "#f8a83c", "#e8644c", "#b84c8c", "#5c4cb0", "#2448a0", "#142c78"]
    w.glass[:] = ramp(np.clip(heat * 0.95 + alternate, 0, 1), sky)
    mask, part = w.ring(sun, (0.0, 0.098), 1)
    w.put(mask, part, jewel("#ffd23c", "#ffe674"))
    mask, part = w.ring(sun, (0.072, 0.1), 16)
    w.put(mask, part, jewel("#f8901c", "#fbc43c"))
    ridge = 0.47 - 0.07 * np.sin(w.x * 7.5 + 0.6) - 0.02 * np.sin(w.x * 19)
    mask = w.y > ridge
    w.put(mask, w.cells(mask, 0.085, (1.5, 0.8)), jewel("#2c2474", "#4c3ca0", "#7a4ca8", "#2c5ca4"))
    ridge = 0.555 + 0.045 * np.sin(w.x * 8 + 2.4)
    mask = w.y > ridge
    w.put(mask, w.cells(mask, 0.075, (1.6, 0.7)), jewel("#0c4c3c", "#1c7c4c", "#4ca43c", "#a0b82c"))
    middle = 0.30 + 0.16 * np.sin(w.y * 9 + 3.6) + 0.25 * (w.y - 0.6)
    wide = 0.02 + 0.42 * np.clip(w.y - 0.585, 0, 1) ** 1.15
    mask = (np.abs(w.x - middle) < wide) & (w.y > 0.59)
    flow = np.floor((w.y + 0.02 * np.sin(w.x * 30)) * 26).astype(np.int64) * 9
    part = flow + np.floor((w.x - middle) / wide * 1.6 + 0.5 * (flow // 9 % 2)).astype(np.int64)
    w.put(mask, part, jewel("#1c5cb0", "#2c9ccc", "#8cd4dc", "#f4cc84", "#1c7cac"))
    ridge = 0.80 - 0.16 * smooth(w.x, 0.45, 0.8) + 0.02 * np.sin(w.x * 14)
    mask = w.y > ridge
    w.put(mask, w.cells(mask, 0.07, (0.7, 1.3)), jewel("#0c3428", "#145c38", "#2c8438", "#7ca42c"))
    stem = curve([(0.70, 0.82), (0.665, 0.62), (0.69, 0.42), (0.655, 0.20), (0.69, 0.02)], 60)
    limbs = [(stem, 0.034, 0.012)]
    limbs += [(curve([(0.675, 0.40), (0.60, 0.30), (0.57, 0.17), (0.50, 0.09)], 40), 0.015, 0.006)]
    limbs += [(curve([(0.675, 0.33), (0.74, 0.24), (0.80, 0.21)], 30), 0.013, 0.008)]
    for line, foot, tip in limbs:
        thick = np.linspace(foot, tip, len(line))[:, None] * [[1.0, 0.15]]
        mask = w.inside(np.vstack([line - thick, (line + thick)[::-1]]))
        w.put(mask, np.floor(w.y * 13 + w.x * 3).astype(np.int64), jewel("#4c2420", "#84442c", "#5c2c50"))
    for _ in range(52):
        line, _, _ = limbs[int(rng.choice([0, 0, 1, 1, 2]))]
        foot = line[rng.integers(len(line) // 3, len(line))]
        a, long = rng.uniform(0, 2 * np.pi), rng.uniform(0.055, 0.10)
        mid = foot + rng.normal(0, 0.035, 2)
        shape = w.inside(petal((mid[0], mid[1]), a, 0.0, long, long * 0.27))
        if shape.sum() > 400:
            half = ((w.x - mid[0]) * np.sin(a) - (w.y - mid[1]) * np.cos(a) > 0).astype(np.int64)
            tone = jewel("#145c2c", "#4c9c2c", "#b8c42c") if rng.random() < 0.6 else jewel("#c8381c", "#ec841c", "#f8c43c")
            w.put(shape, half, tone)
    for cx, top in ((0.08, 0.77), (0.19, 0.84), (0.31, 0.80), (0.43, 0.87), (0.56, 0.80), (0.735, 0.85)):
        for side in (-1, 1, -1, 1):
            a = -np.pi / 2 + side * rng.uniform(0.06, 0.3)
            blade = petal((cx + side * 0.012, 1.03), a, 0.0, rng.uniform(0.13, 0.24), 0.014)
            w.put(w.inside(blade), np.floor(w.y * 9).astype(np.int64), jewel("#0c6c3c", "#3ca44c", "#9cc83c"))
        bloom = [(-2.5, 0.062), (-0.64, 0.062), (-1.57, 0.075), (2.6, 0.058), (0.54, 0.058), (1.57, 0.062)]
        for a, far in bloom:
            tone = jewel("#3c1c94", "#6c3cc8", "#a86cdc") if a < 0 else jewel("#2c2ca8", "#8c3cb8", "#c45ca8")
            w.put(w.inside(petal((cx, top), a + rng.normal(0, 0.1), 0.004, far, 0.02)), np.zeros(w.shape, dtype=np.int64), tone)
        w.put(np.hypot(w.x - cx, w.y - top) < 0.013, np.zeros(w.shape, dtype=np.int64), jewel("#f8b41c", "#ffe46c"))
    outer = (w.x < 0.03) | (w.x > 0.77) | (w.y < 0.03) | (w.y > 0.97)
    blocks = (np.floor(w.x * 11) + 40 * np.floor(w.y * 11)).astype(np.int64)
    w.put(outer, blocks, pick("#0c4c6c", "#1c7c8c", "#0c6c5c", "#d8982c", "#8c1c3c"))
    veins = smooth(np.abs(np.sin((w.x + 0.6 * w.y) * 190 + 5 * noise(rng, w.shape, 60 * SCALE))), 0.14, 0.02)
    veins = veins * smooth(noise(rng, w.shape, 26 * SCALE), 0.0, 0.9) * (w.y > 0.45)
    return glaze(w, 3.1, 1.8, veins * 0.7)
