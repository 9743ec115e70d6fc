"""Pen and wash: hatching that follows form and tone."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw
from scipy.ndimage import gaussian_filter

from painters.canvas import Array, Mask, blend, fbm, noise, rgb, shrink, smooth
from painters.scene import Scene

SCALE = 3


SEPIA = 0


INDIGO = 1


RUST = 2


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
        self,
        mask: Mask,
        tone: Array | float,
        wash: Array,
        way: tuple[Array | float, Array | float],
        ink: int = SEPIA,
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
        half = (
            0.5 * width * self.unit / 800.0 * (0.5 + 0.6 * np.sin(np.pi * (0.12 + 0.8 * t) ** 0.8))
        )
        normal = np.stack([-way[:, 1], way[:, 0]], axis=1) * half[:, None]
        shape = np.vstack([points + normal, (points - normal)[::-1]]) * SCALE
        self.pens[ink].polygon(shape.ravel().tolist(), fill=shade)

    def contour(
        self, points: Sequence[tuple[float, float]] | Array, width: float, ink: int = SEPIA
    ) -> None:
        """Note a contour, to be drawn in a few unsteady lines where nothing hides it.

        Args:
            points: Points (x, y) as shares of the longer side.
            width: Width in pixels at a longer side of 800.
            ink: Number of the ink.
        """
        self.outlines.append(
            (np.asarray(points, dtype=np.float64) * self.unit, width, ink, self.last)
        )

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

    def hatch(
        self, limit: float, turn: float, gap: float, length: float, width: float, soft: float = 0.06
    ) -> None:
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
        middle = (
            np.stack([xs.ravel(), ys.ravel()], axis=1)
            + rng.uniform(-0.2, 1.2, (xs.size, 2)) * patch
        )
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
                points = (
                    points
                    + (bow[i] * (1 - t * t))[:, None]
                    + rng.normal(0, 0.16 * px, points.shape)
                )
                self.line(
                    points,
                    width * rng.uniform(0.75, 1.25),
                    int(self.ink[r[i], c[i]]),
                    int(shade[i]),
                )

    def finish(self) -> Image.Image:
        """Lay the washes, put the ink over them and reduce.

        Returns:
            The picture.
        """
        rng, px = self.rng, self.unit / 800.0
        rows, columns = np.mgrid[0 : self.height, 0 : self.width].astype(np.float64)
        shift = 2.6 * px
        r = np.clip(rows + shift * fbm(rng, self.shape, 26 * px, 3), 0, self.height - 1).astype(int)
        c = np.clip(columns + shift * fbm(rng, self.shape, 26 * px, 3), 0, self.width - 1).astype(
            int
        )
        wash = gaussian_filter(self.colour[r, c], (0.9 * px, 0.9 * px, 0))
        far = gaussian_filter(wash, (4 * px, 4 * px, 0))
        rim = np.clip((far - wash).mean(axis=2), 0, 40)
        bloom = fbm(rng, self.shape, 70 * px, 5)
        back = smooth(np.abs(fbm(rng, self.shape, 120 * px, 3)), 0.10, 0.0)
        grain = noise(rng, self.shape, 1.6 * px) * 0.6 + noise(rng, self.shape, 3.0 * px) * 0.4
        depth = np.clip(0.92 + 0.26 * bloom + 0.02 * rim + 0.16 * grain + 0.16 * back, 0.25, 2.0)
        paper = (
            rgb("#f3e6c8")
            * (1 + 0.022 * grain + 0.02 * fbm(rng, self.shape, 90 * px, 4))[..., None]
        )
        shadow = self.tone
        shade = (0.72 + 0.28 * smooth(shadow, 0.05, 0.8))[..., None]
        tint = np.array([1.0, 0.985, 1.02])
        sheet = paper * np.clip(wash / 255.0, 0.02, 1) ** depth[..., None] * (shade**tint)
        lines = (
            np.stack([np.asarray(shrink_plate(plate, SCALE)) for plate in self.plates], axis=2)
            / 255.0
        )
        flow = np.clip(0.93 + 0.1 * noise(rng, self.shape, 14 * px) - 0.06 * grain, 0, 1)
        for k, ink in enumerate(INKS):
            sheet = blend(
                sheet,
                rgb(ink) + 12 * np.clip(grain, 0, 2)[..., None],
                np.clip(lines[..., k] * flow * 1.08, 0, 1),
            )
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
    d.hatch(0.99, 0.0, 12.4, 46, 1.47, 0.10)
    d.hatch(0.90, 0.06, 7.8, 62, 1.92, 0.09)
    d.hatch(0.76, 0.10, 6.1, 53, 2.18)
    d.hatch(0.62, 0.95, 7.3, 46, 2.18)
    d.hatch(0.48, -0.85, 6.8, 39, 2.30)
    d.hatch(0.34, 1.65, 5.9, 30, 2.56)
    d.hatch(0.22, 0.35, 4.5, 25, 2.82)
    return d.finish()
