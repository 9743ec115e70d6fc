"""The look that all figures share, and how a notebook shows them."""

from collections.abc import Sequence
from io import BytesIO
from typing import Any

import numpy as np
import torch
from jaxtyping import UInt8
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from torch import Tensor

from nstlab.images import PictureError, encode

DPI = 100
WIDTH = 9.0  # inches, of a figure that fills the page
INK, GREY, FAINT = "#262626", "#737373", "#d9d9d9"
TERM_COLOURS = {
    "total": INK,
    "content": "#2471a3",
    "style": "#d35400",
    "variation": "#2e8b57",
    "range": "#8e5ea2",
}
OTHER_COLOURS = ("#2471a3", "#d35400", "#2e8b57", "#8e5ea2", "#b8860b", "#c0392b", "#17808b")


class Plot(Figure):
    """A figure that a notebook shows by itself, without pyplot: sharp lines, as PNG."""

    def __init__(self, size: tuple[float, float], **options: Any) -> None:  # noqa: ANN401
        """Make an empty white figure.

        Args:
            size: width and height in inches.
            **options: those of matplotlib's `Figure`.
        """
        super().__init__(figsize=size, dpi=DPI, facecolor="white", **options)
        FigureCanvasAgg(self)

    def _repr_png_(self) -> bytes:
        file = BytesIO()
        self.savefig(file, format="png")
        return file.getvalue()


class PicturePlot(Plot):
    """A figure of photographs, which a notebook keeps as JPEG, several times smaller than PNG."""

    def _repr_png_(self) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        return None

    def _repr_jpeg_(self) -> bytes:
        return encode(pixels(self)[None].float() / 255, "jpeg", quality=90)


def pixels(figure: Figure) -> UInt8[Tensor, "3 h w"]:
    """A figure as it looks.

    Args:
        figure: any.

    Returns:
        RGB, 0 to 255.
    """
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    drawn = np.array(canvas.buffer_rgba(), dtype=np.uint8)[..., :3]
    return torch.from_numpy(drawn).permute(2, 0, 1).contiguous()


def tidy(axes: Axes) -> None:
    """Small grey ticks, a faint grid, and a frame on two sides only."""
    axes.tick_params(which="both", colors=GREY, labelsize=8, length=3, width=0.6)
    axes.grid(True, color=FAINT, linewidth=0.5)
    axes.set_axisbelow(True)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set(color=GREY, linewidth=0.6)
    axes.xaxis.label.set(color=INK, fontsize=9)
    axes.yaxis.label.set(color=INK, fontsize=9)


def as_arrays(pictures: Tensor | Sequence[Tensor]) -> list[np.ndarray]:
    """Pictures as matplotlib takes them; batches are taken apart.

    Args:
        pictures: each (b, 3, h, w) or (3, h, w), floats in [0, 1] (clamped) or 8 bits.

    Returns:
        (h, w, 3) arrays of 8 bits.

    Raises:
        PictureError: something of another shape or type.
    """
    several = [pictures] if isinstance(pictures, Tensor) else list(pictures)
    arrays = []
    for picture in several:
        batch = picture[None] if picture.ndim == 3 else picture
        if batch.ndim != 4 or batch.shape[1] != 3 or batch.numel() == 0:
            raise PictureError(
                f"expected pictures (b, 3, h, w) or (3, h, w), got shape {tuple(picture.shape)}"
            )
        if batch.is_floating_point():
            batch = (batch.detach().float().clamp(0, 1) * 255).round()
        elif batch.dtype != torch.uint8:
            raise PictureError(
                f"expected floats in [0, 1] or 8 bits (torch.uint8), got {batch.dtype}"
            )
        arrays += list(batch.to(torch.uint8).permute(0, 2, 3, 1).cpu().numpy())
    return arrays
