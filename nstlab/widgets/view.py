"""What the lab shows of a run, and how its parts are placed."""

from collections.abc import Callable, Mapping, Sequence

import ipywidgets as w
import torch
from jaxtyping import Float
from torch import Tensor

from nstlab.images import encode

BUTTONS = {  # icon, and what it does
    "Start": ("play", "begin a new run with these pictures and settings"),
    "Pause": ("pause", "hold the run; Continue goes on as if nothing had been"),
    "Undo": ("undo", "back to the picture kept last"),
    "Stop": ("stop", "end the run; the picture is kept among the results"),
    "Reset": ("trash", "give up the run and its picture"),
    "Save": ("download", "write the picture, its animation, and its settings inside"),
}


def blank() -> Float[Tensor, "1 3 h w"]:
    """The grey page before there is a picture."""
    return torch.full((1, 3, 192, 256), 0.93)


class View:
    """The parts that change while a run goes on.

    Attributes:
        picture: as it is.
        curves: of the losses.
        line: state, steps, time left, messages.
        expected: time and memory of the choice.
        said: what came of Save.
        code: the choice as a cell of Python.
        buttons: by their names in `BUTTONS`.
    """

    def __init__(self, actions: Mapping[str, Callable[[], object]]) -> None:
        """Make the parts.

        Args:
            actions: what each button does.
        """
        self.picture = w.Image(format="jpeg", value=encode(blank(), "jpeg"))
        self.picture.layout = w.Layout(width="100%", max_width="640px")
        self.picture.add_class("nstlab-picture")
        self.curves = w.HTML()
        self.line, self.expected, self.said = w.HTML(), w.HTML(), w.HTML()
        self.code = w.Textarea(tooltip="a cell that makes the same run; copy it into a notebook")
        self.code.layout = w.Layout(width="100%", height="auto")
        narrow = w.Layout(width="7.2em", padding="0 4px")
        self.buttons = {
            name: w.Button(description=name, icon=icon, tooltip=tip, layout=narrow)
            for name, (icon, tip) in BUTTONS.items()
        }
        for name, act in actions.items():
            self.buttons[name].on_click(lambda _button, act=act: act())

    def arrange(self, *, below: Sequence[w.Widget], **tabs: Sequence[w.Widget]) -> w.VBox:
        """Tabs on the left, the run on the right, both always in sight.

        Args:
            below: what stands under both.
            **tabs: the widgets of each tab, by its title.

        Returns:
            The whole.
        """
        pages = w.Tab([w.VBox(list(each)) for each in tabs.values()])
        for number, title in enumerate(tabs):
            pages.set_title(number, title)
        left = w.VBox([pages, self.expected, self.curves])
        row = w.Box(list(self.buttons.values()), layout=w.Layout(flex_flow="row wrap"))
        seen = w.VBox([row, self.line, self.picture, self.said])
        top = w.GridBox([left, seen], layout=w.Layout(align_items="flex-start", grid_gap="12px"))
        top.layout.grid_template_columns = "minmax(320px, 480px) minmax(320px, 660px)"
        return w.VBox([top, *below], layout=w.Layout(overflow="visible"))
