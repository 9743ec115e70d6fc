"""Loss curves as a few lines of SVG: drawn in a millisecond, sharp at any size."""

import html
import math
from collections.abc import Mapping, Sequence

from nstlab.plots.style import FAINT, GREY, INK, OTHER_COLOURS, TERM_COLOURS

POINTS = 240  # of a curve at most
LEFT, RIGHT, TOP, BOTTOM = 44, 8, 20, 26  # pixels around the axes


def draw_lines(
    curves: Mapping[str, Sequence[float]], steps: int, *, width: int = 470, height: int = 200
) -> str:
    """Curves over steps on a logarithmic scale, each in the colour of its term.

    Args:
        curves: values by name, the first at step 0; those not above 0 are left out.
        steps: planned; the right end of the axis.
        width: of the drawing, pixels.
        height: likewise.

    Returns:
        An `<svg>` element.
    """
    shown = {name: _points(values) for name, values in curves.items()}
    levels = [math.log10(value) for points in shown.values() for _, value in points]
    low, high = (min(levels), max(levels)) if levels else (-1.0, 0.0)
    low, high = math.floor(low + 1e-9), max(math.ceil(high - 1e-9), math.floor(low + 1e-9) + 1)
    longest = max([steps, 1, *(points[-1][0] for points in shown.values() if points)])

    def across(step: float) -> float:
        return LEFT + (width - LEFT - RIGHT) * step / longest

    def down(level: float) -> float:
        return TOP + (height - TOP - BOTTOM) * (high - level) / (high - low)

    parts = []
    for level in range(low, high + 1, max(1, math.ceil((high - low) / 5))):
        y = down(level)
        parts.append(_line(LEFT, y, width - RIGHT, y, FAINT))
        parts.append(_text(LEFT - 5, y + 3.5, f"{10.0**level:g}", "end", GREY))
    for step in (0, longest // 2, longest):
        anchor = "end" if step == longest else "middle" if step else "start"
        parts.append(_text(across(step), height - BOTTOM + 14, str(step), anchor, GREY))
    parts.append(_text(width - RIGHT, height - 2, "step", "end", GREY))
    at = float(LEFT)
    for number, (name, points) in enumerate(shown.items()):
        colour = TERM_COLOURS.get(name, OTHER_COLOURS[number % len(OTHER_COLOURS)])
        places = " ".join(f"{across(x):.1f},{down(math.log10(v)):.1f}" for x, v in points)
        parts.append(
            f'<polyline points="{places}" fill="none" stroke="{colour}" stroke-width="1.6"/>'
        )
        parts.append(_text(at, TOP - 8, name, "start", colour))
        at += 7.0 * len(name) + 12
    box = f'viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
    style = "max-width:100%;height:auto;background:white"
    label = 'role="img" aria-label="losses over steps"'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" {box} {label} style="{style}" '
        f'font-family="sans-serif" font-size="10">{"".join(parts)}</svg>'
    )


def _points(values: Sequence[float]) -> list[tuple[int, float]]:
    """Not more than `POINTS`, the last one always among them."""
    each = max(1, math.ceil(len(values) / POINTS))
    chosen = [*range(0, len(values), each)]
    if values and chosen[-1] != len(values) - 1:
        chosen.append(len(values) - 1)
    return [(k, values[k]) for k in chosen if 0 < values[k] < math.inf]


def _line(x: float, y: float, to_x: float, to_y: float, colour: str) -> str:
    return f'<line x1="{x:g}" y1="{y:g}" x2="{to_x:g}" y2="{to_y:g}" stroke="{colour}"/>'


def _text(x: float, y: float, words: str, anchor: str, colour: str = INK) -> str:
    place = f'x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}"'
    return f"<text {place}>{html.escape(words)}</text>"
