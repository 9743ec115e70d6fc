"""One output that is a widget where there is a kernel, and a picture where there is none."""

import base64
from typing import Any

import numpy as np
from ipywidgets import Widget
from jaxtyping import UInt8
from matplotlib.figure import Figure
from torch import Tensor

from nstlab.images import encode
from nstlab.plots.style import DPI, INK, PicturePlot, Plot, pixels

NOTE = "Run the notebook to use these controls."
LINE = 26  # pixels, of the line of words above a still picture
LETTER = 6.2  # pixels, a letter's mean width there


class Page:
    """A picture as bytes that a browser can show.

    Attributes:
        data: the file.
        format: `jpeg` for pictures, `png` for drawings.
        drawn: its pixels, RGB, 0 to 255.
    """

    def __init__(self, picture: Tensor | Figure) -> None:
        """Encode a picture (1, 3, h, w), RGB in [0, 1], or a figure."""
        if isinstance(picture, Figure):
            self.drawn = pixels(picture)
        else:
            image = picture if picture.ndim == 4 else picture[None]
            self.drawn = _to_bytes(image[:1])
        photograph = isinstance(picture, PicturePlot) or not isinstance(picture, Figure)
        self.format = "jpeg" if photograph else "png"
        self.data = encode(self.drawn[None].float() / 255, self.format, quality=90)

    def with_words(self, words: str) -> "Page":
        """The same picture below a line of words, for readers who have no controls."""
        height, width = self.drawn.shape[1:]
        wide = max(width, round(LETTER * len(words)) + 8)
        kind = PicturePlot if self.format == "jpeg" else Plot
        figure = kind((wide / DPI, (height + LINE) / DPI))
        figure.figimage(np.asarray(self.drawn.permute(1, 2, 0)), xo=0, yo=0, origin="upper")
        top = 1 - LINE / 2 / (height + LINE)
        figure.text(3 / wide, top, words, fontsize=8, color=INK, va="center")
        return Page(figure)


def _to_bytes(image: Tensor) -> UInt8[Tensor, "3 h w"]:
    return (image[0].detach().float().clamp(0, 1) * 255).round().byte().cpu()


def bundle(widget: Widget, still: Page) -> dict[str, Any]:
    """What a notebook keeps of a widget: the widget for a live kernel, the picture for readers.

    Live front ends take the widget; GitHub, nbviewer and a notebook that was not run show the
    picture.

    Args:
        widget: to be shown live.
        still: to be shown elsewhere.

    Returns:
        Data by MIME type, as `_repr_mimebundle_` gives them.
    """
    data: dict[str, Any] = dict(widget._repr_mimebundle_() or {})  # pyright: ignore[reportAttributeAccessIssue]
    data["text/plain"] = NOTE
    data[f"image/{still.format}"] = base64.b64encode(still.data).decode()
    return data
