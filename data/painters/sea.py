"""Waves with claws of foam, and long swells."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.ndimage import gaussian_filter

from painters.canvas import (
    Array,
    curve,
    fbm,
    noise,
    ramp,
    rgb,
    smooth,
)
from painters.sheet import FOAM, LINE, SCALE, Sheet, drop


def hook(
    start: Array, angle: float, length: float, curl: float, breadth: float
) -> tuple[Array, Array]:
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


def claw(
    sheet: Sheet, start: Array, angle: float, size: float, curl: float, depth: int = 2
) -> None:
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

    def between(share: float | Array) -> Array:
        return face * (1 - share) + back * share

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
    ahead, inward = way[n // 2], (face - back)[n // 2]
    side = 1.0 if ahead[0] * inward[1] > ahead[1] * inward[0] else -1.0
    sheet.fill(cap, FOAM, 2.2)
    inside = gaussian_filter(sheet.inside(cap).astype(np.float64), 1.0)
    dapple = smooth(fbm(rng, sheet.shape, 16 * SCALE, 3), 0.35, 0.6)
    sheet.wash(inside * dapple * 0.8, rgb("#a9c8d4"))
    places = np.linspace(begin + 0.01, 0.99, int(44 * (1 - begin)) + 12)
    for p in rng.permutation(places):
        k = min(n - 1, int(p * n))
        size = foam * (0.55 + 0.6 * p) * rng.uniform(0.75, 1.2)
        claw(
            sheet,
            front[k],
            heading[k] + side * rng.uniform(0.4, 1.1),
            size,
            side * rng.uniform(1.2, 2.4),
        )
        if rng.random() < 0.55:
            claw(
                sheet,
                back[k],
                heading[k] - side * rng.uniform(0.1, 0.7),
                size * 0.55,
                side * 1.6,
                1,
            )
    for p in np.linspace(0.9, 1.0, 7):
        k = min(n - 1, int(p * n))
        claw(
            sheet,
            back[k],
            heading[k] + side * rng.uniform(-0.5, 0.7),
            foam * rng.uniform(0.8, 1.2),
            side * 1.5,
        )
    for _ in range(150):
        k = rng.integers(first, n)
        off = np.abs(rng.normal(0, 1.1)) * foam + 0.01
        at = back[k] + off * np.array(
            [np.cos(heading[k] - side * 1.2), np.sin(heading[k] - side * 1.2)]
        )
        at = at + rng.normal(0, foam * 0.5, 2) + [0, foam * rng.uniform(0, 1.2)]
        drop(sheet, at, rng.gamma(2.2, 0.00085) + 0.0009)


def swell(
    sheet: Sheet,
    crest: Sequence[tuple[float, float]],
    blues: Sequence[str],
    foam: float,
    wind: float,
) -> None:
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
    ripple = 0.05 * np.sin(
        depth * 170 + 5 * np.sin(sheet.x * 17) + 2 * noise(rng, sheet.shape, 80 * SCALE)
    )
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
        frill = np.vstack(
            [
                top - np.stack([lace * 0, lace * 0.5], axis=1),
                (top + np.stack([lace * 0, lace], axis=1))[::-1],
            ]
        )
        sheet.fill(frill, FOAM, 1.2)
        for k in rng.permutation(np.arange(3, 157, 2)):
            if strength[k] > 0.25:
                angle = np.arctan2(way[k, 1] * wind, way[k, 0] * wind) + wind * rng.uniform(
                    -0.9, 0.5
                )
                size = foam * strength[k] * rng.uniform(0.55, 1.1)
                claw(
                    sheet, top[k] + [0, 0.3 * lace[k]], angle, size, wind * rng.uniform(1.3, 2.4), 1
                )
