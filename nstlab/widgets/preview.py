"""A sheet of small runs over a few axes: look, and take the one that you like."""

import html
import threading
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import ipywidgets as w

from nstlab.idle import free_idle_threads
from nstlab.images import encode
from nstlab.runs import Run
from nstlab.settings import Settings
from nstlab.stock import PictureSource
from nstlab.sweep import grid, sweep
from nstlab.transfer import stylize
from nstlab.widgets.ending import ends_with_process
from nstlab.widgets.form import on_log_slider
from nstlab.words import in_short

SIZE, STEPS = 128, 60  # of a small run
AXES: dict[str, tuple[Any, ...]] = {  # what can be varied, each at four values around the present
    "style weight": (0.1, 0.4, 2.5, 10.0),
    "variation weight": (0.0, 1.0, 4.0, 12.0),
    "content layer": (("relu2_2",), ("relu3_1",), ("relu3_4",), ("relu4_2",)),
    "start": ("content", "noise", "smooth_noise", "style"),
    "style size": (0.5, 0.75, 1.5, 2.0),
}
SHORT = {"content layer": "content_layers", "style size": "style_scale"}
SIGNS = {"style_weight": "β ", "variation_weight": "variation ", "style_scale": "style × "}


def sheet_settings(base: Settings, axes: Sequence[str]) -> list[tuple[str, Settings]]:
    """Settings of a preview sheet: eight values of one axis, or two axes with each other.

    An axis of words has four values; alone it is made at two style weights.

    Args:
        base: in the middle.
        axes: one or two names of `AXES`; with two each has its values, 8 to 16 runs in all.

    Returns:
        For each run a few words and its settings, at the size of the lab's own run.

    Raises:
        ValueError: no axis, more than two, or one that there is not.
    """
    if not 1 <= len(axes) <= 2 or any(axis not in AXES for axis in axes):
        named = ", ".join(axes) or "none"
        raise ValueError(f"axes are: {named}; choose one or two out of {', '.join(AXES)}")
    alone = len(axes) == 1
    if alone and not _between(AXES[axes[0]]):
        axes = [*axes, "style weight"]
    varied: dict[str, list[Any]] = {}
    for number, axis in enumerate(axes):
        name = SHORT.get(axis, axis.replace(" ", "_"))
        values = AXES[axis]
        if axis == "style weight":
            if not base.style_weight > 0:
                raise ValueError("the style weight is 0; raise it to vary it")
            values = tuple(base.style_weight * value for value in values)
        if alone:
            values = values[1:3] if number else _between(values) or values
        if axis == "style weight":
            values = tuple(map(on_log_slider, values))
        varied[name] = list(values)
    plain = base.change(content_layer_weights=None)
    return [
        (", ".join(_word(name, getattr(each, name)) for name in varied), each)
        for each in grid(plain, **varied)
    ]


def _between(values: tuple[Any, ...]) -> tuple[Any, ...]:
    """Eight numbers over the same range; none where the values are words."""
    if not all(isinstance(value, float) for value in values):
        return ()
    low, high = values[0], values[-1]
    if low > 0:
        return tuple(low * (high / low) ** (k / 7) for k in range(8))
    return tuple(high * k / 7 for k in range(8))


def _word(name: str, value: object) -> str:
    if isinstance(value, tuple):
        return ", ".join(map(str, value))
    return SIGNS[name] + in_short(value) if isinstance(value, float) else str(value)


class Preview:
    """The sheet, made in a thread of its own.

    Attributes:
        widget: to be shown.
        runs: those of the last sheet, by their words.
    """

    def __init__(
        self,
        given: Callable[[], tuple[PictureSource, list[PictureSource], Settings]],
        on_choose: Callable[[Settings], object],
        before: Callable[[], object],
    ) -> None:
        """Show the choice of axes.

        Args:
            given: what the lab stands at: content, styles, settings.
            on_choose: called with the settings of the run that was chosen.
            before: called before a sheet is made, to stop a run that is in progress.
        """
        self._given, self._on_choose, self._before = given, on_choose, before
        self.runs: dict[str, Run] = {}
        self.settings: dict[str, Settings] = {}
        tip = "what varies over the sheet"
        self._first = w.Dropdown(options=list(AXES), description="vary", tooltip=tip)
        self._second = w.Dropdown(options=["nothing else", *AXES], description="and", tooltip=tip)
        self.button = w.Button(description="Preview sheet", icon="th")
        self.button.tooltip = "small runs over these, made together; a click takes one's settings"
        self.button.on_click(lambda _button: self.make())
        for control in (self._first, self._second):
            control.layout = w.Layout(width="16em")
        self._line, self._cards = w.HTML(), w.GridBox()
        row = w.HBox([self._first, self._second, self.button])
        row.layout = w.Layout(flex_flow="row wrap")
        self.widget = w.VBox([row, self._line, self._cards])
        self._thread: threading.Thread | None = None
        self._leave = False
        ends_with_process(self)

    @property
    def axes(self) -> list[str]:
        """The axes chosen."""
        chosen = (self._first.value, self._second.value)
        return [axis for axis in dict.fromkeys(chosen) if axis in AXES]

    def make(self) -> None:
        """Begin a sheet; returns at once. A second call while one is being made gives it up."""
        if self._thread is not None and self._thread.is_alive():
            self.leave()
            return
        try:
            content, styles, settings = self._given()
            chosen = sheet_settings(settings, self.axes)
        except ValueError as error:
            self._line.value = html.escape(str(error))
            return
        self._leave = False
        self._line.value = f"{len(chosen)} small runs are being made…"
        self._cards.children = []
        columns = 4 if len(self.axes) == 2 else 8
        self._cards.layout = w.Layout(
            grid_template_columns=f"repeat({columns}, minmax(0, 1fr))",
            max_width=f"{columns * (SIZE + 10)}px",
        )
        self.runs, self.settings = {}, {}
        self.button.description, self.button.icon = "Stop the sheet", "stop"
        self._thread = threading.Thread(
            target=self._work, args=(content, styles, chosen), name="nstlab-lab", daemon=True
        )
        free_idle_threads()
        self._thread.start()

    def leave(self) -> None:
        """Give up the sheet in the making after the batch in progress."""
        self._leave = True

    def close(self, seconds: float = 60.0) -> None:
        """Give up the sheet in the making, and wait for its end."""
        self.leave()
        if self._thread is not None:
            self._thread.join(seconds)

    def wait(self, seconds: float | None = None) -> None:
        """Wait until the sheet is made."""
        if self._thread is not None:
            self._thread.join(seconds)

    def _work(
        self,
        content: PictureSource,
        styles: list[PictureSource],
        chosen: list[tuple[str, Settings]],
    ) -> None:
        try:
            self._before()
            waiting = iter(chosen)
            small = [each.change(size=SIZE, steps=STEPS) for _, each in chosen]

            def shown(run: Run) -> None:
                words, settings = next(waiting)
                self.runs[words], self.settings[words] = run, settings
                self._cards.children = [*self._cards.children, self._card(words, run, settings)]
                if self._leave:
                    raise StopIteration

            sweep(partial(stylize, content, styles), small, on_run=shown)
            self._line.value = "a click takes the settings into the lab, for a run at full size"
        except StopIteration:
            self._line.value = ""
        except Exception as error:
            self._line.value = html.escape(f"the sheet could not be made: {error}")
        finally:
            self.button.description, self.button.icon = "Preview sheet", "th"

    def _card(self, words: str, run: Run, settings: Settings) -> w.VBox:
        shown = w.Image(value=encode(run.image, "jpeg"), format="jpeg")
        shown.layout = w.Layout(width="100%", height="auto", margin="0")
        use = w.Button(description=words, tooltip=f"{words}: take these settings into the lab")
        use.layout = w.Layout(width="100%", margin="2px 0")
        use.on_click(lambda _button: self._on_choose(settings))
        return w.VBox([shown, use], layout=w.Layout(margin="0 6px 6px 0"))
