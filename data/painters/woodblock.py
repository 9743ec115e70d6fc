"""Waves in the manner of colour woodblock prints."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw
from scipy.ndimage import gaussian_filter, map_coordinates

from painters.canvas import Array, Mask, Points, blend, curve, fbm, noise, polygon, ramp, rgb, shrink, smooth

SCALE = 2
LINE = "#14234a"
FOAM = "#f6f0dc"


class Sheet:
    """One sheet: flat colours and lines now, paper and grain when it is pulled."""

    def __init__(self, rng: np.random.Generator, width: int, height: int) -> None:
        """Lay out an empty sheet.

        Args:
            rng: Source of randomness.
            width: Width of the final picture in pixels.
            height: Height of the final picture in pixels.
        """
        self.rng = rng
        self.shape = (height * SCALE, width * SCALE)
        self.unit = float(max(self.shape))
        rows, columns = np.mgrid[0 : self.shape[0], 0 : self.shape[1]]
        self.x, self.y = columns / self.unit, rows / self.unit
        self.image = Image.new("RGB", self.shape[::-1], FOAM)
        self.draw = ImageDraw.Draw(self.image)

    def inside(self, points: Points) -> Mask:
        """Mask of a polygon.

        Args:
            points: Corners (x, y) as shares of the longer side.

        Returns:
            Mask, true inside.
        """
        return polygon(self.shape, np.asarray(points) * self.unit)

    def wash(self, mask: Mask | Array, colour: Array) -> None:
        """Print a gradation.

        Args:
            mask: Where, 0 to 1.
            colour: RGB field or one colour, 0 to 255.
        """
        data = blend(np.asarray(self.image, dtype=np.float64), colour, np.asarray(mask, dtype=np.float64))
        self.image.paste(Image.fromarray(np.clip(data, 0, 255).astype(np.uint8)))

    def fill(self, points: Points, colour: str, line: float = 0.0) -> None:
        """Print one flat shape, with a line around it.

        Args:
            points: Corners as shares of the longer side.
            colour: Colour as `#rrggbb`.
            line: Width of the line in pixels at a longer side of 800; 0 for none.
        """
        flat = (np.asarray(points) * self.unit).ravel().tolist()
        self.draw.polygon(flat, fill=colour)
        if line > 0:
            self.stroke(np.vstack([points, points[:1]]), line)

    def stroke(self, points: Points, width: float, colour: str = LINE, taper: float = 0.0) -> None:
        """Cut a line of changing width.

        Args:
            points: Points as shares of the longer side.
            width: Width in pixels at a longer side of 800.
            colour: Colour as `#rrggbb`.
            taper: How much both ends thin out, 0 to 1.
        """
        p = np.asarray(points, dtype=np.float64) * self.unit
        if len(p) < 2:
            return
        way = np.gradient(p, axis=0)
        way /= np.hypot(way[:, 0], way[:, 1])[:, None] + 1e-9
        t = np.linspace(0, 1, len(p))
        swell = 1 + 0.25 * np.sin(t * 9 + self.rng.uniform(0, 6)) - taper * np.abs(2 * t - 1) ** 1.5
        half = 0.5 * width * self.unit / 800.0 * np.clip(swell, 0.12, None)
        normal = np.stack([-way[:, 1], way[:, 0]], axis=1) * half[:, None]
        shape = np.vstack([p + normal, (p - normal)[::-1]])
        self.draw.polygon(shape.ravel().tolist(), fill=colour)

    def pull(self, grain: float = 1.0) -> Image.Image:
        """Pull the print: hand-cut edges, wood grain, baren marks and paper fibres.

        Args:
            grain: Strength of the grain, about 1.

        Returns:
            The picture.
        """
        rng, shape = self.rng, self.shape
        rows, columns = np.mgrid[0 : shape[0], 0 : shape[1]].astype(np.float64)
        dx, dy = fbm(rng, shape, 9 * SCALE, 2) * 0.55 * SCALE, fbm(rng, shape, 9 * SCALE, 2) * 0.55 * SCALE
        data = np.asarray(self.image, dtype=np.float64)
        flat = np.stack(
            [map_coordinates(data[..., k], [rows + dy, columns + dx + 0.4 * k], order=1, mode="nearest") for k in range(3)],
            axis=2,
        )
        tone = flat.mean(axis=2)
        rim = np.clip(gaussian_filter(tone, 3.2 * SCALE) - tone, -40, 60)
        rings = rows / (7.5 * SCALE) + 3.4 * noise(rng, shape, 190 * SCALE) + 0.55 * noise(rng, shape, 40 * SCALE)
        wood = np.sin(2 * np.pi * (rings + 0.1 * noise(rng, shape, 5 * SCALE)))
        fibre = gaussian_filter(rng.standard_normal(shape), (0.7 * SCALE, 9 * SCALE)) * 7
        speck = gaussian_filter(rng.standard_normal(shape), 0.7 * SCALE) * 2.4
        baren = fbm(rng, shape, 70 * SCALE, 3)
        ink = smooth(tone, 246, 120)
        wear = 0.095 * wood + 0.075 * fibre + 0.07 * speck + 0.075 * baren
        paper = rgb("#f0e4c6") * (1 + 0.022 * fbm(rng, shape, 30 * SCALE, 4) + 0.02 * speck)[..., None]
        depth = np.clip(1.0 + grain * wear * (0.5 + 0.5 * ink) + 0.0052 * rim, 0.4, 1.5)[..., None]
        stain = np.clip(flat / rgb(FOAM), 0.01, 1.0) ** depth
        bare = smooth(speck - 0.35 * fibre, 1.5, 2.4) * 0.5 * ink
        picture = blend(paper * stain, paper, bare)
        hairs = gaussian_filter((rng.random(shape) > 0.9994).astype(float), (0.9 * SCALE, 5 * SCALE))
        picture = picture * (1 - 1.4 * np.clip(hairs, 0, 0.06))[..., None]
        return shrink(picture, SCALE)


def hook(start: Array, angle: float, length: float, curl: float, breadth: float) -> tuple[Array, Array]:
    """Tapering hook of foam.

    Args:
        start: Foot (x, y).
        angle: Direction at the foot in radians.
        length: Length along the hook.
        curl: Total turn in radians.
        breadth: Breadth at the foot; lengths are shares of the longer side.

    Returns:
        Outline and spine.
    """
    t = np.linspace(0, 1, 16)
    turn = angle + curl * t**1.3
    step = length / 15
    spine = start + np.concatenate(
        [[[0, 0]], np.cumsum(np.stack([np.cos(turn), np.sin(turn)], axis=1)[:-1] * step, axis=0)]
    )
    half = 0.5 * breadth * (1 - t) ** 0.8 * (0.45 + 1.5 * t**0.6) * np.minimum(1.0, 0.3 + 6 * t)
    normal = np.stack([-np.sin(turn), np.cos(turn)], axis=1) * half[:, None]
    return np.vstack([spine + normal, (spine - normal)[::-1]]), spine


def claw(sheet: Sheet, start: Array, angle: float, size: float, curl: float, depth: int = 2) -> None:
    """Draw a claw of foam with smaller claws on its back.

    Args:
        sheet: The sheet.
        start: Foot (x, y).
        angle: Direction in radians.
        size: Length as a share of the longer side.
        curl: Total turn in radians.
        depth: Generations of smaller claws.
    """
    rng = sheet.rng
    outline, spine = hook(start, angle, size, curl, size * 0.27)
    if depth > 0:
        for place in (3, 6, 9, 11) if depth > 1 else (5, 9):
            lean = angle + curl * (place / 15) ** 1.3 - np.sign(curl) * rng.uniform(0.35, 1.1)
            claw(sheet, spine[place], lean, size * rng.uniform(0.42, 0.68), curl * 1.25, depth - 1)
    sheet.fill(outline, FOAM, 1.5 if size > 0.03 else 1.1)
    if size > 0.022:
        inner = spine[2:12] + rng.normal(0, size * 0.015, 2)
        sheet.stroke(inner, 1.0 + 16 * size, "#a9c8d4", 0.9)


def wave(
    sheet: Sheet,
    inner: Sequence[tuple[float, float]],
    outer: Sequence[tuple[float, float]],
    blues: Sequence[str],
    foam: float,
    begin: float,
) -> None:
    """Print one breaking wave.

    Args:
        sheet: The sheet.
        inner: Hollow face from the foot to the tip.
        outer: Back from the foot to the tip.
        blues: Colours of the bands, in turn.
        foam: Size of the claws as a share of the longer side.
        begin: Where along the back the foam begins, 0 to 1.
    """
    rng, n = sheet.rng, 120
    face, back = curve(inner, n), curve(outer, n)
    t = np.linspace(0, 1, n)[:, None]
    between = lambda s: face * (1 - s) + back * s  # noqa: E731
    body = np.vstack([face, back[::-1]])
    sheet.fill(body, blues[0])
    mask = gaussian_filter(sheet.inside(body).astype(np.float64), 0.8)
    hollow = smooth(sheet.y, float(body[:, 1].min()), float(body[:, 1].max()))
    sheet.wash(mask * 0.75 * hollow, rgb(blues[1]))
    cuts = np.linspace(0.03, 0.92, 10)
    for k, s in enumerate(cuts):
        wide = 0.030 + 0.02 * rng.random() + 0.03 * (k % 3 == 1)
        taper = np.clip(np.sin(np.pi * np.clip(t * 0.95 + 0.04, 0, 1)), 0, 1) ** 0.7
        wobble = 0.016 * np.sin(t * 7 + k) * (1 - t)
        low, high = between(s + wobble - wide * taper), between(s + wobble + wide * taper)
        sheet.fill(np.vstack([low, high[::-1]]), blues[1 + k % (len(blues) - 1)])
        for edge in (low, high):
            sheet.stroke(edge[4:-4], 1.5, LINE, 0.8)
        for _ in range(11):
            a = int(rng.uniform(0.02, 0.66) * n)
            b = min(n - 3, a + int(rng.uniform(0.08, 0.36) * n))
            tone = str(rng.choice([LINE, LINE, blues[3], blues[0]]))
            track = between(s + rng.uniform(-0.045, 0.075) + wobble)[a:b]
            sheet.stroke(track, rng.uniform(0.9, 2.2), tone, 1.0)
    sheet.stroke(face, 3.0, LINE, 0.3)
    first = int(begin * n)
    depth = 0.30 * smooth(t, begin, begin + 0.25) * (1 - 0.35 * t)
    lobes = 1 + 0.35 * np.sin(t * 46) + 0.2 * np.sin(t * 91 + 1)
    front = between(1 - depth * lobes)
    cap = np.vstack([front[first:], back[first:][::-1]])
    way = np.gradient(back, axis=0)
    heading = np.arctan2(way[:, 1], way[:, 0])
    side = 1.0 if np.cross(way[n // 2], (face - back)[n // 2]) > 0 else -1.0
    sheet.fill(cap, FOAM, 2.2)
    inside = gaussian_filter(sheet.inside(cap).astype(np.float64), 1.0)
    dapple = smooth(fbm(rng, sheet.shape, 16 * SCALE, 3), 0.35, 0.6)
    sheet.wash(inside * dapple * 0.8, rgb("#a9c8d4"))
    places = np.linspace(begin + 0.01, 0.99, int(44 * (1 - begin)) + 12)
    for p in rng.permutation(places):
        k = min(n - 1, int(p * n))
        size = foam * (0.55 + 0.6 * p) * rng.uniform(0.75, 1.2)
        claw(sheet, front[k], heading[k] + side * rng.uniform(0.4, 1.1), size, side * rng.uniform(1.2, 2.4))
        if rng.random() < 0.55:
            claw(sheet, back[k], heading[k] - side * rng.uniform(0.1, 0.7), size * 0.55, side * 1.6, 1)
    for p in np.linspace(0.9, 1.0, 7):
        k = min(n - 1, int(p * n))
        claw(sheet, back[k], heading[k] + side * rng.uniform(-0.5, 0.7), foam * rng.uniform(0.8, 1.2), side * 1.5)
    for _ in range(150):
        k = rng.integers(first, n)
        off = np.abs(rng.normal(0, 1.1)) * foam + 0.01
        at = back[k] + off * np.array([np.cos(heading[k] - side * 1.2), np.sin(heading[k] - side * 1.2)])
        at = at + rng.normal(0, foam * 0.5, 2) + [0, foam * rng.uniform(0, 1.2) * p]
        drop(sheet, at, rng.gamma(2.2, 0.00085) + 0.0009)


def drop(sheet: Sheet, at: Array, radius: float) -> None:
    """Print one drop of spray.

    Args:
        sheet: The sheet.
        at: Middle (x, y).
        radius: Radius as a share of the longer side.
    """
    x, y = at * sheet.unit
    r, rim = radius * sheet.unit, (radius + 0.0009) * sheet.unit
    sheet.draw.ellipse([x - rim, y - rim, x + rim, y + rim], fill="#3c5a8a")
    sheet.draw.ellipse([x - r, y - r, x + r, y + r], fill=FOAM)


def swell(sheet: Sheet, crest: Sequence[tuple[float, float]], blues: Sequence[str], foam: float, wind: float) -> None:
    """Print one long swell that reaches down to the lower edge.

    Args:
        sheet: The sheet.
        crest: Points of its upper edge from left to right.
        blues: Ramp from the crest downwards.
        foam: Size of the crest's claws; 0 for none.
        wind: 1 for claws to the right, -1 to the left.
    """
    rng = sheet.rng
    top = curve(crest, 160)
    body = np.vstack([top, [[top[-1, 0], 1.0], [top[0, 0], 1.0]]])
    edge = np.interp(sheet.x[0], top[:, 0], top[:, 1])
    depth = sheet.y - edge[None, :]
    mask = gaussian_filter(sheet.inside(body).astype(np.float64), 0.8)
    ripple = 0.05 * np.sin(depth * 170 + 5 * np.sin(sheet.x * 17) + 2 * noise(rng, sheet.shape, 80 * SCALE))
    sheet.wash(mask, ramp(depth / 0.2 + ripple, blues))
    for k in range(22):
        shift = 0.008 + 0.0098 * k + 0.004 * rng.random()
        a = int(rng.uniform(0, 70))
        while a < 150:
            b = min(159, a + int(rng.uniform(18, 60)))
            t = np.linspace(0, 1, b - a)
            bow = shift + 0.006 * np.sin(t * np.pi * 3 + k)
            line = top[a:b] + np.stack([np.zeros(b - a), bow * (1 + 0.6 * t)], axis=1)
            tone = str(rng.choice([LINE, LINE, blues[0], FOAM]))
            sheet.stroke(line, rng.uniform(1.0, 2.6), tone, 0.95)
            a = b + int(rng.uniform(4, 26))
    sheet.stroke(top, 2.6, LINE, 0.2)
    if foam > 0:
        way = np.gradient(top, axis=0)
        patch = np.interp(np.arange(160), np.arange(0, 170, 10), rng.uniform(-0.8, 1.3, 17))
        strength = np.clip(patch + 1.4 * way[:, 1] * wind / np.hypot(way[:, 0], way[:, 1]), 0, 1.2)
        lace = 0.4 * foam * strength * (1 + 0.4 * np.sin(np.arange(160) * 1.1))
        frill = np.vstack([top - np.stack([lace * 0, lace * 0.5], axis=1), (top + np.stack([lace * 0, lace], axis=1))[::-1]])
        sheet.fill(frill, FOAM, 1.2)
        for k in rng.permutation(np.arange(3, 157, 2)):
            if strength[k] > 0.25:
                angle = np.arctan2(way[k, 1] * wind, way[k, 0] * wind) + wind * rng.uniform(-0.9, 0.5)
                size = foam * strength[k] * rng.uniform(0.55, 1.1)
                claw(sheet, top[k] + [0, 0.3 * lace[k]], angle, size, wind * rng.uniform(1.3, 2.4), 1)


def boat(sheet: Sheet, x: float, y: float, long: float, tilt: float, sail: str | None = None) -> None:
    """Print a slender boat.

    Args:
        sheet: The sheet.
        x: Middle of the boat.
        y: Height of its middle.
        long: Length; all as shares of the longer side.
        tilt: Slope in radians.
        sail: Colour of its sail, if it has one.
    """
    cos, sin = np.cos(tilt), np.sin(tilt)
    place = lambda pts: np.array([[x + long * (a * cos - b * sin), y + long * (a * sin + b * cos)] for a, b in pts])  # noqa: E731
    if sail:
        sheet.fill(place([(-0.02, 0.0), (-0.02, -0.75), (0.01, -0.75), (0.01, 0.0)]), "#5a3a2c", 1.0)
        cloth = place(curve([(-0.30, -0.66), (0.0, -0.70), (0.30, -0.66), (0.36, -0.36), (0.30, -0.08), (-0.28, -0.10), (-0.22, -0.38), (-0.30, -0.66)], 40))
        sheet.fill(cloth, sail, 1.8)
        for k in range(1, 6):
            a = -0.30 + 0.1 * k
            sheet.stroke(place(curve([(a, -0.66), (a + 0.07, -0.37), (a, -0.1)], 14)), 0.9, "#8a4a3a", 0.4)
    hull = curve([(-0.56, -0.15), (-0.36, -0.01), (0.0, 0.03), (0.36, -0.02), (0.58, -0.17), (0.40, 0.09), (0.0, 0.13), (-0.38, 0.09), (-0.56, -0.15)], 50)
    sheet.fill(place(hull), "#d9a765", 1.9)
    sheet.stroke(place(curve([(-0.46, -0.03), (0.0, 0.075), (0.48, -0.05)], 24)), 1.3, "#8a4a2c", 0.3)
    if not sail:
        for a in np.linspace(-0.3, 0.34, 7):
            man = place(curve([(a - 0.035, 0.03), (a - 0.03, -0.06), (a + 0.02, -0.08), (a + 0.045, 0.03)], 10))
            sheet.fill(man, "#2f5a94" if sheet.rng.random() < 0.6 else "#b2543c", 1.0)
            drop(sheet, place([(a + 0.005, -0.105)])[0], long * 0.022)


def mountain(sheet: Sheet, peak: tuple[float, float], foot: float, wide: float, tones: Sequence[str], snow: float) -> None:
    """Print a mountain with snow on its peak.

    Args:
        sheet: The sheet.
        peak: Its peak (x, y).
        foot: Height of its foot.
        wide: Half of its breadth.
        tones: Ramp from the peak to the foot.
        snow: Depth of the snow; all as shares of the longer side.
    """
    x, y = peak
    flank = [(x - wide, foot), (x - wide * 0.5, y + (foot - y) * 0.66), (x - wide * 0.16, y + (foot - y) * 0.16)]
    flank += [(x - wide * 0.05, y), (x + wide * 0.06, y + 0.003), (x + wide * 0.18, y + (foot - y) * 0.17)]
    flank += [(x + wide * 0.5, y + (foot - y) * 0.62), (x + wide, foot)]
    line = curve(flank, 90)
    mask = gaussian_filter(sheet.inside(line).astype(np.float64), 0.8)
    sheet.wash(mask, ramp((sheet.y - y) / (foot - y), tones))
    saw = y + snow * (1 + 0.75 * np.sin(sheet.x * 230 + 2 * np.sin(sheet.x * 61)) * np.cos(sheet.x * 97))
    sheet.wash(mask * (sheet.y < saw), rgb(FOAM))
    for k in range(26):
        a = x + wide * sheet.rng.uniform(-0.16, 0.16)
        b = y + snow * sheet.rng.uniform(0.4, 2.2)
        out = (a - x) * sheet.rng.uniform(1.2, 2.6)
        sheet.stroke(curve([(a, b), (a + out * 0.5, b + 0.03), (a + out, b + 0.07 + 0.002 * k)], 12), 1.2, tones[0], 1.0)
    sheet.stroke(line, 2.0, LINE, 0.2)


def first(rng: np.random.Generator, size: int) -> Image.Image:
    """A great blue wave over a boat, with a far mountain.

    Args:
        rng: Source of randomness.
        size: Longer side in pixels.

    Returns:
        The picture.
    """
    s = Sheet(rng, size, int(size * 0.75))
    sky = ramp(s.y / 0.5, ["#3f6c9c", "#a9c0b8", "#ead9ae", "#f2c79a", "#e9b08e"])
    s.wash(np.ones(s.shape), sky)
    for cy, cx in ((0.13, 0.78), (0.20, 0.62), (0.27, 0.90), (0.33, 0.72)):
        bank = smooth(np.abs(s.y - cy - 0.008 * np.sin(s.x * 22 + cy * 50)), 0.02, 0.012)
        bank = bank * smooth(np.abs(s.x - cx), 0.24, 0.15)
        s.wash(bank * 0.7, rgb("#f6e6c4"))
    mountain(s, (0.76, 0.285), 0.485, 0.23, ["#2c4a84", "#4c78a8", "#9cb4b4", "#e4c8a0"], 0.05)
    blues = ["#5c98bc", "#143070", "#2456a0", "#b4d4d8", "#17397c", "#3f7cb8"]
    swell(s, [(-0.1, 0.52), (0.3, 0.47), (0.6, 0.50), (0.8, 0.465), (1.1, 0.50)], ["#2f66a4", "#6ca8c4", "#a8d0d0", "#3c74ac"], 0.018, 1)
    wave(
        s,
        [(0.62, 0.66), (0.47, 0.61), (0.37, 0.52), (0.335, 0.41), (0.36, 0.31), (0.43, 0.262), (0.49, 0.28), (0.535, 0.335)],
        [(-0.36, 0.80), (-0.22, 0.60), (-0.06, 0.36), (0.08, 0.18), (0.24, 0.085), (0.40, 0.10), (0.52, 0.18), (0.565, 0.30)],
        blues, 0.052, 0.42,
    )
    boat(s, 0.66, 0.545, 0.24, -0.12)
    swell(s, [(-0.1, 0.70), (0.15, 0.62), (0.4, 0.60), (0.62, 0.615), (0.8, 0.56), (1.1, 0.47)], ["#12306c", "#2c68ac", "#7cb4c8", "#1c4484"], 0.034, -1)
    boat(s, 0.27, 0.625, 0.20, -0.16)
    swell(s, [(-0.1, 0.62), (0.1, 0.66), (0.35, 0.71), (0.6, 0.68), (0.85, 0.66), (1.1, 0.60)], ["#1c4c94", "#102a64", "#2c6cac", "#9cc8d0"], 0.040, 1)
    s.fill([(0.925, 0.045), (0.965, 0.045), (0.965, 0.125), (0.925, 0.125)], "#b8382c", 1.2)
    for k in range(4):
        a = 0.058 + 0.017 * k
        s.stroke([(0.934, a), (0.956, a + 0.004)], 2.4, FOAM)
        s.stroke([(0.945, a - 0.006), (0.943, a + 0.010)], 2.0, FOAM)
    return s.pull()


def second(rng: np.random.Generator, size: int) -> Image.Image:
    """Green waves at sunset before a red mountain, with sails.

    Args:
        rng: Source of randomness.
        size: Longer side in pixels.

    Returns:
        The picture.
    """
    s = Sheet(rng, size, int(size * 0.75))
    sky = ramp(s.y / 0.46, ["#26305c", "#8c4c5c", "#dc6a44", "#f4a850", "#f6d888"])
    s.wash(np.ones(s.shape), sky)
    sun = np.hypot(s.x - 0.30, s.y - 0.20)
    s.wash(smooth(sun, 0.094, 0.092), ramp((s.y - 0.1) / 0.2, ["#c8242c", "#d8402c", "#f08c4c"]))
    for cy, cx, wide in ((0.10, 0.22, 0.2), (0.165, 0.42, 0.22), (0.25, 0.18, 0.26), (0.29, 0.5, 0.2), (0.06, 0.66, 0.2)):
        bank = smooth(np.abs(s.y - cy - 0.007 * np.sin(s.x * 24 + cy * 60)), 0.017, 0.010)
        s.wash(bank * smooth(np.abs(s.x - cx), wide, wide * 0.6) * 0.8, rgb("#fae0b0"))
    mountain(s, (0.20, 0.255), 0.44, 0.30, ["#6c2430", "#a83c30", "#cc6c44", "#4c6c54"], 0.032)
    for k in range(7):
        a, b = 0.44 + 0.028 * k, 0.115 + 0.014 * k + rng.normal(0, 0.006)
        s.stroke(curve([(a - 0.016, b - 0.008), (a - 0.006, b - 0.006), (a, b), (a + 0.006, b - 0.008), (a + 0.017, b - 0.011)], 20), 1.9, LINE, 0.8)
    greens = ["#58a89c", "#0f3c54", "#1c6c74", "#c4e0c0", "#123058", "#3c9484"]
    swell(s, [(-0.1, 0.44), (0.2, 0.425), (0.5, 0.45), (0.8, 0.42), (1.1, 0.45)], ["#e09c5c", "#c8b080", "#6ca898", "#2c7478"], 0.014, -1)
    boat(s, 0.10, 0.445, 0.095, 0.03, "#f4e2b8")
    boat(s, 0.24, 0.455, 0.12, -0.04, "#e8b878")
    swell(s, [(-0.1, 0.50), (0.15, 0.525), (0.4, 0.50), (0.7, 0.54), (1.1, 0.5)], ["#1c5c6c", "#48a098", "#a8d0b0", "#2c7478"], 0.024, -1)
    wave(
        s,
        [(0.36, 0.70), (0.50, 0.65), (0.60, 0.57), (0.645, 0.46), (0.625, 0.36), (0.56, 0.31), (0.50, 0.325), (0.455, 0.375)],
        [(1.32, 0.80), (1.2, 0.62), (1.06, 0.42), (0.93, 0.25), (0.78, 0.155), (0.62, 0.155), (0.49, 0.225), (0.425, 0.345)],
        greens, 0.050, 0.42,
    )
    boat(s, 0.29, 0.60, 0.19, 0.13, "#f0d8a4")
    swell(s, [(-0.1, 0.58), (0.1, 0.63), (0.35, 0.67), (0.6, 0.64), (0.8, 0.66), (1.1, 0.72)], ["#0f3450", "#2c8484", "#90c8b0", "#185464"], 0.036, -1)
    swell(s, [(-0.1, 0.72), (0.15, 0.66), (0.4, 0.70), (0.65, 0.73), (0.9, 0.66), (1.1, 0.62)], ["#1c6470", "#0f2c50", "#3c948c", "#c8d8a8"], 0.040, 1)
    s.fill([(0.035, 0.04), (0.075, 0.04), (0.075, 0.12), (0.035, 0.12)], "#2c3c6c", 1.2)
    for k in range(4):
        a = 0.053 + 0.017 * k
        s.stroke([(0.044, a), (0.066, a + 0.004)], 2.4, FOAM)
        s.stroke([(0.055, a - 0.006), (0.053, a + 0.010)], 2.0, FOAM)
    return s.pull()
