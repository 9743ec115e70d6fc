"""Drawing of a leaded window, from large shapes to single pieces of glass."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from painters.canvas import (
    Array,
    Mask,
    Points,
    fbm,
    polygon,
    ramp,
    rgb,
)

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
        wobble = (
            0.0016 * fbm(rng, self.shape, 60 * SCALE, 2),
            0.0016 * fbm(rng, self.shape, 60 * SCALE, 2),
        )
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

    def cells(
        self, mask: Mask, size: float, stretch: tuple[float, float] = (1, 1)
    ) -> NDArray[np.int64]:
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


def petal(
    centre: tuple[float, float], angle: float, near: float, far: float, wide: float
) -> Points:
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
    return np.stack(
        [centre[0] + along * cos - across * sin, centre[1] + along * sin + across * cos], axis=1
    )
