"""Streets at night in thick paint: lamplight, cobbles and lit windows in perspective."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from painters.canvas import Array, Mask, blend, ramp, rgb, smear, smooth
from painters.strokes import Brush, Easel, Scene

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
        self, wall: float, near: float, far: float, top: float, tone: Sequence[str], lit: Sequence[str], rows: int, bays: int
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
        front = self.quad((wall, -self.eye, near), (wall, top, near), (wall, top, far), (wall, -self.eye, far))
        z = wall / np.where(np.abs(s.x - self.vx) < 1e-4, 1e-4, s.x - self.vx)
        height = -(s.y - self.vy) * np.clip(z, 0.1, 30)
        level = 0.52 + 0.14 * s.fbm(0.04, 3) - 0.22 * smooth(height, -0.1, top)
        s.put(front, ramp(level, tone), (0.12 * s.noise(0.05), 1.0))
        cap = self.quad((wall, top, near), (wall * 1.12, top + 0.12, near), (wall * 1.12, top + 0.12, far), (wall, top, far))
        s.put(cap, rgb(tone[0]) * 0.8 + 8, (self.vx - s.x, self.vy - s.y))
        eave = self.quad((wall, top, near), (wall * 0.97, top + 0.02, near), (wall * 0.97, top + 0.02, far), (wall, top, far))
        s.put(eave, rgb(tone[-1]) * 0.9, (self.vx - s.x, self.vy - s.y))
        step = (far - near) / bays
        for row in range(rows):
            low = top - (top + 0.1) * (row + 1) / (rows + 0.35)
            high = low + (top + 0.1) / rows * 0.56
            for bay in range(bays):
                a, b = near + step * (bay + 0.26), near + step * (bay + 0.72)
                shine = rng.random() < 0.55
                glass = rgb(str(rng.choice(lit))) if shine else rgb("#14204a")
                frame = self.quad((wall, low - 0.02, a - 0.03 * step), (wall, high + 0.02, a - 0.03 * step), (wall, high + 0.02, b + 0.03 * step), (wall, low - 0.02, b + 0.03 * step))
                s.put(frame, rgb(tone[0]) * 0.6)
                pane = self.quad((wall, low, a), (wall, high, a), (wall, high, b), (wall, low, b))
                s.put(pane, glass * (1 + 0.12 * s.noise(0.01))[..., None], (0.0, 1.0))
                mid = 0.5 * (a + b)
                bar = self.quad((wall, low, mid), (wall, high, mid), (wall, high, mid + 0.035 * step), (wall, low, mid + 0.035 * step))
                s.put(bar, rgb(tone[0]) * 0.7)
                for edge in ((a - 0.24 * step, a - 0.03 * step), (b + 0.03 * step, b + 0.24 * step)):
                    blind = self.quad((wall, low, edge[0]), (wall, high, edge[0]), (wall, high, edge[1]), (wall, low, edge[1]))
                    s.put(blind, rgb("#2c6a6c") * (0.8 + 0.3 * rng.random()), (0.0, 1.0))

    def cobbles(
        self, dark: Sequence[str], warm: Sequence[str], lamps: Sequence[Place], wet: float, kerbs: float
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
        row = 16.0 * np.log(np.maximum(z, 0.2)) / np.log(2.0)
        bend = row + 1.3 * np.cos(x / np.maximum(z, 0.3) * 5)
        size = 0.085 * 2 ** (np.floor(bend) / 16.0)
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
            wall = np.where(s.x < self.vx, 0.62, 0.62) / np.maximum(np.abs(s.x - self.vx), 0.06)
            mirror = 2 * self.vy - s.y + 2 * self.eye / wall + 0.012 * s.noise(0.008)
            r = np.clip(mirror * s.unit, 0, s.height - 1).astype(int)
            c = np.clip((s.x + 0.008 * s.noise(0.01)) * s.unit, 0, s.width - 1).astype(int)
            image = s.colour[r, c]
            bright = image.mean(axis=2) / 255.0
            colour = blend(colour, image * 1.05, wet * (0.35 + 0.65 * smooth(bright, 0.2, 0.6)) * (0.55 + 0.45 * dome))
        round_x, round_y = (v - 0.5) * 0.9, -(u - 0.5) * 0.35
        s.put(mask, colour, (1.0 - 0.3 * np.abs(round_y), 0.25 * round_x + 0.55 * (u - 0.5)))


def night(scene: Scene, colours: Sequence[str], stars: Sequence[Place], star: Sequence[str]) -> None:
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
        glow = np.maximum(glow, np.exp(-((d / (1.25 * radius)) ** 1.5)) * (0.85 + 0.15 * np.cos(d / radius * 4)))
    length = np.hypot(vx, vy) + 1e-6
    bands = smear(scene.fbm(0.05, 3), vx / length, vy / length, 0.06 * scene.unit, 9)
    top = float(scene.y[0, 0])
    level = (scene.y - top) / 0.5 + 0.15 * bands
    sky = ramp(level, colours)
    scene.put(scene.y < 2, blend(sky, ramp(glow, star), smooth(glow, 0.04, 0.55)), (vx, vy))


def walker(scene: Scene, street: Street, x: float, z: float, coat: str, rim: str) -> None:
    """Put a figure on the street.

    Args:
        scene: The scene.
        street: The street.
        x: Position to the right of the axis.
        z: Distance.
        coat: Colour of the coat.
        rim: Colour of the light on its lit side.
    """
    fx, fy = street.at(x, -street.eye, z)
    t = 0.25 / z
    body = [(fx - 0.13 * t, fy), (fx - 0.23 * t, fy - 0.16 * t), (fx - 0.12 * t, fy - 0.52 * t)]
    body += [(fx - 0.18 * t, fy - 0.76 * t), (fx - 0.07 * t, fy - 0.86 * t), (fx + 0.07 * t, fy - 0.86 * t)]
    body += [(fx + 0.18 * t, fy - 0.76 * t), (fx + 0.13 * t, fy - 0.52 * t), (fx + 0.22 * t, fy - 0.14 * t)]
    body += [(fx + 0.12 * t, fy), (fx + 0.03 * t, fy - 0.05 * t), (fx - 0.03 * t, fy + 0.01 * t)]
    side = smooth(scene.x, fx - 0.06 * t, fx - 0.19 * t)
    tone = blend(np.broadcast_to(rgb(coat), scene.colour.shape), rgb(rim), 0.8 * side)
    scene.put(scene.inside(body), tone, (0.1, 1.0))
    head = np.hypot(scene.x - fx, (scene.y - fy + 0.92 * t) * 0.85) < 0.075 * t
    scene.put(head, blend(np.broadcast_to(rgb("#5a3a3c"), scene.colour.shape), rgb(rim), side), (0.2, 1.0))
    hat = scene.inside([(fx - 0.13 * t, fy - 0.95 * t), (fx - 0.07 * t, fy - 1.08 * t), (fx + 0.07 * t, fy - 1.08 * t), (fx + 0.13 * t, fy - 0.95 * t)])
    scene.put(hat, rgb(coat) * 0.7, (1.0, 0.0))


def table(scene: Scene, street: Street, x: float, z: float, top: str) -> None:
    """Put a café table with two chairs on the street.

    Args:
        scene: The scene.
        street: The street.
        x: Position to the right of the axis.
        z: Distance.
        top: Colour of the table top.
    """
    fx, fy = street.at(x, -street.eye, z)
    t = 0.125 / z
    scene.put(scene.inside([(fx - 0.06 * t, fy), (fx - 0.04 * t, fy - t), (fx + 0.04 * t, fy - t), (fx + 0.06 * t, fy)]), rgb("#4a2a2c"), (0, 1.0))
    disc = np.hypot(scene.x - fx, (scene.y - fy + t) * 3.0) < 0.62 * t
    rim = np.hypot(scene.x - fx, (scene.y - fy + 0.93 * t) * 3.0) < 0.64 * t
    scene.put(rim, rgb("#7c4a2c"), (1.0, 0.0))
    scene.put(disc, blend(np.broadcast_to(rgb(top), scene.colour.shape), rgb("#fffbe0"), 0.6 * smooth(scene.x, fx + 0.6 * t, fx - 0.6 * t)), (1.0, 0.0))
    for side in (-1, 1):
        cx = fx + side * 0.95 * t
        back = [(cx + side * 0.3 * t, fy - 0.05 * t), (cx + side * 0.36 * t, fy - 1.35 * t), (cx + side * 0.24 * t, fy - 1.35 * t), (cx + side * 0.2 * t, fy - 0.05 * t)]
        seat = [(cx - 0.3 * t, fy - 0.55 * t), (cx + 0.3 * t, fy - 0.62 * t), (cx + 0.3 * t, fy - 0.45 * t), (cx - 0.3 * t, fy - 0.40 * t)]
        leg = [(cx - side * 0.22 * t, fy + 0.05 * t), (cx - side * 0.26 * t, fy - 0.5 * t), (cx - side * 0.16 * t, fy - 0.5 * t), (cx - side * 0.14 * t, fy + 0.05 * t)]
        for part, tone in ((back, "#8c4a24"), (leg, "#5c2c24"), (seat, "#e08c34")):
            scene.put(scene.inside(part), rgb(tone), (0.2, 1.0))


def lamp(scene: Scene, x: float, y: float, radius: float, reach: float, heart: str, halo: str) -> None:
    """Put a glowing lamp into the scene.

    Args:
        scene: The scene.
        x: Middle, to the right.
        y: Middle, downwards.
        radius: Radius of the lamp.
        reach: Radius of its glow; all as shares of the longer side.
        heart: Colour of the lamp.
        halo: Colour of its glow.
    """
    dx, dy = scene.x - x, scene.y - y
    d = np.hypot(dx, dy) + 1e-4
    ring = 0.8 + 0.2 * np.cos(d / radius * 3.0)
    scene.colour = scene.colour + rgb(halo) * (0.72 * np.exp(-((d / reach) ** 1.3)) * ring)[..., None]
    near = d < reach * 0.75
    scene.put(near, scene.colour, (-dy, dx), label=False)
    scene.put(d < radius, rgb(heart), (-dy, dx))


def work(scene: Scene, lines: Sequence[tuple[Sequence[tuple[float, float]], float, str]]) -> Image.Image:
    """Paint a scene thickly, from broad to fine.

    Args:
        scene: The scene.
        lines: Contours: points, width in pixels at 800 and colour.

    Returns:
        The picture.
    """
    scene.colour = np.clip(scene.colour, 0, 255)
    easel = Easel(scene, scene.colour * 0.5)
    detail = scene.detail()
    easel.lay(Brush(30, 16, 0.5, jitter=9, tint=8, stray=7, body=100, wet=0.08, turn=0.2))
    easel.lay(Brush(22, 9.5, 0.6, jitter=12, tint=10, stray=5, body=140, wet=0.14, turn=0.2))
    easel.lay(Brush(15, 6.2, 0.62, jitter=12, tint=10, stray=2.5, body=160, wet=0.1, turn=0.15), 0.35 + 0.65 * detail)
    for points, width, colour in lines:
        easel.outline(points, width, colour, 46)
    easel.lay(Brush(11, 3.9, 0.85, jitter=9, tint=8, stray=1.0, body=170, wet=0.05, turn=0.1), smooth(detail, 0.2, 0.75))
    easel.lay(Brush(8, 2.6, 0.9, jitter=7, tint=6, stray=0.4, body=180, wet=0.0, turn=0.08), smooth(detail, 0.5, 1.0))
    tone = scene.colour.mean(axis=2)
    easel.lay(Brush(13, 5.2, 1.5, jitter=8, tint=9, stray=1.5, body=225, wet=0.0, turn=0.25), smooth(tone, 110, 215), scene.colour * 1.07 + 14)
    return easel.finish(1.15, 0.3, 0.4)


def first(rng: np.random.Generator, size: int) -> Image.Image:
    """A café terrace under stars.

    Args:
        rng: Source of randomness.
        size: Longer side in pixels.

    Returns:
        The picture.
    """
    s = Scene(rng, int(size * 0.8), size)
    st = Street(s, 0.47, 0.50, 0.5)
    stars = [(0.40, 0.09, 0.017), (0.52, 0.05, 0.012), (0.47, 0.19, 0.014), (0.60, 0.13, 0.018), (0.36, 0.20, 0.010), (0.55, 0.25, 0.012), (0.43, 0.30, 0.011), (0.67, 0.04, 0.011), (0.31, 0.04, 0.013), (0.50, 0.36, 0.008), (0.64, 0.22, 0.008), (0.56, 0.33, 0.007)]
    night(s, ["#0c1648", "#16307c", "#2450a4", "#3c78c0", "#7cace0"], stars, ["#3c6ac0", "#a8c8e0", "#f4ecc0", "#fffbe8"])
    cold, lit = ["#0e1636", "#1c2c5c", "#34508c", "#5878a8"], ["#f8b43c", "#fcd464", "#f08c34"]
    st.facade(0.50, 3.6, 6.0, 0.75, cold, lit, 3, 3)
    st.facade(0.46, 2.1, 3.6, 0.62, ["#14143c", "#2c2c64", "#4c4c8c", "#7c78a8"], lit, 3, 3)
    st.facade(0.42, 1.25, 2.1, 0.78, ["#10203c", "#1f3c64", "#3c6488", "#6c94a0"], lit, 4, 3)
    st.facade(-0.50, 3.4, 6.0, 0.6, ["#20204c", "#4c3c64", "#8c6458", "#c89458"], lit, 3, 4)
    tower = s.inside([(0.452, 0.52), (0.452, 0.42), (0.466, 0.36), (0.480, 0.42), (0.480, 0.52)])
    s.put(tower, rgb("#1f2c64"), (0, 1.0))
    st.cobbles(["#141c48", "#2c3c7c", "#4c64a4", "#8c9cc0"], ["#8c4a34", "#d08438", "#f4bc50", "#fdeaa4"], [(-0.2, 1.25, 0.42), (-0.1, 2.2, 0.35), (0.15, 4.5, 0.5), (0.42, 2.6, 0.18)], 0.0, 0.47)
    wall = st.quad((-0.47, -0.5, 0.95), (-0.47, 1.2, 0.95), (-0.47, 0.95, 3.4), (-0.47, -0.5, 3.4))
    z = 0.47 / np.maximum(st.vx - s.x, 0.05)
    high = -(s.y - st.vy) * z
    warm = 0.90 - 0.62 * smooth(np.hypot((z - 1.4) * 0.42, (high + 0.2) * 0.95), 0.08, 0.66) + 0.11 * s.fbm(0.03, 3)
    s.put(wall, ramp(warm, ["#3c2c64", "#8c4c44", "#dc842c", "#f8b830", "#fce068", "#fff2a8"]), (0.15 * s.noise(0.05), 1.0))
    for near in (1.02, 1.42, 1.95, 2.6):
        far = near + 0.23 * near**0.7
        door = st.quad((-0.47, -0.46, near), (-0.47, -0.12, near), (-0.47, -0.12, far), (-0.47, -0.46, far))
        s.put(door, rgb("#c8641f") if near != 1.42 else rgb("#fff0a0"), (0, 1.0))
        glass = st.quad((-0.47, -0.36, near + 0.05), (-0.47, -0.15, near + 0.05), (-0.47, -0.15, far - 0.05), (-0.47, -0.36, far - 0.05))
        s.put(glass, rgb("#fde884"), (0, 1.0))
        window = st.quad((-0.47, 0.28, near), (-0.47, 0.50, near), (-0.47, 0.50, far), (-0.47, 0.28, far))
        s.put(window, rgb("#2c4a7c") if near < 1.5 else rgb("#fcc850"), (0, 1.0))
        for edge in (near - 0.09 * near, far):
            blind = st.quad((-0.47, 0.27, edge), (-0.47, 0.51, edge), (-0.47, 0.51, edge + 0.08 * near), (-0.47, 0.27, edge + 0.08 * near))
            s.put(blind, rgb("#2c7a6c"), (0, 1.0))
    floor = st.quad((-0.47, -0.48, 0.95), (-0.13, -0.48, 0.95), (-0.13, -0.48, 3.2), (-0.47, -0.48, 3.2))
    _, _, gz = st.ground()
    planks = 0.62 + 0.2 * np.sin(gz * 42) + 0.1 * s.noise(0.02)
    s.put(floor, ramp(planks, ["#a84c24", "#e07c2c", "#f4a83c", "#fcd468"]), (1.0, 0.12))
    s.put(st.quad((-0.13, -0.48, 0.95), (-0.13, -0.505, 0.95), (-0.13, -0.505, 3.2), (-0.13, -0.48, 3.2)), rgb("#7c3428"), (st.vx - s.x, st.vy - s.y))
    for a, b in ((-0.37, 2.7), (-0.22, 2.5), (-0.38, 2.05), (-0.22, 1.85), (-0.39, 1.55), (-0.22, 1.38), (-0.37, 1.18), (-0.21, 1.06)):
        table(s, st, a, b, "#f4ecc0")
    for a, b, coat in ((0.10, 3.3, "#1c2450"), (0.17, 3.2, "#5c2c44"), (-0.02, 4.6, "#1c2c54"), (-0.31, 2.2, "#3c2c4c"), (0.12, 1.75, "#241c48"), (0.04, 1.72, "#7c2438"), (-0.29, 1.62, "#f4ead0")):
        walker(s, st, a, b, coat, "#f8b84c")
    roof = st.quad((-0.47, 0.26, 0.86), (-0.12, 0.02, 0.86), (-0.12, 0.02, 3.0), (-0.47, 0.26, 3.0))
    plane = 0.062 / np.maximum(s.y - st.vy - 0.686 * (s.x - st.vx), 0.004)
    stripe = smooth(np.sin(np.log(plane) * 42), -0.25, 0.25)
    shade = (0.82 + 0.3 * smooth(s.y, 0.25, 0.48) + 0.08 * s.noise(0.03))[..., None]
    s.put(roof, blend(np.broadcast_to(rgb("#d4502a"), s.colour.shape), rgb("#f6c65c"), stripe) * shade, (0.82, 0.57))
    under = st.quad((-0.12, 0.02, 0.86), (-0.12, -0.025, 0.86), (-0.12, -0.025, 3.0), (-0.12, 0.02, 3.0))
    s.put(under, ramp(0.5 + 0.5 * np.sin(np.log(z) * 110), ["#a8301f", "#f0a83c"]), (0.05, 1.0))
    lx, ly = st.at(-0.22, -0.085, 1.25)
    lamp(s, lx, ly, 0.017, 0.10, "#fffce0", "#fff0a0")
    lx, ly = st.at(0.40, 0.22, 2.0)
    lamp(s, lx, ly, 0.010, 0.055, "#fff6cc", "#f8a840")
    leaf = np.hypot((s.x - 0.78) / 0.11, (s.y - 0.40) / 0.19) + 0.2 * s.fbm(0.05, 3) < 1
    s.put(leaf, ramp(0.40 + 0.2 * s.fbm(0.02, 3) - 1.6 * (s.x - 0.75), ["#0c2430", "#1c4c3c", "#4c7c3c", "#b8b048"]), (s.y - 0.4, -(s.x - 0.78) + 0.05))
    s.put(s.inside([(0.765, 0.86), (0.775, 0.52), (0.80, 0.52), (0.80, 0.88)]), rgb("#241c38"), (0.05, 1.0))
    dark = "#0c1030"
    lines = [([st.at(w, h, a), st.at(w, h, b)], 3.2, dark) for w, h, a, b in ((0.42, 0.78, 1.25, 2.1), (0.46, 0.62, 2.1, 3.6), (0.42, -0.5, 1.0, 2.1), (-0.47, 0.26, 1.0, 3.0))]
    lines += [([st.at(-0.12, -0.025, 0.9), st.at(-0.12, -0.025, 3.0)], 2.8, "#5c1f1c"), ([st.at(-0.13, -0.49, 0.95), st.at(-0.13, -0.49, 3.2)], 3.0, "#4c1c2c")]
    return work(s, lines)


def second(rng: np.random.Generator, size: int) -> Image.Image:
    """A wet boulevard with lamps and red awnings.

    Args:
        rng: Source of randomness.
        size: Longer side in pixels.

    Returns:
        The picture.
    """
    s = Scene(rng, size, int(size * 0.8))
    st = Street(s, 0.56, 0.42, 0.36)
    moon = [(0.62, 0.10, 0.030), (0.45, 0.06, 0.010), (0.52, 0.17, 0.009), (0.72, 0.05, 0.009), (0.49, 0.25, 0.008), (0.68, 0.21, 0.009)]
    night(s, ["#1a1044", "#34206c", "#4c3c94", "#7c5ca4", "#c87c8c"], moon, ["#7c6cb8", "#d0b4c8", "#f8e4bc", "#fffaf0"])
    lit = ["#fcc450", "#f8983c", "#fde08c", "#f0643c"]
    st.facade(0.60, 4.2, 8.0, 0.85, ["#241850", "#44306c", "#745488", "#a87c90"], lit, 4, 5)
    st.facade(0.60, 2.2, 4.2, 1.05, ["#0f2444", "#1c4464", "#34747c", "#6ca498"], lit, 4, 4)
    st.facade(0.60, 1.1, 2.2, 0.92, ["#28103c", "#54204c", "#8c3c58", "#c0686c"], lit, 4, 4)
    st.facade(-0.62, 4.4, 8.0, 0.80, ["#1c2454", "#384c84", "#6c74a0", "#a898a8"], lit, 4, 5)
    st.facade(-0.62, 2.4, 4.4, 1.0, ["#3c1434", "#7c2c40", "#b8544c", "#dc8c64"], lit, 4, 4)
    st.facade(-0.62, 1.02, 2.4, 1.15, ["#14304c", "#1f5c70", "#3c8c8c", "#8cb8a0"], lit, 4, 5)
    for side in (-1, 1):
        for near, far, tone in ((1.06, 1.6, "#d8302c"), (1.75, 2.5, "#f0a02c"), (2.7, 3.8, "#c82c4c"), (4.4, 6.0, "#e87c2c")):
            w = side * 0.61
            shop = st.quad((w, -0.35, near), (w, -0.13, near), (w, -0.13, far), (w, -0.35, far))
            s.put(shop, ramp(0.25 + 1.9 * (s.y - st.vy) / np.maximum(np.abs(s.x - st.vx), 0.05) + 0.13 * s.noise(0.03), ["#b8441f", "#e88424", "#f8b83c", "#fde884", "#fff6c4"]), (0.05, 1.0))
            for part in np.linspace(near, far, 5)[1:-1]:
                post = st.quad((w, -0.35, part), (w, -0.13, part), (w, -0.13, part + 0.035 * near), (w, -0.35, part + 0.035 * near))
                s.put(post, rgb("#5c2424"), (0, 1.0))
            cloth = st.quad((w, -0.03, near), (side * 0.50, -0.10, near), (side * 0.50, -0.10, far), (w, -0.03, far))
            z = 0.55 / np.maximum(np.abs(s.x - st.vx), 0.04)
            stripe = smooth(np.sin(np.log(np.maximum(z, 0.2)) * 46), -0.3, 0.3)
            s.put(cloth, blend(np.broadcast_to(rgb(tone), s.colour.shape), rgb("#fce4b4"), 0.8 * stripe), (side * 0.6, -0.6))
            hem = st.quad((side * 0.50, -0.10, near), (side * 0.50, -0.125, near), (side * 0.50, -0.125, far), (side * 0.50, -0.10, far))
            s.put(hem, rgb(tone) * 0.72, (0.05, 1.0))
    lamps = [(-0.40, 1.25), (0.36, 1.6), (-0.40, 2.3), (0.36, 3.0), (-0.40, 4.2), (0.36, 5.2)]
    for a, b in lamps[::-1]:
        lx, ly = st.at(a, 0.115, b)
        lamp(s, lx, ly, 0.022 / b, 0.17 / b, "#fffbe0", "#ff9c3c")
    st.cobbles(["#120f38", "#28285c", "#44508c", "#8c8cb8"], ["#7c3444", "#c8683c", "#f4a84c", "#fde49c"], [(a * 0.8, b, 0.26) for a, b in lamps] + [(0.0, 7.0, 1.6)], 0.85, 0.61)
    for a, b in lamps[::-1]:
        w = 0.006
        s.put(st.quad((a - w, -0.36, b), (a - w, 0.09, b), (a + w, 0.09, b), (a + w, -0.36, b)), rgb("#14102c"), (0, 1.0))
        s.put(st.quad((a - 0.026, 0.08, b), (a - 0.016, 0.095, b), (a + 0.016, 0.095, b), (a + 0.026, 0.08, b)), rgb("#14102c"), (1.0, 0))
    people = [(-0.05, 4.6, "#1c1440"), (0.12, 3.9, "#4c1c3c"), (0.22, 2.9, "#241848"), (-0.13, 3.2, "#2c2c5c"), (0.02, 2.0, "#241848"), (0.09, 1.96, "#8c2438"), (-0.25, 1.7, "#14204c"), (0.17, 1.32, "#1c1844")]
    for a, b, coat in people:
        walker(s, st, a, b, coat, "#f8a44c")
        fx, fy = st.at(a, -0.36, b)
        shade = np.exp(-(((s.x - fx) / (0.07 / b)) ** 2)) * smooth(s.y, fy - 0.002, fy + 0.01) * smooth(s.y, fy + 0.34 / b, fy)
        s.colour = blend(s.colour, rgb(coat), 0.75 * shade)
    for a, b, tone in ((0.04, 2.0, "#c82c34"), (-0.25, 1.7, "#2c6c9c"), (0.17, 1.32, "#e89c2c")):
        fx, fy = st.at(a + 0.012, -0.105, b)
        dome = (np.hypot(s.x - fx, (s.y - fy) * 1.7) < 0.085 / b) & (s.y < fy + 0.008 / b)
        s.put(dome, rgb(tone) * (1.25 - 0.7 * smooth(s.x, fx - 0.1 / b, fx + 0.1 / b))[..., None], (1.0, 0.4 * np.sign(s.x - fx)))
    dark = "#100a28"
    lines = [([st.at(w, h, a), st.at(w, h, b)], 3.0, dark) for w, h, a, b in ((0.6, 0.92, 1.1, 2.2), (0.6, 1.05, 2.2, 4.2), (-0.62, 1.0, 2.4, 4.4), (-0.62, 1.15, 1.02, 2.4), (0.6, -0.36, 1.1, 8.0), (-0.62, -0.36, 1.02, 8.0))]
    return work(s, lines)
