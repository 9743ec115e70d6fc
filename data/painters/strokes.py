"""Brush strokes: a scene says what is where, strokes follow it from coarse to fine."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from painters import canvas
from painters.canvas import Array, Points
from painters.scene import Scene

SCALE = 2


@dataclass
class Brush:
    """One brush: lengths are pixels at a longer side of 800.

    Attributes:
        length: Mean length of a stroke.
        width: Mean width of a stroke.
        spacing: Distance between strokes as a share of sqrt(length * width).
        jitter: Deviation of lightness from stroke to stroke, 0 to 255.
        tint: Deviation of each colour channel from stroke to stroke, 0 to 255.
        bristle: Deviation of lightness from bristle to bristle, 0 to 255.
        stray: Distance from which a stroke may borrow its colour.
        wet: Share of the colour underneath that is picked up, 0 to 1.
        body: Thickness of the paint, 0 to 255.
        clip: Whether strokes stop at the edge of their region.
        turn: Deviation of the direction in radians.
    """

    length: float = 24.0
    width: float = 8.0
    spacing: float = 0.6
    jitter: float = 9.0
    tint: float = 6.0
    bristle: float = 11.0
    stray: float = 6.0
    wet: float = 0.12
    body: float = 130.0
    clip: bool = True
    turn: float = 0.08


class Easel:
    """Canvas with wet paint on it; the fourth channel is the thickness of the paint."""

    def __init__(self, scene: Scene, ground: Array | None = None) -> None:
        """Set up the canvas with an underpainting.

        Args:
            scene: What is to be painted.
            ground: RGB field of the underpainting; the scene's own colours if absent.
        """
        self.scene = scene
        self.rng = scene.rng
        under = scene.colour if ground is None else ground
        flat = np.concatenate([np.clip(under, 0, 255), np.full((*scene.shape, 1), 60.0)], axis=2)
        image = Image.fromarray(flat.astype(np.uint8))
        self.image = image.resize(
            (scene.width * SCALE, scene.height * SCALE), Image.Resampling.NEAREST
        )
        self.draw = ImageDraw.Draw(self.image)
        self.pool = self.rng.standard_normal(1 << 17)
        self.used = 0

    def starts(self, gap: float, weight: Array | None) -> Array:
        """Shuffled starting points, evenly spread where the weight is even.

        Args:
            gap: Distance between points in pixels.
            weight: Share of points kept, 0 to 1 per pixel; all if absent.

        Returns:
            Points (x, y) in pixels, shape (n, 2).
        """
        s = self.scene
        ys, xs = np.mgrid[0 : s.height : gap, 0 : s.width : gap]
        points = np.stack([xs.ravel(), ys.ravel()], axis=1)
        points = points + self.rng.uniform(-0.2, 1.2, points.shape) * gap
        points = np.clip(points, 0, [s.width - 1.001, s.height - 1.001])
        if weight is not None:
            keep = weight[points[:, 1].astype(int), points[:, 0].astype(int)]
            points = points[self.rng.random(len(points)) < keep]
        return self.rng.permutation(points)

    def trace(
        self, start: Array, steps: int, step: float, turn: float, clip: bool
    ) -> tuple[Array, NDArray[np.int64]]:
        """Follow the scene's flow from many points at once.

        Args:
            start: Points (x, y) in pixels, shape (n, 2).
            steps: Number of steps.
            step: Length of one step in pixels.
            turn: Deviation of each stroke's direction in radians.
            clip: Whether a stroke ends where its region ends.

        Returns:
            Paths, shape (n, steps + 1, 2), and the number of good points of each.
        """
        s, n = self.scene, len(start)
        bend = self.rng.normal(0, turn, n)
        cos, sin = np.cos(bend), np.sin(bend)
        path = np.empty((n, steps + 1, 2))
        path[:, 0] = start
        good = np.ones(n, dtype=np.int64)
        alive = np.ones(n, dtype=bool)
        home = s.label[start[:, 1].astype(int), start[:, 0].astype(int)]
        before = np.zeros((n, 2))
        here = start.copy()
        limit = np.array([s.width - 1, s.height - 1])
        for k in range(steps):
            c, r = np.clip(here, 0, limit).astype(int).T
            vx, vy = s.vx[r, c], s.vy[r, c]
            way = np.stack([vx * cos - vy * sin, vx * sin + vy * cos], axis=1)
            way *= np.where((way * before).sum(1) < 0, -1.0, 1.0)[:, None]
            before = way
            here = here + way * step
            c, r = np.clip(here, 0, limit).astype(int).T
            out = (here < -8).any(1) | (here > limit + 8).any(1)
            if clip:
                out |= s.label[r, c] != home
            alive &= ~out
            good[alive] += 1
            path[:, k + 1] = here
        return path, good

    def lay(self, brush: Brush, weight: Array | None = None, colour: Array | None = None) -> None:
        """Lay one layer of strokes over the whole canvas.

        Args:
            brush: The brush.
            weight: Where to paint, 0 to 1 per pixel; everywhere if absent.
            colour: RGB field to paint; the scene's own if absent.
        """
        s, rng = self.scene, self.rng
        px = s.unit / 800.0
        gap = brush.spacing * np.sqrt(brush.length * brush.width) * px
        start = self.starts(gap, weight)
        if not len(start):
            return
        source = s.colour if colour is None else colour
        step = max(1.5, brush.width * 0.3) * px
        longest = max(2, int(brush.length * 1.35 * px / step))
        path, good = self.trace(start, longest, step, brush.turn, brush.clip)
        wanted = np.maximum(3, longest * rng.uniform(0.5, 1.0, len(start))).astype(int)
        good = np.minimum(good, wanted)
        limit = [s.width - 1, s.height - 1]
        stray = start + rng.normal(0, brush.stray * px, start.shape)
        sc, sr = np.clip(stray, 0, limit).astype(int).T
        c, r = start.astype(int).T
        same = s.label[sr, sc] == s.label[r, c]
        tone = np.where(same[:, None], source[sr, sc], source[r, c])
        tone = tone + rng.normal(0, brush.jitter, (len(tone), 1))
        tone = tone + rng.normal(0, brush.tint, tone.shape)
        widths = brush.width * px * rng.uniform(0.65, 1.3, len(start))
        bodies = np.clip(brush.body + rng.normal(0, 25, len(start)), 20, 235)
        for i in range(len(start)):
            if good[i] >= 2:
                self.stroke(path[i, : good[i]], widths[i], tone[i], bodies[i], brush)

    def stroke(
        self, path: Array, width: float, tone: Array, body: float, brush: Brush | None = None
    ) -> None:
        """Draw one stroke as a bundle of bristles.

        Args:
            path: Points (x, y) in pixels, shape (n, 2), at least two.
            width: Width in pixels.
            tone: Colour, 0 to 255.
            body: Thickness of the paint, 0 to 255.
            brush: The brush, for its bristles and wetness.
        """
        brush = brush or Brush()
        n = len(path)
        way = path[1:] - path[:-1]
        way = np.concatenate([way, way[-1:]])
        way = way / (np.sqrt(way[:, :1] ** 2 + way[:, 1:] ** 2) + 1e-9)
        normal = way[:, ::-1] * (-1.0, 1.0)
        count = max(3, int(width * 0.95 + 1.5))
        across = np.linspace(-0.5, 0.5, count)
        t = np.linspace(0, 1, n)
        profile = np.minimum(1.0, 0.62 + 1.6 * t) * np.minimum(1.0, 2.35 - 1.9 * t)
        profile = profile * width
        line = (path + (across[:, None] * profile)[..., None] * normal) * SCALE
        if brush.wet > 0:
            x, y = line[count // 2, 0]
            x = min(max(int(x), 0), self.image.width - 1)
            y = min(max(int(y), 0), self.image.height - 1)
            under = np.array(self.image.getpixel((x, y))[:3], dtype=np.float64)
            tone = tone * (1 - brush.wet) + under * brush.wet
        chance = self.chance(4 * count)
        load = chance[:count].cumsum()
        load = (load - load.sum() / count) * 0.45 + chance[count : 2 * count] * 0.8
        paint = np.empty((count, 4))
        paint[:, :3] = tone + (load * brush.bristle)[:, None]
        paint[:, 3] = body + 440 * np.abs(across) ** 3 + chance[2 * count : 3 * count] * 26
        paint = paint.clip(0, 255).astype(int).tolist()
        thick = max(1, round(SCALE * width / count * 1.55))
        whim = chance[3 * count :]
        early = n - (np.abs(whim) * 1.3).clip(0, min(3, n // 3)).astype(int)
        late = (whim > 0.1).astype(int)
        flat = line.reshape(count, -1).tolist()
        for b in whim.argsort().tolist():
            first, last = late[b], early[b]
            piece = flat[b][2 * first : 2 * max(last, first + 2)]
            self.draw.line(piece, fill=tuple(paint[b]), width=thick)

    def chance(self, count: int) -> Array:
        """Next values of a long, prepared row of random numbers.

        Args:
            count: How many.

        Returns:
            Normal deviates.
        """
        if self.used + count > len(self.pool):
            self.pool = self.rng.standard_normal(1 << 17)
            self.used = 0
        self.used += count
        return self.pool[self.used - count : self.used]

    def finish(self, strength: float = 1.0, gloss: float = 0.25, linen: float = 0.5) -> Image.Image:
        """Let the paint dry, light it and reduce it.

        Args:
            strength: Depth of the relief, about 0 to 2.
            gloss: Strength of highlights, 0 to 1.
            linen: Share of the canvas weave that shows through thin paint, 0 to 1.

        Returns:
            The picture.
        """
        data = np.asarray(self.image, dtype=np.float64)
        colour, height = data[..., :3], data[..., 3]
        px = self.scene.unit / 800.0
        cloth = canvas.weave(self.rng, height.shape, 3.6 * px * SCALE)
        thin = 1.0 - np.clip(height / 255.0, 0, 1)
        height = height + cloth * 30.0 * linen * (0.35 + thin)
        return canvas.shrink(canvas.light(colour, height, strength, gloss), SCALE)

    def outline(
        self, points: Points, width: float, colour: str, dash: float = 60.0, body: float = 150.0
    ) -> None:
        """Draw a contour with a loaded brush, in strokes that overlap.

        Args:
            points: Points (x, y) as shares of the longer side.
            width: Width in pixels at a longer side of 800.
            colour: Colour as `#rrggbb`.
            dash: Mean length of one stroke in pixels at a longer side of 800.
            body: Thickness of the paint, 0 to 255.
        """
        px = self.scene.unit / 800.0
        way = np.asarray(points, dtype=np.float64) * self.scene.unit
        reach = np.concatenate([[0], np.cumsum(np.hypot(*np.diff(way, axis=0).T))])
        total, at = float(reach[-1]), 0.0
        tone = canvas.rgb(colour)
        while at < total - 1:
            end = min(total, at + dash * px * self.rng.uniform(0.6, 1.4))
            where = np.linspace(at, end, max(3, int((end - at) / (2.5 * px)) + 2))
            path = np.stack([np.interp(where, reach, way[:, k]) for k in (0, 1)], axis=1)
            path += self.rng.normal(0, 0.6 * px, 2)
            shade = tone + self.rng.normal(0, 9) + self.rng.normal(0, 5, 3)
            self.stroke(path, width * px * self.rng.uniform(0.7, 1.25), shade, body)
            at = end - dash * px * 0.12 if end < total else total
