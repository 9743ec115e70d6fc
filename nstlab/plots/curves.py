"""How a run went, and Gram matrices."""

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
from jaxtyping import Float, UInt8
from matplotlib.axes import Axes
from matplotlib.ticker import LogLocator, NullFormatter
from torch import Tensor

from nstlab.plots.style import (
    FAINT,
    GREY,
    INK,
    OTHER_COLOURS,
    TERM_COLOURS,
    Plot,
    pixels,
    tidy,
)
from nstlab.runs import Run

LINES = ("-", "--", ":", "-.")  # for the terms where colours stand for runs
Against = Literal["steps", "seconds"]


def plot_losses(
    runs: Run | Mapping[str, Run],
    terms: Sequence[str] | None = None,
    *,
    against: Against = "steps",
    weighted: bool = False,
    index: int = 0,
) -> Plot:
    """The losses of a run, or of several to compare, on a logarithmic scale.

    One run: a colour for each term. Several runs: a colour for each run, a line style for each
    term. Values of 0, which the scale has no place for, are left out.

    Args:
        runs: a run, or runs by the names they have in the legend.
        terms: names out of `run.losses`; all for one run, `total` for several, if None.
        against: `steps`, or `seconds`, for which the time of a run is shared evenly among its
            steps.
        weighted: false shows each term as it is recorded, without its weight (`total` is always
            the weighted sum); true multiplies each by the weight in the run's settings, so that
            the terms add up to `total`.
        index: which picture of the batch.

    Returns:
        The figure.

    Raises:
        ValueError: no run, an unknown term, no known weight of a term, or another `against`.
    """
    named = {"": runs} if isinstance(runs, Run) else dict(runs)
    if not named:
        raise ValueError("there is no run to show")
    if against not in ("steps", "seconds"):
        raise ValueError(f"unknown against {against!r}; it can be 'steps' or 'seconds'")
    single = len(named) == 1
    if terms is None:
        terms = list(next(iter(named.values())).losses) if single else ["total"]
    figure = Plot((6.4, 3.4), layout="constrained")
    axes = figure.subplots()
    for number, (label, run) in enumerate(named.items()):
        for kind, term in enumerate(terms):
            values = run.curve(term, index)
            if weighted:
                values = [value * _weight(run, term) for value in values]
            share = run.seconds / max(1, run.steps) if against == "seconds" else 1
            axes.plot(
                [step * share for step in range(len(values))],
                _positive(values),
                color=_colour(term, kind) if single else _other(number),
                linestyle="-" if single else LINES[kind % len(LINES)],
                linewidth=1.8 if term == "total" else 1.3,
                label=", ".join(filter(None, [label, term if single or len(terms) > 1 else ""])),
            )
    kind = "weighted loss" if weighted else "loss"
    axes.set(yscale="log", xlabel=against, ylabel=kind if len(terms) > 1 else f"{terms[0]} {kind}")
    axes.set_xlim(left=0)
    tidy(axes)
    _legend(axes)
    return figure


def plot_gram(gram: Float[Tensor, "... c c"], title: str = "", *, width: float = 4.0) -> Plot:
    """A Gram matrix as a square of colours: which pairs of channels fire together.

    Dark is zero. Brightness goes with the square root of the value, since a few channels are far
    stronger than the rest; a matrix with negative entries is shown in blue and red, linearly.

    Args:
        gram: one matrix, (c, c) or (1, c, c).
        title: above it.
        width: of the figure, inches.

    Returns:
        The figure.

    Raises:
        ValueError: not one square matrix.
    """
    matrix = gram.detach().float().cpu().squeeze(0).numpy()
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1]:
        raise ValueError(f"expected one Gram matrix (c, c), got shape {tuple(gram.shape)}")
    from matplotlib.colors import CenteredNorm, PowerNorm

    signed = bool(matrix.min() < 0)
    figure = Plot((width, 0.86 * width), layout="constrained")
    axes = figure.subplots()
    shown = axes.imshow(
        matrix,
        cmap="RdBu_r" if signed else "magma",
        norm=CenteredNorm() if signed else PowerNorm(0.5, vmin=0),
        interpolation="nearest",
    )
    axes.set_title(title, fontsize=9.5, color=INK)
    axes.set(xlabel="channel", ylabel="channel")
    tidy(axes)
    axes.grid(False)
    bar = figure.colorbar(shown, ax=axes, shrink=0.8, pad=0.03)
    bar.ax.tick_params(colors=GREY, labelsize=7, length=2, width=0.6)
    bar.outline.set_visible(False)  # pyright: ignore[reportCallIssue]
    return figure


def draw_growing_curve(
    losses: Sequence[float], step: int, height: int
) -> UInt8[Tensor, "3 height width"]:
    """The loss up to a step as a picture, the rest of it faint: one frame of an animation.

    Args:
        losses: at the start and after each step.
        step: up to which the curve is drawn.
        height: of the picture in pixels, 100 or more; the width is nine tenths of it.

    Returns:
        RGB, 0 to 255, on white.
    """
    figure = Plot((0.9 * height / 100, height / 100), layout="constrained")
    axes = figure.subplots()
    values = _positive(losses)
    steps = np.arange(len(values))
    axes.plot(steps, values, color=FAINT, linewidth=1.2)
    axes.plot(steps[: step + 1], values[: step + 1], color=TERM_COLOURS["style"], linewidth=1.8)
    now = min(step, len(values) - 1)
    axes.plot(steps[now], values[now], "o", color=TERM_COLOURS["style"], markersize=5)
    axes.set(yscale="log", xlabel="step", ylabel="loss")
    axes.set_xlim(0, max(1, len(values) - 1))
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.yaxis.set_major_locator(LogLocator(numticks=6))
    axes.margins(x=0.03)
    tidy(axes)
    return pixels(figure)


def _positive(values: Sequence[float]) -> np.ndarray:
    numbers = np.array(values, dtype=float)
    numbers[~(numbers > 0) | ~np.isfinite(numbers)] = np.nan
    return numbers


def _weight(run: Run, term: str) -> float:
    if term == "total":
        return 1.0
    weight = run.recipe.get("settings", {}).get(f"{term}_weight")
    if weight is None:
        raise ValueError(f"the run does not know the weight of {term!r}; use weighted=False")
    return float(weight)


def _colour(term: str, number: int) -> str:
    return TERM_COLOURS.get(term) or _other(number)


def _other(number: int) -> str:
    return OTHER_COLOURS[number % len(OTHER_COLOURS)]


def _legend(axes: Axes) -> None:
    if len(axes.get_lines()) > 1:
        axes.legend(frameon=False, fontsize=8, labelcolor=INK, handlelength=1.8)
