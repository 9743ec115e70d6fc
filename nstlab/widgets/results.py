"""What was made so far: a strip of pictures, two of them to compare, and files to take home."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import ipywidgets as w
import torch
from jaxtyping import Float
from torch import Tensor

from nstlab.images import encode, resize
from nstlab.runs import Run

MOST = 12  # results that are kept
HEIGHT = 84  # pixels of a thumbnail


@dataclass(frozen=True)
class Result:
    """A picture that was made, and how.

    Attributes:
        label: a number and a few words.
        run: its record, without frames.
    """

    label: str
    run: Run


def before_and_after(
    first: Float[Tensor, "1 3 h w"], second: Float[Tensor, "1 3 i j"], share: float
) -> Float[Tensor, "1 3 h w"]:
    """The left part of one picture beside the right part of another, with a white line between.

    Args:
        first: shown on the left.
        second: shown on the right, resized to the first.
        share: of the width that the first has, 0 to 1.

    Returns:
        A picture of the first one's size.

    Raises:
        ValueError: a share outside 0 to 1.
    """
    if not 0 <= share <= 1:
        raise ValueError(f"share is {share}; it must be from 0 to 1")
    height, width = first.shape[2:]
    if second.shape != first.shape:
        second = resize(second, (height, width))
    edge = round(share * width)
    joined = torch.cat([first[..., :edge], second[..., edge:]], dim=3)
    if 0 < edge < width:
        joined[..., max(0, edge - 1) : edge + 1] = 1.0
    return joined


class Results:
    """The strip and the comparison.

    Attributes:
        widget: to be shown; takes no room while there is nothing.
        results: the newest last.
    """

    def __init__(self, on_choose: Callable[[Result], object]) -> None:
        """Begin with nothing.

        Args:
            on_choose: called with a result whose settings are asked for.
        """
        self.results: list[Result] = []
        self._made = 0
        self._on_choose = on_choose
        self._strip = w.Box(layout=w.Layout(flex_flow="row wrap", overflow="visible"))
        self._left = w.Dropdown(description="left", layout=w.Layout(width="15em"))
        self._right = w.Dropdown(description="right", layout=w.Layout(width="15em"))
        self._share = w.IntSlider(
            50,
            description="left part",
            tooltip="how much of the width shows the left picture, per cent",
            readout_format="d",
            layout=w.Layout(width="100%", max_width="30em"),
        )
        self._both = w.Image(format="jpeg", layout=w.Layout(max_width="100%", width="480px"))
        self._left.tooltip = "the result that is shown on the left"
        self._right.tooltip = "the result that is shown on the right"
        for control in (self._left, self._right, self._share):
            control.observe(lambda _change: self._compare(), "value")
        self._comparison = w.VBox([w.HBox([self._left, self._right]), self._share, self._both])
        self._comparison.children[0].layout.flex_flow = "row wrap"
        self.widget = w.VBox()

    def add(self, words: str, run: Run) -> None:
        """Put a result at the end of the strip; the oldest goes when there are too many.

        Args:
            words: a few, that say what was special.
            run: its record.
        """
        self._made += 1
        result = Result(f"{self._made}: {words}", replace(run, frames={}))
        self.results = [*self.results, result][-MOST:]
        self._strip.children = [self._card(each) for each in self.results]
        names = [(each.label, number) for number, each in enumerate(self.results)]
        for control, at in ((self._left, len(names) - 2), (self._right, len(names) - 1)):
            control.options = names
            control.value = max(0, at)
        two = len(self.results) > 1
        head = w.HTML("<b>results so far</b>")
        self.widget.children = [head, self._strip, *([self._comparison] if two else [])]
        self._compare()

    def _card(self, result: Result) -> w.VBox:
        image = resize(result.run.image, max(_fitted(result.run.image, HEIGHT)))
        shown = w.Image(value=encode(image, "jpeg"), format="jpeg")
        shown.layout = w.Layout(height=f"{HEIGHT}px", width="auto", margin="0")
        use = w.Button(description=result.label, tooltip="take these settings into the lab")
        use.layout = w.Layout(width="auto")
        use.on_click(lambda _button: self._on_choose(result))
        return w.VBox([shown, use], layout=w.Layout(margin="0 6px 6px 0"))

    def _compare(self) -> None:
        left, right = self._left.value, self._right.value
        if len(self.results) < 2 or left is None or right is None:
            return
        first, second = (self.results[int(each)].run.image for each in (left, right))
        joined = before_and_after(first, second, self._share.value / 100)
        self._both.value = encode(joined, "jpeg", quality=90)


def _fitted(image: Tensor, height: int) -> tuple[int, int]:
    """Height and width of a picture at some height."""
    return height, max(1, round(height * image.shape[3] / image.shape[2]))
