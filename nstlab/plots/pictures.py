"""Pictures side by side."""

import textwrap
from collections.abc import Sequence

import numpy as np
from torch import Tensor

from nstlab.plots.style import INK, WIDTH, PicturePlot, as_arrays

GAP = 0.08  # inches between pictures
TALLEST = 4.5  # inches, of a row of pictures
LINE = 0.17  # inches, of a title's line
LETTER = 0.072  # inches, a letter's mean width in a title


def show_pictures(
    pictures: Tensor | Sequence[Tensor],
    titles: Sequence[str] | None = None,
    *,
    columns: int | None = None,
    width: float = WIDTH,
) -> PicturePlot:
    """Pictures in rows of one height, without axes, each with its title above.

    Args:
        pictures: each (b, 3, h, w) or (3, h, w), floats in [0, 1] or 8 bits; of any sizes.
        titles: one for each picture; long ones are broken into lines.
        columns: pictures in a row; at most four if None.
        width: of the widest row, inches; less where a row would be taller than 4.5 inches.

    Returns:
        The figure.

    Raises:
        ValueError: no picture, a number of titles that does not fit, or no column.
        PictureError: something that is no picture.
    """
    arrays = as_arrays(pictures)
    if not arrays:
        raise ValueError("there is no picture to show")
    if titles is not None and len(titles) != len(arrays):
        raise ValueError(f"{len(arrays)} pictures and {len(titles)} titles; give one for each")
    if columns is not None and columns < 1:
        raise ValueError(f"columns is {columns}; it must be at least 1")
    rows = -(-len(arrays) // (columns or 4))
    columns = columns or -(-len(arrays) // rows)
    starts = range(0, len(arrays), columns)
    aspects = [array.shape[1] / array.shape[0] for array in arrays]
    height = min(TALLEST, *(_row_height(aspects[k : k + columns], width) for k in starts))
    widths = [aspect * height for aspect in aspects]
    width = max(sum(row) + GAP * (len(row) - 1) for row in _cut(widths, columns))
    labels = [_broken(text, wide) for text, wide in zip(titles or [], widths, strict=bool(titles))]
    above = [_title_height(row) for row in _cut(labels, columns)] or [0.0] * len(starts)
    whole = sum(above) + len(starts) * height + (len(starts) - 1) * GAP
    figure = PicturePlot((width, whole))
    top = whole
    for number, start in enumerate(starts):
        top -= above[number] + height
        left = 0.0
        for k in range(start, min(start + columns, len(arrays))):
            place = (left / width, top / whole, widths[k] / width, height / whole)
            axes = figure.add_axes(place)
            axes.imshow(arrays[k], aspect="auto")
            axes.set_axis_off()
            if labels:
                axes.set_title(labels[k], fontsize=9.5, color=INK, pad=4, linespacing=1.1)
            left += widths[k] + GAP
        top -= GAP
    return figure


def _row_height(aspects: Sequence[float], width: float) -> float:
    return (width - GAP * (len(aspects) - 1)) / sum(aspects)


def _cut(values: Sequence, length: int) -> list[Sequence]:
    return [values[k : k + length] for k in range(0, len(values), length)]


def _broken(text: str, width: float) -> str:
    letters = max(4, int(width / LETTER))
    return "\n".join(part for line in text.split("\n") for part in textwrap.wrap(line, letters))


def _title_height(row: Sequence[str]) -> float:
    lines = int(np.max([label.count("\n") + 1 if label else 0 for label in row]))
    return lines * LINE + 0.1 if lines else 0.0
