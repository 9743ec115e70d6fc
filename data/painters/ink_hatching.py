"""Pen drawings: hatching that follows form and tone, over washes of three inks."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw
from scipy.ndimage import gaussian_filter

from painters.canvas import Array, Mask, blend, curve, fbm, noise, ramp, rgb, shrink, smooth
from painters.strokes import Scene

SCALE = 3
SEPIA, INDIGO, RUST = 0, 1, 2
INKS = ("#2c1a12", "#141f58", "#7c1f14")


class Drawing(Scene):
    """Scene that is drawn: the colour is the wash, and there is a tone and an ink."""

    def __init__(self, rng: np.random.Generator, width: int, height: int) -> None:
        """Lay out an empty sheet.

        Args:
            rng: Source of randomness.
            width: Width in pixels.
            height: Height in pixels.
        """
        super().__init__(rng, width, height)
        self.colour[:] = 255.0
        self.tone = np.ones(self.shape)
        self.ink = np.zeros(self.shape, dtype=np.int32)
        size = (width * SCALE, height * SCALE)
        self.plates = [Image.new("L", size) for _ in INKS]
        self.pens = [ImageDraw.Draw(plate) for plate in self.plates]
        self.outlines: list[tuple[Array, float, int, int]] = []

    def shape_in(
        self, mask: Mask, tone: Array | float, wash: Array, way: tuple[Array | float, Array | float], ink: int = SEPIA
    ) -> None:
        """Place one thing in the drawing.

        Args:
            mask: Where it is.
            tone: Lightness, 0 to 1.
            wash: RGB of the wash, 0 to 255.
            way: Direction of its hatching (right, down).
            ink: Number of the ink.
        """
        self.put(mask, wash, way)
        self.tone = np.where(mask, tone, self.tone)
        self.ink = np.where(mask, ink, self.ink)

    def line(self, points: Array, width: float, ink: int, shade: int = 235) -> None:
        """Draw one tapering pen line.

        Args:
            points: Points (x, y) in pixels.
            width: Greatest width in pixels at a longer side of 800.
            ink: Number of the ink.
            shade: Strength of the ink, 0 to 255.
        """
        n = len(points)
        if n < 2:
            return
        way = np.gradient(points, axis=0)
        way /= np.hypot(way[:, 0], way[:, 1])[:, None] + 1e-9
        t = np.linspace(0, 1, n)
        half = 0.5 * width * self.unit / 800.0 * (0.5 + 0.6 * np.sin(np.pi * (0.12 + 0.8 * t) ** 0.8))
        normal = np.stack([-way[:, 1], way[:, 0]], axis=1) * half[:, None]
        shape = np.vstack([points + normal, (points - normal)[::-1]]) * SCALE
        self.pens[ink].polygon(shape.ravel().tolist(), fill=shade)

    def contour(self, points: Sequence[tuple[float, float]] | Array, width: float, ink: int = SEPIA) -> None:
        """Note a contour, to be drawn in a few unsteady lines where nothing hides it.

        Args:
            points: Points (x, y) as shares of the longer side.
            width: Width in pixels at a longer side of 800.
            ink: Number of the ink.
        """
        self.outlines.append((np.asarray(points, dtype=np.float64) * self.unit, width, ink, self.last))

    def outline(self, p: Array, width: float, ink: int, stamp: int) -> None:
        """Draw what is visible of one contour.

        Args:
            p: Points (x, y) in pixels.
            width: Width in pixels at a longer side of 800.
            ink: Number of the ink.
            stamp: Number of the newest thing that does not hide it.
        """
        px = self.unit / 800.0
        reach = np.concatenate([[0], np.cumsum(np.hypot(*np.diff(p, axis=0).T))])
        if reach[-1] < 2:
            return
        for again in range(2):
            at = 0.0
            while at < reach[-1]:
                end = at + self.rng.uniform(40, 110) * px
                where = np.arange(at, min(end, reach[-1]) + 1.5 * px, 3 * px)
                part = np.stack([np.interp(where, reach, p[:, k]) for k in (0, 1)], axis=1)
                shake = gaussian_filter(self.rng.normal(0, 2.4 * px, part.shape), (3, 0))
                drift = self.rng.normal(0, (0.4 + 0.7 * again) * px, 2)
                c, r = np.clip(part, 0, [self.width - 1, self.height - 1]).astype(int).T
                bold = width * self.rng.uniform(0.6, 1.2) * (1 - 0.5 * again)
                shown = np.flatnonzero(self.label[r, c] <= stamp)
                for piece in np.split(shown, np.flatnonzero(np.diff(shown) > 1) + 1):
                    self.line((part + shake + drift)[piece], bold, ink)
                at = end - 6 * px + self.rng.uniform(0, 14 + 30 * again) * px

    def hatch(self, limit: float, turn: float, gap: float, length: float, width: float, soft: float = 0.06) -> None:
        """Hatch everything darker than a limit with groups of parallel lines.

        Args:
            limit: Lightness below which there are lines, 0 to 1.
            turn: Angle to the direction of the form in radians.
            gap: Distance between lines in pixels at a longer side of 800.
            length: Length of the lines, likewise.
            width: Width of the pen, likewise.
            soft: Unevenness of the limit.
        """
        rng, px = self.rng, self.unit / 800.0
        gap, length = gap * px, length * px
        count = 9
        patch = np.sqrt(gap * count * length) * 0.86
        ys, xs = np.mgrid[0 : self.height : patch, 0 : self.width : patch]
        middle = np.stack([xs.ravel(), ys.ravel()], axis=1) + rng.uniform(-0.2, 1.2, (xs.size, 2)) * patch
        most = np.array([self.width - 1.0, self.height - 1.0])
        middle = np.clip(middle, 0, most)
        c, r = middle.astype(int).T
        angle = np.arctan2(self.vy[r, c], self.vx[r, c]) + turn + rng.normal(0, 0.07, len(r))
        side = np.stack([-np.sin(angle), np.cos(angle)], axis=1)
        row = np.arange(count) - (count - 1) / 2
        offset = (row[None] + rng.normal(0, 0.13, (len(r), count))) * gap
        start = (middle[:, None] + side[:, None] * offset[..., None]).reshape(-1, 2)
        inside = ((start >= 0) & (start <= most)).all(axis=1)
        home = np.repeat(self.label[r, c], count)
        start, home = start[inside], home[inside]
        bend = np.repeat(angle - np.arctan2(self.vy[r, c], self.vx[r, c]), count)[inside]
        c, r = start.astype(int).T
        keep = self.label[r, c] == home
        start, bend, home = start[keep], bend[keep], home[keep]
        jitter = soft * noise(rng, self.shape, 9 * px)
        dark = (self.tone + jitter) < limit
        n, step = len(start), 3.0 * px
        steps = max(2, int(length / 2 / step))
        halves = []
        for sign in (1.0, -1.0):
            here, alive = start.copy(), np.ones(n, dtype=bool)
            reach = length / 2 * rng.uniform(0.6, 1.1, n)
            path, good = [start.copy()], np.ones(n, dtype=int)
            old = None
            for k in range(steps):
                c, r = np.clip(here, 0, most).astype(int).T
                a = np.arctan2(self.vy[r, c], self.vx[r, c]) + bend
                way = np.stack([np.cos(a), np.sin(a)], axis=1) * sign
                if old is not None:
                    way *= np.where((way * old).sum(1) < 0, -1.0, 1.0)[:, None]
                old = way
                here = here + way * step
                c, r = np.clip(here, 0, most).astype(int).T
                alive &= dark[r, c] & (self.label[r, c] == home) & ((k + 1) * step < reach)
                good += alive
                path.append(here)
            halves.append((np.stack(path, axis=1), good))
        c, r = start.astype(int).T
        shade = np.clip(rng.normal(205, 26, n), 110, 255).astype(int)
        bow = rng.normal(0, 0.6 * px, n)
        for i in np.flatnonzero(dark[r, c]):
            (ahead, a), (behind, b) = halves
            points = np.vstack([behind[i, 1 : b[i]][::-1], ahead[i, : a[i]]])
            if len(points) >= 3:
                t = np.linspace(-1, 1, len(points))
                points = points + (bow[i] * (1 - t * t))[:, None] + rng.normal(0, 0.16 * px, points.shape)
                self.line(points, width * rng.uniform(0.75, 1.25), int(self.ink[r[i], c[i]]), int(shade[i]))

    def finish(self) -> Image.Image:
        """Lay the washes, put the ink over them and reduce.

        Returns:
            The picture.
        """
        rng, px = self.rng, self.unit / 800.0
        rows, columns = np.mgrid[0 : self.height, 0 : self.width].astype(np.float64)
        shift = 2.6 * px
        r = np.clip(rows + shift * fbm(rng, self.shape, 26 * px, 3), 0, self.height - 1).astype(int)
        c = np.clip(columns + shift * fbm(rng, self.shape, 26 * px, 3), 0, self.width - 1).astype(int)
        wash = gaussian_filter(self.colour[r, c], (0.9 * px, 0.9 * px, 0))
        far = gaussian_filter(wash, (4 * px, 4 * px, 0))
        rim = np.clip((far - wash).mean(axis=2), 0, 40)
        bloom = fbm(rng, self.shape, 70 * px, 5)
        back = smooth(np.abs(fbm(rng, self.shape, 120 * px, 3)), 0.10, 0.0)
        grain = noise(rng, self.shape, 1.6 * px) * 0.6 + noise(rng, self.shape, 3.0 * px) * 0.4
        depth = np.clip(0.92 + 0.26 * bloom + 0.02 * rim + 0.16 * grain + 0.16 * back, 0.25, 2.0)
        paper = rgb("#f3e6c8") * (1 + 0.022 * grain + 0.02 * fbm(rng, self.shape, 90 * px, 4))[..., None]
        shadow = self.tone
        shade = (0.72 + 0.28 * smooth(shadow, 0.05, 0.8))[..., None]
        tint = np.array([1.0, 0.985, 1.02])
        sheet = paper * np.clip(wash / 255.0, 0.02, 1) ** depth[..., None] * (shade**tint)
        lines = np.stack([np.asarray(shrink_plate(plate, SCALE)) for plate in self.plates], axis=2) / 255.0
        flow = np.clip(0.93 + 0.1 * noise(rng, self.shape, 14 * px) - 0.06 * grain, 0, 1)
        for k, ink in enumerate(INKS):
            sheet = blend(sheet, rgb(ink) + 12 * np.clip(grain, 0, 2)[..., None], np.clip(lines[..., k] * flow * 1.08, 0, 1))
        return shrink(sheet, 1)


def shrink_plate(plate: Image.Image, factor: int) -> Image.Image:
    """Reduce one plate of lines.

    Args:
        plate: The plate.
        factor: Whole number by which both sides shrink.

    Returns:
        The plate in the size of the picture.
    """
    return plate.resize((plate.width // factor, plate.height // factor), Image.Resampling.LANCZOS)


def work(d: Drawing) -> Image.Image:
    """Hatch a drawing from wide to dense and finish it.

    Args:
        d: The drawing.

    Returns:
        The picture.
    """
    d.tone = np.clip(d.tone, 0, 1)
    for line in d.outlines:
        d.outline(*line)
    d.hatch(0.99, 0.0, 9.0, 34, 0.9, 0.10)
    d.hatch(0.90, 0.06, 5.6, 46, 1.15, 0.09)
    d.hatch(0.76, 0.10, 4.4, 38, 1.3)
    d.hatch(0.62, 0.95, 5.2, 34, 1.3)
    d.hatch(0.48, -0.85, 4.8, 28, 1.4)
    d.hatch(0.34, 1.65, 4.2, 22, 1.6)
    d.hatch(0.22, 0.35, 3.2, 20, 1.9)
    return d.finish()


def lathe(
    d: Drawing, cx: float, profile: Sequence[tuple[float, float]], wash: Sequence[str], ink: int, bulge: float = 0.22
) -> None:
    """Draw a vessel turned on a lathe, lit from the left.

    Args:
        d: The drawing.
        cx: Its axis.
        profile: Heights and radii from the mouth to the foot, as shares of the longer side.
        wash: Ramp of its wash from shadow to light.
        ink: Number of the ink.
        bulge: Roundness of its rings as seen from above, 0 to 1.
    """
    line = curve(profile, 70)
    y, radius = line[:, 0], np.maximum(line[:, 1], 1e-3)
    foot = radius[-1] * bulge
    u = np.linspace(-1, 1, 24)
    bottom = np.stack([cx - radius[-1] * u, y[-1] + foot * np.sqrt(1 - u * u)], axis=1)
    edge = np.vstack([np.stack([cx - radius, y], axis=1)[::-1], np.stack([cx + radius, y], axis=1), bottom])
    mask = d.inside(edge)
    width = np.interp(d.y, y, radius)
    side = np.clip((d.x - cx) / width, -0.98, 0.98)
    fall = np.interp(d.y, y, np.gradient(radius) / (np.gradient(y) + 1e-6))
    tone = 0.93 - 0.74 * smooth(side + 0.22 * np.clip(fall, -1, 1) * -1, -0.35, 0.72) + 0.16 * smooth(side, 0.78, 1.0)
    tone = tone - 0.22 * smooth(side, -0.72, -1.0) + 0.3 * np.exp(-(((side + 0.42) / 0.13) ** 2))
    slope = -bulge * side / np.sqrt(1 - side**2)
    d.shape_in(mask, tone, ramp(tone + 0.07 * d.noise(0.02), wash), (1.0, slope), ink)
    mouth = np.stack([cx + radius[0] * np.cos(np.linspace(0, 2 * np.pi, 50)), y[0] + bulge * radius[0] * np.sin(np.linspace(0, 2 * np.pi, 50))], axis=1)
    inner = 0.22 + 0.5 * smooth(d.x, cx - radius[0], cx + radius[0])
    d.shape_in(d.inside(mouth), inner, ramp(inner, wash), (0.2, 1.0), ink)
    d.contour(mouth, 2.0, ink)
    d.contour(np.stack([cx - radius, y], axis=1), 1.8, ink)
    d.contour(np.vstack([np.stack([cx + radius, y], axis=1), bottom]), 3.0, ink)


def fruit(d: Drawing, cx: float, cy: float, rx: float, ry: float, wash: Sequence[str], ink: int, pear: float = 0.0) -> None:
    """Draw a fruit lit from the upper left.

    Args:
        d: The drawing.
        cx: Middle, to the right.
        cy: Middle, downwards.
        rx: Half width.
        ry: Half height; all as shares of the longer side.
        wash: Ramp of its wash from shadow to light.
        ink: Number of the ink.
        pear: How much narrower its upper part is, 0 to 1.
    """
    t = np.linspace(0, 2 * np.pi, 70)
    up = np.clip(-np.sin(t), 0, 1)
    edge = np.stack([cx + rx * np.cos(t) * (1 - pear * up**0.8), cy + ry * np.sin(t) * (1 + 0.5 * pear * up)], axis=1)
    dx = (d.x - cx) / rx / np.where(d.y < cy, 1 - 0.75 * pear * smooth(d.y, cy, cy - 1.4 * ry), 1)
    dy = (d.y - cy) / ry
    lit = -0.62 * dx - 0.62 * dy
    depth = np.sqrt(np.clip(1 - dx**2 - dy**2 * 0.9, 0, 1))
    tone = 0.34 + 0.46 * lit + 0.32 * depth + 0.12 * smooth(np.hypot(dx, dy), 0.8, 1.0) * (lit < 0)
    tone = tone + 0.4 * np.exp(-(((dx + 0.38) / 0.16) ** 2 + ((dy + 0.42) / 0.16) ** 2))
    d.shape_in(d.inside(edge), tone, ramp(tone + 0.12 * d.noise(0.02), wash), (-dy * 0.9 - 0.25, dx * 0.9 + 0.35), ink)
    d.contour(np.vstack([edge, edge[:3]]), 2.4, ink)
    stalk = curve([(cx + 0.004, cy - ry * (0.86 + 0.5 * pear)), (cx + 0.006, cy - ry * (1.1 + 0.5 * pear)), (cx + 0.02, cy - ry * (1.3 + 0.5 * pear))], 16)
    d.contour(stalk, 3.4, SEPIA)


def shadow(d: Drawing, cx: float, cy: float, rx: float, ry: float, depth: float = 0.6) -> None:
    """Cast a shadow on whatever lies there now.

    Args:
        d: The drawing.
        cx: Middle, to the right.
        cy: Middle, downwards.
        rx: Half width.
        ry: Half height; all as shares of the longer side.
        depth: Darkness, 0 to 1.
    """
    far = np.hypot((d.x - cx) / rx, (d.y - cy) / ry)
    dark = depth * smooth(far, 1.0, 0.55)
    d.tone = d.tone * (1 - dark)
    d.colour = blend(d.colour, rgb("#6c78a8"), 0.55 * dark)


def house(d: Drawing, x: float, foot: float, size: float) -> None:
    """Draw a small house with a tiled roof.

    Args:
        d: The drawing.
        x: Left corner.
        foot: Height of its foot.
        size: Width; all as shares of the longer side.
    """
    rng = d.rng
    tall, depth = size * rng.uniform(0.8, 1.5), size * rng.uniform(0.35, 0.55)
    top, a, b = foot - tall, x + size * 0.62, x + size * 0.62 + depth
    wall = rgb(str(rng.choice(["#f4d08c", "#eab47c", "#f8e6bc", "#e09c78", "#e8b8a0"])))
    peak = (x + size * 0.31, top - size * rng.uniform(0.2, 0.34))
    back = (peak[0] + depth, peak[1] + size * 0.02)
    front = [(x, foot), (x, top), peak, (a, top), (a, foot)]
    side = [(a, foot), (a, top), (b, top + size * 0.02), (b, foot)]
    roof = [(a + size * 0.04, top + size * 0.05), peak, back, (b + size * 0.04, top + size * 0.06)]
    eave = [(x - size * 0.05, top + size * 0.05), peak, (peak[0] + size * 0.05, peak[1]), (x + size * 0.02, top + size * 0.06)]
    d.shape_in(d.inside(front), 0.92, wall, (0.05, 1.0))
    d.shape_in(d.inside(side), 0.46, wall * 0.74, (0.3, 1.0), INDIGO if rng.random() < 0.5 else SEPIA)
    tiles = rgb(str(rng.choice(["#c4543a", "#b4442f", "#d4703f", "#a83c34"])))
    d.shape_in(d.inside(roof), 0.62, tiles, (a - peak[0], top - peak[1]), RUST)
    d.shape_in(d.inside(eave), 0.5, tiles * 0.85, (0.4, 1.0), RUST)
    for k in range(int(rng.integers(1, 4))):
        wx, wy = x + size * (0.12 + 0.2 * (k % 2)), top + tall * (0.18 + 0.36 * (k // 2))
        pane = [(wx, wy), (wx + size * 0.1, wy), (wx + size * 0.1, wy + size * 0.19), (wx, wy + size * 0.19)]
        d.shape_in(d.inside(pane), 0.12, rgb("#5c688c"), (0.0, 1.0), INDIGO)
    for part in (front, side, roof):
        d.contour([*part, part[0]], 1.5)


def first(rng: np.random.Generator, size: int) -> Image.Image:
    """A hill town above a bridge.

    Args:
        rng: Source of randomness.
        size: Longer side in pixels.

    Returns:
        The picture.
    """
    d = Drawing(rng, size, int(size * 0.78))
    x, y = d.x, d.y
    cloud = d.fbm(0.17, 4) + 1.3 * np.exp(-(((y - 0.17) / 0.09) ** 2)) - 0.6
    puff = smooth(cloud, -0.2, 0.5)
    gy, gx = np.gradient(gaussian_filter(cloud, 5 * size / 800))
    air = ramp(y / 0.42, ["#3c68b0", "#6c9ccc", "#b4ccd0", "#f4cc9c", "#ee9c74"])
    tone = 0.52 + 0.5 * y + 0.40 * puff - 0.30 * smooth(gy * 45, 0.15, 1.0)
    d.shape_in(y < 2, np.clip(tone, 0, 1), blend(air, rgb("#fffaf0"), 0.72 * puff), (1.0 - gy * 40, gx * 40 + 0.12), INDIGO)
    u = np.linspace(-0.02, 1.02, 140)
    for base, rise, k, wash, ink, dark in ((0.37, 0.035, 5.0, "#9cb0d0", INDIGO, 0.78), (0.41, 0.03, 8.0, "#a4b08c", INDIGO, 0.66), (0.45, 0.022, 11.0, "#c4b474", SEPIA, 0.62)):
        ridge = base - rise * np.sin(u * k + k) - 0.3 * rise * np.sin(u * 2.7 * k)
        line = np.interp(x[0], u, ridge)
        below = y - line[None]
        lean = np.gradient(line)[None] * d.unit
        mark = 0.13 * d.fbm(0.04, 3)
        d.shape_in(below > 0, dark + mark - 1.4 * np.clip(0.05 - below, 0, 1), rgb(wash) * (1 + 0.3 * mark)[..., None], (1.0, lean * 2 + 0.35), ink)
        d.contour(np.stack([u, ridge], axis=1), 2.0, ink)
    hill = curve([(0.20, 0.60), (0.30, 0.49), (0.42, 0.40), (0.55, 0.35), (0.68, 0.37), (0.82, 0.47), (0.96, 0.53), (1.06, 0.60), (1.06, 0.75), (0.2, 0.75)], 90)
    d.shape_in(d.inside(hill), 0.62 + 0.16 * d.fbm(0.04, 3), ramp(0.5 + 0.25 * d.noise(0.04), ["#8c8c44", "#b4a85c", "#dcc47c"]), (1.0, 0.9 * (x - 0.58)), SEPIA)
    d.contour(hill[:70], 2.2)
    tower = [(0.555, 0.40), (0.555, 0.20), (0.60, 0.20), (0.60, 0.40)]
    shade = smooth(x, 0.555, 0.60)
    d.shape_in(d.inside(tower), 0.92 - 0.62 * shade, ramp(1 - shade, ["#a87c64", "#e8c898", "#f4e0b8"]), (1.0, 0.12), SEPIA)
    cone = [(0.548, 0.205), (0.5775, 0.10), (0.607, 0.205)]
    d.shape_in(d.inside(cone), 0.80 - 0.62 * shade, ramp(1 - shade, ["#7c2c2c", "#c4543a", "#e08858"]), (x - 0.5775, y - 0.07), RUST)
    d.contour([*tower, tower[0]], 2.4)
    d.contour([*cone, cone[0]], 2.4)
    for wy in (0.235, 0.29, 0.34):
        d.shape_in(d.inside([(0.571, wy), (0.571, wy + 0.026), (0.582, wy + 0.026), (0.582, wy)]), 0.1, rgb("#5c688c"), (0, 1.0), INDIGO)
    for row, (low, high) in enumerate(((0.50, 0.66), (0.43, 0.74), (0.37, 0.83), (0.33, 0.90), (0.40, 0.97))):
        for px in np.arange(low, high, 0.053):
            hx = px + rng.uniform(-0.012, 0.012)
            foot = 0.405 + 0.043 * row + 0.32 * (hx - 0.60) ** 2 * (1.6 - 0.2 * row) + rng.uniform(-0.008, 0.008)
            if rng.random() < 0.88:
                house(d, hx, foot, rng.uniform(0.05, 0.072))
            else:
                bush(d, hx + 0.03, foot - 0.03, 0.032, 0.045)
    water = y > 0.615
    depth = np.clip(y - 0.615, 0, 1)
    ripple = gaussian_filter(rng.standard_normal(d.shape), (1.4 * size / 800, 16 * size / 800)) * 6
    r = np.clip((0.615 - depth * 1.15 + 0.008 * ripple * (0.4 + depth * 3)) * d.unit, 0, d.height - 1).astype(int)
    mirror = np.take_along_axis(d.tone, r, axis=0)
    image = np.take_along_axis(d.colour, r[..., None], axis=0)
    tone = 0.35 + 0.5 * mirror + 0.09 * ripple
    d.shape_in(water, tone, blend(image, rgb("#6c9cb8"), np.full(d.shape, 0.48)), (1.0, 0.06 * ripple), INDIGO)
    bridge(d)
    bank = curve([(-0.05, 0.64), (0.08, 0.66), (0.2, 0.70), (0.32, 0.715), (0.40, 0.755), (0.45, 0.82)], 60)
    land = d.inside(np.vstack([bank, [[-0.05, 0.82]]]))
    d.shape_in(land, 0.6 + 0.22 * d.fbm(0.03, 3), ramp(0.5 + 0.25 * d.noise(0.05), ["#7c7c34", "#b0984c", "#dcc07c"]), (0.7, 1.0 + d.noise(0.06)), SEPIA)
    d.contour(bank, 2.8)
    for cx, foot, tall, wide in ((0.075, 0.74, 0.62, 0.062), (0.185, 0.76, 0.42, 0.045), (0.275, 0.775, 0.24, 0.03)):
        cypress(d, cx, foot, tall, wide)
    bush(d, 0.955, 0.745, 0.12, 0.095)
    bush(d, 0.83, 0.775, 0.07, 0.05)
    for _ in range(90):
        gx0, gy0 = rng.uniform(0.0, 0.40), rng.uniform(0.70, 0.79)
        blade = curve([(gx0, gy0), (gx0 + rng.normal(0, 0.006), gy0 - 0.02), (gx0 + rng.normal(0, 0.018), gy0 - rng.uniform(0.025, 0.05))], 10)
        if gy0 > 0.66 + 0.3 * gx0:
            d.line(blade * d.unit, 1.7, SEPIA)
    return work(d)


def bush(d: Drawing, cx: float, cy: float, rx: float, ry: float) -> None:
    """Draw a round bush or crown.

    Args:
        d: The drawing.
        cx: Middle, to the right.
        cy: Middle, downwards.
        rx: Half width.
        ry: Half height; all as shares of the longer side.
    """
    dx, dy = (d.x - cx) / rx, (d.y - cy) / ry
    lump = d.fbm(0.5 * rx, 3)
    mask = dx**2 + dy**2 + 0.22 * lump < 1
    tone = 0.48 + 0.30 * (-dx - dy) * 0.9 + 0.26 * lump
    d.shape_in(mask, tone, ramp(tone, ["#1c4434", "#4c7434", "#9ca444", "#e4d07c"]), (-dy + 0.4, dx + 0.3 + 0.5 * lump), SEPIA)
    t = np.linspace(0, 2 * np.pi, 50)
    ring = 1 + 0.10 * np.sin(9 * t) + 0.06 * np.sin(17 * t)
    d.contour(np.stack([cx + rx * np.cos(t) * ring, cy + ry * np.sin(t) * ring], axis=1), 1.6)


def cypress(d: Drawing, cx: float, foot: float, tall: float, wide: float) -> None:
    """Draw a cypress.

    Args:
        d: The drawing.
        cx: Its axis.
        foot: Height of its foot.
        tall: Height.
        wide: Half width; all as shares of the longer side.
    """
    t = np.linspace(0, 1, 60)
    body = wide * np.sin(np.pi * (0.08 + 0.92 * t) ** 0.62) ** 0.8 * (1 + 0.10 * np.sin(t * 40 + cx * 90))
    body[-1] = 0
    left = np.stack([cx - body, foot - tall * t], axis=1)
    right = np.stack([cx + body * (1 + 0.1 * np.cos(t * 33)), foot - tall * t], axis=1)
    side = (d.x - cx) / wide
    tone = 0.46 - 0.38 * side + 0.17 * d.fbm(0.025, 3)
    flow = 0.55 * np.sin(d.y * 42 + side * 2) - 0.4 * side
    d.shape_in(d.inside(np.vstack([left, right[::-1]])), tone, ramp(tone + 0.1, ["#1c3c44", "#3c6448", "#8c9448", "#ccbc6c"]), (flow * 0.6, -1.0), INDIGO)
    d.contour(left, 1.9, INDIGO)
    d.contour(right, 3.0, INDIGO)


def bridge(d: Drawing) -> None:
    """Draw a stone bridge with its mirror image.

    Args:
        d: The drawing.
    """
    arches = [(0.33, 0.058), (0.47, 0.066), (0.625, 0.072), (0.785, 0.066), (0.92, 0.055)]
    deck = curve([(0.20, 0.585), (0.4, 0.545), (0.62, 0.525), (0.84, 0.545), (1.06, 0.585)], 60)
    wall = np.vstack([deck, [[1.06, 0.655], [0.20, 0.655]]])
    stone = 0.70 + 0.10 * d.noise(0.012) + 0.1 * np.sin(d.y * 420) * smooth(d.noise(0.03), -0.4, 0.6)
    d.shape_in(d.inside(wall), stone, ramp(0.5 + 0.3 * d.noise(0.02), ["#c49c7c", "#e0c094", "#f0dcb0"]), (1.0, 0.02), SEPIA)
    top = np.interp(d.x, deck[:, 0], deck[:, 1])
    d.shape_in(d.inside(wall) & (d.y < top + 0.016), 0.88, rgb("#ecd4a4"), (1.0, 0.0), SEPIA)
    for cx, r in arches:
        t = np.linspace(np.pi, 2 * np.pi, 40)
        arc = np.stack([cx + r * np.cos(t), 0.657 + 1.15 * r * np.sin(t)], axis=1)
        inner = 0.22 + 0.35 * smooth(d.x, cx - r, cx + r * 0.4)
        d.shape_in(d.inside(arc), inner, ramp(inner, ["#54587c", "#8c7c80", "#c4a484"]), (d.x - cx, d.y - 0.70), SEPIA)
        view = np.stack([cx + 0.3 * r + 0.66 * r * np.cos(t), 0.657 + 0.92 * r * np.sin(t)], axis=1)
        d.shape_in(d.inside(view), 0.86, rgb("#b8ccc8"), (1.0, 0.0), INDIGO)
        d.contour(arc, 2.8)
        d.contour(view, 1.5)
        outer = np.stack([cx + 1.14 * r * np.cos(t), 0.655 + 1.32 * r * np.sin(t)], axis=1)
        d.contour(outer, 1.3)
        for a in np.linspace(np.pi * 1.06, np.pi * 1.94, 13):
            ray = np.array([[cx + k * r * np.cos(a), 0.656 + 1.15 * k * r * np.sin(a)] for k in (1.0, 1.07, 1.14)])
            d.line(ray * d.unit, 1.5, SEPIA)
        low = np.stack([cx + r * np.cos(t), 0.657 - 0.9 * r * np.sin(t)], axis=1)
        d.shape_in(d.inside(low), 0.42, rgb("#7c8ca4"), (1.0, 0.02), INDIGO)
    d.contour(deck, 3.2)
    d.contour(deck + [0, 0.016], 1.5)
    rng = d.rng
    for _ in range(150):
        a, b = rng.uniform(0.2, 1.0), rng.uniform(0.57, 0.65)
        if all(np.hypot(a - cx, (b - 0.657) / 1.15) > r * 1.2 for cx, r in arches):
            w = rng.uniform(0.008, 0.018)
            d.line(np.array([[a, b], [a + w, b], [a + w, b + 0.008]]) * d.unit, 1.1, SEPIA)


def second(rng: np.random.Generator, size: int) -> Image.Image:
    """A still life with a blue jug, a bottle, pears and oranges.

    Args:
        rng: Source of randomness.
        size: Longer side in pixels.

    Returns:
        The picture.
    """
    d = Drawing(rng, size, int(size * 0.8))
    x, y = d.x, d.y
    wall = 0.80 - 0.42 * smooth(x, 0.2, 1.0) + 0.07 * d.fbm(0.08, 3) - 0.2 * smooth(y, 0.2, 0.0)
    d.shape_in(y < 2, wall, ramp(wall, ["#4c5c94", "#7c8cac", "#c8c0a4", "#f0dcac"]), (1.0, -0.75 + 0.2 * d.noise(0.15)), INDIGO)
    fold = np.sin(x * 78 + 2.0 * np.sin(y * 5 + 1) + 1.2 * np.sin(x * 31))
    drape = d.inside(curve([(-0.02, -0.02), (0.36, -0.02), (0.325, 0.16), (0.25, 0.32), (0.16, 0.44), (0.17, 0.60), (-0.02, 0.60)], 60))
    tone = 0.52 + 0.36 * fold + 0.06 * d.fbm(0.03, 2)
    d.shape_in(drape, tone, ramp(tone, ["#6c1c24", "#a8342c", "#cc5c3c", "#eca070"]), (0.10 + 0.9 * (x - 0.1) * y, 1.0), RUST)
    d.contour(curve([(0.36, -0.02), (0.325, 0.16), (0.25, 0.32), (0.16, 0.44), (0.17, 0.60)], 60), 3.2, RUST)
    for k in range(9):
        a = 0.02 + 0.038 * k
        d.contour(curve([(a, -0.02), (a - 0.006 - 0.02 * k / 9, 0.2), (a * 0.62, 0.42)], 40), 1.6, RUST)
    board = y > 0.545 + 0.0 * x
    plank = 0.86 - 0.26 * smooth(x, 0.35, 1.0) + 0.08 * np.sin(y * 260 + 5 * d.noise(0.2)) * smooth(d.noise(0.05), -0.6, 0.6)
    d.shape_in(board, plank, ramp(plank, ["#94603c", "#c8945c", "#e8c48c", "#f4dcac"]), (1.0, 0.05 * d.noise(0.1)), SEPIA)
    d.contour([(-0.02, 0.545), (1.02, 0.545)], 2.6)
    cloth = curve([(0.34, 0.60), (0.62, 0.585), (0.97, 0.60), (1.03, 0.68), (0.98, 0.82), (0.30, 0.82), (0.27, 0.71), (0.34, 0.60)], 90)
    pleat = np.sin(x * 33 + y * 26 + 1.8 * np.sin(y * 19)) + 0.6 * np.sin(x * 71 - y * 40)
    tone = 0.87 + 0.17 * pleat * smooth(y, 0.60, 0.74)
    stripe = smooth(np.abs(((x * 0.9 + y * 0.75 + 0.010 * pleat) * 9.5) % 1.0 - 0.5), 0.15, 0.10)
    linen = blend(np.broadcast_to(rgb("#f8ecd0"), d.colour.shape), rgb("#5c84b8"), 0.85 * stripe)
    d.shape_in(d.inside(cloth), tone - 0.16 * stripe, linen, (0.75, -0.9), INDIGO)
    d.contour(cloth, 2.4, INDIGO)
    shadow(d, 0.47, 0.655, 0.22, 0.048)
    shadow(d, 0.82, 0.64, 0.22, 0.05)
    shadow(d, 0.17, 0.665, 0.14, 0.03)
    lathe(d, 0.585, [(0.10, 0.024), (0.12, 0.029), (0.14, 0.024), (0.25, 0.025), (0.30, 0.052), (0.34, 0.063), (0.50, 0.066), (0.61, 0.062)], ["#1c3c2c", "#3c6c44", "#8ca458", "#e0dc9c"], SEPIA)
    label = np.abs(x - 0.585) < 0.058
    d.shape_in(label & (y > 0.41 + 0.006 * np.cos((x - 0.585) * 40)) & (y < 0.505), 0.92 - 0.5 * smooth(x, 0.57, 0.64), rgb("#f0dcb0"), (1.0, 0.0), SEPIA)
    handle = curve([(0.425, 0.285), (0.495, 0.26), (0.535, 0.33), (0.52, 0.43), (0.455, 0.50)], 50)
    ring = np.vstack([handle + [0.0, -0.014], (handle + [-0.018, 0.016])[::-1]])
    d.shape_in(d.inside(ring), 0.5 - 0.25 * smooth(x, 0.46, 0.53), rgb("#3c5ca0"), (0.4, 1.0), INDIGO)
    d.contour(handle + [0.0, -0.014], 2.6, INDIGO)
    d.contour(handle + [-0.018, 0.016], 2.2, INDIGO)
    lathe(d, 0.37, [(0.225, 0.062), (0.26, 0.050), (0.30, 0.054), (0.36, 0.094), (0.44, 0.120), (0.53, 0.112), (0.60, 0.082), (0.63, 0.070)], ["#142468", "#2c4ca4", "#6c98d0", "#d4e4e8"], INDIGO)
    for k, py in enumerate((0.385, 0.505)):
        arc = np.linspace(-0.97, 0.97, 50)
        rad = 0.104 if k == 0 else 0.117
        band = np.stack([0.37 + rad * arc, py + 0.22 * rad * np.sqrt(1 - arc**2)], axis=1)
        d.contour(band, 3.2, RUST)
        d.contour(band + [0, 0.012], 1.6, INDIGO)
    for k in range(9):
        a = -0.85 + 0.21 * k
        cx, cy = 0.37 + 0.118 * a, 0.445 + 0.024 * np.sqrt(1 - a * a)
        t = np.linspace(0, 2 * np.pi, 16)
        w = 0.011 * np.sqrt(1 - a * a)
        d.contour(np.stack([cx + w * np.cos(t), cy + 0.017 * np.sin(t)], axis=1), 2.2, RUST)
    orange = ["#8c2c1c", "#d4582c", "#f0923c", "#fcd48c"]
    lathe(d, 0.81, [(0.478, 0.150), (0.50, 0.146), (0.55, 0.118), (0.595, 0.070), (0.61, 0.052), (0.635, 0.066)], ["#7c2c1c", "#b8543c", "#dc9464", "#f4d8ac"], RUST, 0.16)
    for cx, cy, r in ((0.785, 0.405, 0.050), (0.725, 0.452, 0.048), (0.90, 0.458, 0.042), (0.822, 0.455, 0.053)):
        fruit(d, cx, cy, r, r * 0.97, orange, RUST)
    lip = np.linspace(0, np.pi, 40)
    rim = np.stack([0.81 + 0.15 * np.cos(lip), 0.478 + 0.024 * np.sin(lip)], axis=1)
    low = np.stack([0.81 + 0.147 * np.cos(lip), 0.496 + 0.024 * np.sin(lip)], axis=1)
    band = np.vstack([rim, low[::-1]])
    level = 0.95 - 0.66 * smooth(x, 0.72, 0.93)
    d.shape_in(d.inside(band), level, ramp(level, ["#7c2c1c", "#b8543c", "#dc9464", "#f4d8ac"]), (1.0, 0.3 * (0.81 - x)), RUST)
    d.contour(rim, 2.4, RUST)
    d.contour(low, 1.4, RUST)
    green = ["#4c4c1c", "#8c8c34", "#ccb848", "#f4e49c"]
    shadow(d, 0.32, 0.735, 0.12, 0.026)
    shadow(d, 0.56, 0.735, 0.10, 0.024)
    fruit(d, 0.145, 0.615, 0.058, 0.058, green, SEPIA, 0.5)
    fruit(d, 0.255, 0.680, 0.064, 0.062, ["#6c3c1c", "#b8842c", "#e4c04c", "#f8eca8"], SEPIA, 0.5)
    fruit(d, 0.505, 0.700, 0.056, 0.040, ["#94701c", "#d4b02c", "#f4dc54", "#fcf4b4"], SEPIA)
    fruit(d, 0.635, 0.715, 0.040, 0.040, ["#5c1428", "#a42c34", "#d8584c", "#f4b49c"], RUST)
    fruit(d, 0.700, 0.725, 0.037, 0.036, ["#5c1428", "#a42c34", "#d8584c", "#f4b49c"], RUST)
    knife = np.array([(0.76, 0.755), (0.90, 0.690), (0.915, 0.690), (0.775, 0.765)])
    d.shape_in(d.inside(knife), 0.75, rgb("#b8c0c8"), (1.0, -0.5), INDIGO)
    d.contour(knife, 1.8)
    grip = np.array([(0.895, 0.688), (0.975, 0.648), (0.985, 0.660), (0.910, 0.702)])
    d.shape_in(d.inside(grip), 0.25, rgb("#7c3c24"), (1.0, -0.5), SEPIA)
    d.contour(np.vstack([grip, grip[:1]]), 2.2)
    return work(d)
