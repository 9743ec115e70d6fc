"""How a student learned, and whether it finds the same pictures alike as its teacher."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter, StrMethodFormatter
from torch import Tensor

from nstlab.plots.style import FAINT, GREY, INK, WIDTH, Plot, tidy

DEPTH_COLOURS = "viridis"  # from the shallow layers, dark, to the deep ones
LAST_COLOUR = 0.88  # of them; yellow is not seen on white
DOT = "#2471a3"


def plot_distances(
    panels: Mapping[str, tuple[Float[Tensor, " _"], Float[Tensor, " _"]]],
    *,
    columns: int = 3,
    labels: tuple[str, str] = ("style distance by the teacher", "by the student"),
    width: float = WIDTH,
) -> Plot:
    """Distances of the same pairs of pictures as two networks see them: a dot for each pair.

    Both axes are logarithmic and each is scaled to its own numbers, since networks with other
    channels measure in other units. Where both put the pairs into the same order, the dots rise
    from left to right. Distances of 0, which the scale has no place for, are left out.

    Args:
        panels: title to distances across and distances up; see `distill.style_distances`.
        columns: panels in a row.
        labels: of the axes, across and up.
        width: of the figure, inches.

    Returns:
        The figure.

    Raises:
        ValueError: no panel, no column, two lists of different lengths, or no pair apart for both.
    """
    if not panels:
        raise ValueError("there are no distances to show")
    if columns < 1:
        raise ValueError(f"columns is {columns}; it must be at least 1")
    columns = min(columns, len(panels))
    rows = -(-len(panels) // columns)
    side = width / columns
    figure = Plot((width, rows * min(side, 2.8)), layout="constrained")
    grid = figure.subplots(rows, columns, squeeze=False)
    for axes in grid.flat[len(panels) :]:
        axes.set_axis_off()
    for number, (title, (across, up)) in enumerate(panels.items()):
        if len(across) != len(up):
            raise ValueError(
                f"{title!r} has {len(across)} distances across and {len(up)} up; take both of the "
                "same pairs"
            )
        apart = (across > 0) & (up > 0)
        if not apart.any():
            raise ValueError(f"{title!r} has no pair of pictures that both find apart")
        axes = grid.flat[number]
        axes.plot(
            across[apart].cpu().numpy(),
            up[apart].cpu().numpy(),
            ".",
            color=DOT,
            alpha=0.55,
            markersize=5,
            markeredgewidth=0,
        )
        axes.set(xscale="log", yscale="log")
        axes.set_title(title, fontsize=9, color=INK)
        axes.set_ylabel(labels[1] if number % columns == 0 else "")
        axes.set_xlabel(labels[0] if number + columns >= len(panels) else "")
        tidy(axes)
        _few_ticks(axes)
    return figure


def plot_training(record: Mapping[str, Any], *, smooth: int = 10, width: float = WIDTH) -> Plot:
    """What a training did: its errors on training crops, and the agreement on pictures held out.

    A colour for each taught layer, darker for the shallower. Errors are means over some steps,
    since each step sees other crops.

    Args:
        record: of `distill`'s result; see `Distilled`.
        smooth: number of steps that an error is the mean of.
        width: of the figure, inches.

    Returns:
        The figure: errors of features, errors of Gram distances, and, where pictures were held
        out, Spearman's correlation of Gram distances with the teacher's.

    Raises:
        ValueError: a record of no step, or `smooth` below 1.
    """
    errors = {name: np.asarray(values, float) for name, values in record["errors"].items()}
    if not errors:
        raise ValueError("the record has no step; train first")
    if smooth < 1:
        raise ValueError(f"smooth is {smooth}; it must be at least 1")
    layers = [name for name in errors if " " not in name]
    agreement = {int(step): found for step, found in record["agreement"].items() if found}
    kinds = [("features", ""), ("Gram distances", " gram")]
    figure = Plot((width, 3.0), layout="constrained")
    row = figure.subplots(1, 3 if agreement else 2)
    for axes, (title, ending) in zip(row, kinds, strict=False):
        for number, layer in enumerate(layers):
            values = errors[layer + ending]
            window = min(smooth, len(values))
            means = np.convolve(values, np.full(window, 1 / window), "valid")
            steps = np.arange(window, len(values) + 1)
            axes.plot(steps, means, color=_depth_colour(number, len(layers)), linewidth=1.3)
        axes.set(yscale="log", title=f"error of {title}")
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
        axes.yaxis.set_minor_formatter(NullFormatter())
    if agreement:
        for number, layer in enumerate(layers):
            values = [found[layer] for found in agreement.values()]
            colour = _depth_colour(number, len(layers))
            row[2].plot(list(agreement), values, ".-", color=colour, linewidth=1.3, label=layer)
        row[2].set(title="agreement, pictures held out")
        row[2].axhline(1, color=FAINT, linewidth=1, zorder=0)
    for axes in row:
        axes.set_xlabel("steps")
        axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
        axes.title.set(fontsize=9.5, color=INK)
        tidy(axes)
    row[-1].legend(
        handles=row[0].get_lines(), labels=layers, frameon=False, fontsize=8, labelcolor=INK
    )
    return figure


def _depth_colour(number: int, count: int) -> tuple[float, ...]:
    from matplotlib import colormaps

    return colormaps[DEPTH_COLOURS](LAST_COLOUR * number / max(1, count - 1))


def _few_ticks(axes: Axes) -> None:
    """A tick at each power of ten, at most five of them, and no numbers between."""
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(LogLocator(numticks=5))
        axis.set_minor_formatter(NullFormatter())
    axes.tick_params(which="minor", length=1.5, colors=GREY)
