"""What the painter looks at: colour, direction of the brush and region of every pixel."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter

from painters import canvas
from painters.canvas import Array, Mask, Points


class Scene:
    """What the painter looks at: colour, direction of the brush and region of every pixel."""

    def __init__(self, rng: np.random.Generator, width: int, height: int) -> None:
        """Make an empty scene.

        Args:
            rng: Source of randomness.
            width: Width in pixels.
            height: Height in pixels.
        """
        self.rng = rng
        self.width, self.height = width, height
        self.shape = (height, width)
        self.unit = float(max(width, height))
        rows, columns = np.mgrid[0:height, 0:width]
        self.x = columns / self.unit
        self.y = rows / self.unit
        self.colour = np.zeros((height, width, 3))
        self.vx = np.ones(self.shape)
        self.vy = np.zeros(self.shape)
        self.label = np.zeros(self.shape, dtype=np.int32)
        self.last = 0

    def noise(self, scale: float) -> Array:
        """Smooth noise over the scene.

        Args:
            scale: Lump size as a share of the longer side.

        Returns:
            The field, zero mean and unit deviation.
        """
        return canvas.noise(self.rng, self.shape, max(1.0, scale * self.unit))

    def fbm(self, scale: float, octaves: int = 4) -> Array:
        """Noise of several octaves over the scene.

        Args:
            scale: Lump size of the first octave as a share of the longer side.
            octaves: Number of octaves.

        Returns:
            The field, zero mean and unit deviation.
        """
        return canvas.fbm(self.rng, self.shape, scale * self.unit, octaves)

    def inside(self, points: Points) -> Mask:
        """Mask of a polygon.

        Args:
            points: Corners (x, y) as shares of the longer side.

        Returns:
            Mask, true inside.
        """
        return canvas.polygon(self.shape, np.asarray(points) * self.unit)

    def put(
        self,
        mask: Mask,
        colour: Array,
        direction: tuple[Array | float, Array | float] | None = None,
        label: bool = True,
    ) -> None:
        """Place one thing in the scene.

        Args:
            mask: Where it is.
            colour: RGB field or one colour, 0 to 255.
            direction: Brush direction (right, down), any length; unchanged if absent.
            label: Whether strokes stop at its edge.
        """
        rows, columns = mask.any(axis=1).nonzero()[0], mask.any(axis=0).nonzero()[0]
        if not len(rows):
            return
        box = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
        where = mask[box]
        self.last += 1
        tone = np.broadcast_to(colour, self.colour.shape)[box]
        self.colour[box] = np.where(where[..., None], tone, self.colour[box])
        if direction is not None:
            dx, dy = (np.broadcast_to(part, self.shape)[box] for part in direction)
            length = np.hypot(dx, dy) + 1e-9
            self.vx[box] = np.where(where, dx / length, self.vx[box])
            self.vy[box] = np.where(where, dy / length, self.vy[box])
        if label:
            self.label[box] = np.where(where, self.last, self.label[box])

    def detail(self, reach: float = 0.004) -> Array:
        """How much happens around each pixel.

        Args:
            reach: Width of the neighbourhood as a share of the longer side.

        Returns:
            Field from 0 (even) to 1 (edges).
        """
        tone = self.colour @ np.array([0.3, 0.5, 0.2])
        gy, gx = np.gradient(gaussian_filter(tone, reach * self.unit * 0.5))
        edge = gaussian_filter(np.hypot(gx, gy), reach * self.unit)
        return np.clip(edge / (np.quantile(edge, 0.95) + 1e-9), 0.0, 1.0)
