"""Street in perspective: houses, paving and sky."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from painters.canvas import Array, Mask, blend, ramp, rgb, smear, smooth
from painters.scene import Scene

Place = tuple[float, float, float]


@dataclass
class Street:
    """Street seen along its axis; lengths in units of the distance to the picture plane.

    Attributes:
        scene: The scene.
        vx: Vanishing point, to the right.
        vy: Vanishing point, downwards.
        eye: Height of the eye above the ground.
    """

    scene: Scene
    vx: float
    vy: float
    eye: float

    def at(self, x: float, y: float, z: float) -> tuple[float, float]:
        """Picture position of a point in space.

        Args:
            x: To the right of the eye.
            y: Above the eye.
            z: Distance, at least about 0.5.

        Returns:
            Position (x, y) as shares of the longer side.
        """
        return self.vx + x / z, self.vy - y / z

    def quad(self, *corners: Place) -> Mask:
        """Mask of a flat piece in space.

        Args:
            *corners: Its corners.

        Returns:
            Mask, true inside.
        """
        return self.scene.inside([self.at(*corner) for corner in corners])

    def ground(self) -> tuple[Mask, Array, Array]:
        """Plane of the street.

        Returns:
            Mask below the horizon, and the plane's x and z for every pixel.
        """
        below = self.scene.y - self.vy
        z = self.eye / np.maximum(below, 1e-3)
        return below > 0.002, (self.scene.x - self.vx) * z, z

    def facade(
        self,
        wall: float,
        near: float,
        far: float,
        top: float,
        tone: Sequence[str],
        lit: Sequence[str],
        rows: int,
        bays: int,
    ) -> None:
        """Put a house with windows along one side of the street.

        Args:
            wall: Where its front stands, left (negative) or right of the axis.
            near: Distance of its near end.
            far: Distance of its far end.
            top: Height of its eaves above the eye.
            tone: Ramp of its wall from shadow to light.
            lit: Colours to choose lit windows from.
            rows: Storeys of windows.
            bays: Windows per storey.
        """
        s, rng = self.scene, self.scene.rng
        front = self.quad(
            (wall, -self.eye, near), (wall, top, near), (wall, top, far), (wall, -self.eye, far)
        )
        z = wall / np.where(np.abs(s.x - self.vx) < 1e-4, 1e-4, s.x - self.vx)
        height = -(s.y - self.vy) * np.clip(z, 0.1, 30)
        level = 0.52 + 0.14 * s.fbm(0.04, 3) - 0.22 * smooth(height, -0.1, top)
        s.put(front, ramp(level, tone), (0.12 * s.noise(0.05), 1.0))
        cap = self.quad(
            (wall, top, near),
            (wall * 1.12, top + 0.12, near),
            (wall * 1.12, top + 0.12, far),
            (wall, top, far),
        )
        s.put(cap, rgb(tone[0]) * 0.8 + 8, (self.vx - s.x, self.vy - s.y))
        eave = self.quad(
            (wall, top, near),
            (wall * 0.97, top + 0.02, near),
            (wall * 0.97, top + 0.02, far),
            (wall, top, far),
        )
        s.put(eave, rgb(tone[-1]) * 0.9, (self.vx - s.x, self.vy - s.y))
        step = (far - near) / bays
        for row in range(rows):
            low = top - (top + 0.1) * (row + 1) / (rows + 0.35)
            high = low + (top + 0.1) / rows * 0.56
            for bay in range(bays):
                a, b = near + step * (bay + 0.26), near + step * (bay + 0.72)
                shine = rng.random() < 0.55
                glass = rgb(str(rng.choice(lit))) if shine else rgb("#14204a")
                frame = self.quad(
                    (wall, low - 0.02, a - 0.03 * step),
                    (wall, high + 0.02, a - 0.03 * step),
                    (wall, high + 0.02, b + 0.03 * step),
                    (wall, low - 0.02, b + 0.03 * step),
                )
                s.put(frame, rgb(tone[0]) * 0.6)
                pane = self.quad((wall, low, a), (wall, high, a), (wall, high, b), (wall, low, b))
                s.put(pane, glass * (1 + 0.12 * s.noise(0.01))[..., None], (0.0, 1.0))
                mid = 0.5 * (a + b)
                bar = self.quad(
                    (wall, low, mid),
                    (wall, high, mid),
                    (wall, high, mid + 0.035 * step),
                    (wall, low, mid + 0.035 * step),
                )
                s.put(bar, rgb(tone[0]) * 0.7)
                for edge in (
                    (a - 0.24 * step, a - 0.03 * step),
                    (b + 0.03 * step, b + 0.24 * step),
                ):
                    blind = self.quad(
                        (wall, low, edge[0]),
                        (wall, high, edge[0]),
                        (wall, high, edge[1]),
                        (wall, low, edge[1]),
                    )
                    s.put(blind, rgb("#2c6a6c") * (0.8 + 0.3 * rng.random()), (0.0, 1.0))

    def cobbles(
        self,
        dark: Sequence[str],
        warm: Sequence[str],
        lamps: Sequence[Place],
        wet: float,
        kerbs: float,
    ) -> None:
        """Put the paving into the scene, lit by lamps.

        Args:
            dark: Ramp of unlit stones.
            warm: Ramp of lit stones.
            lamps: Lights on the ground (x, z, reach).
            wet: Strength of reflections, 0 to 1.
            kerbs: Half width of the street.
        """
        s, rng = self.scene, self.scene.rng
        mask, x, z = self.ground()
        mask &= np.abs(x) < kerbs
        row = 11.0 * np.log(np.maximum(z, 0.2)) / np.log(2.0)
        bend = row + 1.3 * np.cos(x / np.maximum(z, 0.3) * 5)
        size = 0.058 * 2 ** (np.floor(bend) / 11.0)
        column = x / size + 0.5 * (np.floor(bend) % 2) + 0.25 * s.noise(0.03)
        table = rng.random((64, 64))
        stone = table[np.floor(bend).astype(int) % 64, np.floor(column).astype(int) % 64]
        u, v = column % 1.0, bend % 1.0
        dome = smooth(np.minimum(np.minimum(u, 1 - u) * 1.4, np.minimum(v, 1 - v)), 0.02, 0.3)
        light = np.zeros(s.shape)
        for lx, lz, reach in lamps:
            light += np.exp(-(((x - lx) / reach) ** 2 + ((z - lz) / (reach * 1.9)) ** 2))
        glint = smooth(v, 0.45, 0.95) * (0.6 + 0.8 * (stone - 0.5))
        cold = ramp(0.16 + 0.5 * stone * dome + 0.3 * glint, dark)
        gold = ramp(0.12 + 0.42 * stone * dome + 0.5 * glint, warm)
        colour = blend(cold, gold, np.clip(light * (0.65 + 0.5 * stone), 0, 1) * 0.95)
        if wet > 0:
            wall = kerbs / np.maximum(np.abs(s.x - self.vx), 0.06)
            mirror = 2 * self.vy - s.y + 2 * self.eye / wall + 0.012 * s.noise(0.008)
            r = np.clip(mirror * s.unit, 0, s.height - 1).astype(int)
            c = np.clip((s.x + 0.008 * s.noise(0.01)) * s.unit, 0, s.width - 1).astype(int)
            image = s.colour[r, c]
            bright = image.mean(axis=2) / 255.0
            colour = blend(
                colour,
                image * 1.05,
                wet * (0.35 + 0.65 * smooth(bright, 0.2, 0.6)) * (0.55 + 0.45 * dome),
            )
        round_x, round_y = (v - 0.5) * 0.9, -(u - 0.5) * 0.35
        s.put(mask, colour, (1.0 - 0.3 * np.abs(round_y), 0.25 * round_x + 0.55 * (u - 0.5)))


def night(
    scene: Scene, colours: Sequence[str], stars: Sequence[Place], star: Sequence[str]
) -> None:
    """Put the night sky into the scene.

    Args:
        scene: The scene.
        colours: Ramp from the zenith down to the roofs.
        stars: Stars (x, y, radius).
        star: Ramp from the rim to the heart of a star.
    """
    vx, vy = np.ones(scene.shape), 0.4 * scene.noise(0.16) - 0.25
    glow = np.zeros(scene.shape)
    for cx, cy, radius in stars:
        dx, dy = scene.x - cx, scene.y - cy
        d = np.hypot(dx, dy) + 1e-4
        near = np.exp(-((d / (3.0 * radius)) ** 2))
        vx, vy = vx * (1 - near) + near * -dy / d, vy * (1 - near) + near * dx / d
        glow = np.maximum(
            glow, np.exp(-((d / (1.25 * radius)) ** 1.5)) * (0.85 + 0.15 * np.cos(d / radius * 4))
        )
    length = np.hypot(vx, vy) + 1e-6
    bands = smear(scene.fbm(0.05, 3), vx / length, vy / length, 0.06 * scene.unit, 9)
    top = float(scene.y[0, 0])
    level = (scene.y - top) / 0.5 + 0.15 * bands
    sky = ramp(level, colours)
    scene.put(scene.y < 2, blend(sky, ramp(glow, star), smooth(glow, 0.04, 0.55)), (vx, vy))
