"""Flat colours and cut lines, pulled on grained paper."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw
from scipy.ndimage import gaussian_filter, map_coordinates

from painters.canvas import (
    Array,
    Mask,
    Points,
    blend,
    fbm,
    noise,
    polygon,
    rgb,
    shrink,
    smooth,
)

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
        data = blend(
            np.asarray(self.image, dtype=np.float64), colour, np.asarray(mask, dtype=np.float64)
        )
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
        half = 0.65 * width * self.unit / 800.0 * np.clip(swell, 0.12, None)
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
        dx, dy = (
            fbm(rng, shape, 9 * SCALE, 2) * 0.55 * SCALE,
            fbm(rng, shape, 9 * SCALE, 2) * 0.55 * SCALE,
        )
        data = np.asarray(self.image, dtype=np.float64)
        flat = np.stack(
            [
                map_coordinates(
                    data[..., k], [rows + dy, columns + dx + 0.4 * k], order=1, mode="nearest"
                )
                for k in range(3)
            ],
            axis=2,
        )
        tone = flat.mean(axis=2)
        rim = np.clip(gaussian_filter(tone, 3.2 * SCALE) - tone, -40, 60)
        rings = (
            rows / (7.5 * SCALE)
            + 3.4 * noise(rng, shape, 190 * SCALE)
            + 0.55 * noise(rng, shape, 40 * SCALE)
        )
        wood = np.sin(2 * np.pi * (rings + 0.1 * noise(rng, shape, 5 * SCALE)))
        fibre = gaussian_filter(rng.standard_normal(shape), (0.7 * SCALE, 9 * SCALE)) * 7
        speck = gaussian_filter(rng.standard_normal(shape), 0.7 * SCALE) * 2.4
        baren = fbm(rng, shape, 70 * SCALE, 3)
        ink = smooth(tone, 246, 120)
        wear = 0.095 * wood + 0.075 * fibre + 0.07 * speck + 0.075 * baren
        paper = (
            rgb("#f0e4c6") * (1 + 0.022 * fbm(rng, shape, 30 * SCALE, 4) + 0.02 * speck)[..., None]
        )
        depth = np.clip(1.0 + grain * wear * (0.5 + 0.5 * ink) + 0.0052 * rim, 0.4, 1.5)[..., None]
        stain = np.clip(flat / rgb(FOAM), 0.01, 1.0) ** depth
        bare = smooth(speck - 0.35 * fibre, 1.5, 2.4) * 0.5 * ink
        picture = blend(paper * stain, paper, bare)
        hairs = gaussian_filter(
            (rng.random(shape) > 0.9994).astype(float), (0.9 * SCALE, 5 * SCALE)
        )
        picture = picture * (1 - 1.4 * np.clip(hairs, 0, 0.06))[..., None]
        return shrink(picture, SCALE)


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
