"""Sliders over results that are there already: nothing is computed while one drags."""

import html
import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import ipywidgets as w
from matplotlib.figure import Figure
from torch import Tensor

from nstlab.widgets.still import Page, bundle

MOST = 600  # pages; beyond it the front end would hold too much


class Browser:
    """Controls and the picture that belongs to them; shows itself at the end of a cell.

    Attributes:
        widget: the tree of ipywidgets.
        controls: a slider or a dropdown by the name of its axis.
        values: what they stand at.
    """

    def __init__(
        self,
        axes: Mapping[str, Sequence[Any]],
        page: Callable[..., Tensor | Figure],
        caption: Callable[..., str] | None,
        first: Sequence[Any] | None,
        width: int,
    ) -> None:
        """See `browse`."""
        self._axes = {name: list(values) for name, values in axes.items()}
        chosen = _check(self._axes, first)
        self._pages: dict[tuple[int, ...], tuple[Page, str]] = {}
        for place in itertools.product(*(range(len(values)) for values in self._axes.values())):
            values = self._at(place)
            words = caption(*values) if caption else ""
            self._pages[place] = (Page(page(*values)), words)
        self.controls = {
            name: _control(name, values, at)
            for (name, values), at in zip(self._axes.items(), chosen, strict=True)
        }
        self._picture = w.Image(layout=w.Layout(width=f"{width}px", max_width="100%"))
        self._words = w.HTML()
        for control in self.controls.values():
            control.observe(lambda _change: self._show(), "value")
        rows = w.VBox(list(self.controls.values()))
        self.widget = w.VBox([rows, self._picture, self._words])
        self._show()

    @property
    def values(self) -> tuple[Any, ...]:
        """What the controls stand at, one value for each axis."""
        return self._at(self._place())

    @property
    def caption(self) -> str:
        """The line under the picture."""
        return self._pages[self._place()][1]

    @property
    def picture(self) -> bytes:
        """The picture that is shown, as a JPEG or PNG file."""
        return bytes(self._picture.value)

    def _place(self) -> tuple[int, ...]:
        return tuple(int(control.value or 0) for control in self.controls.values())

    def _at(self, place: Sequence[int]) -> tuple[Any, ...]:
        return tuple(v[at] for v, at in zip(self._axes.values(), place, strict=True))

    def _show(self) -> None:
        page, words = self._pages[self._place()]
        self._picture.format, self._picture.value = page.format, page.data
        self._words.value = html.escape(words)

    def _repr_mimebundle_(self, **_options: Any) -> dict[str, Any]:  # noqa: ANN401
        page, words = self._pages[self._place()]
        at = [f"{name}: {_word(v)}" for name, v in zip(self._axes, self.values, strict=True)]
        return bundle(self.widget, page.with_words("   ".join(filter(None, [*at, words]))))


def browse(
    axes: Mapping[str, Sequence[Any]],
    page: Callable[..., Tensor | Figure],
    *,
    caption: Callable[..., str] | None = None,
    first: Sequence[Any] | None = None,
    width: int = 480,
) -> Browser:
    """Move through computed results with sliders.

    All pages are drawn at once, so that nothing is computed while a slider moves. Readers without
    a kernel see the page that is shown first.

    Args:
        axes: by the name of a control the values that it takes, in order: numbers get a slider,
            words a dropdown.
        page: takes one value of each axis, in the order of `axes`; gives a picture (1, 3, h, w),
            RGB in [0, 1], or a figure.
        caption: takes the same, gives a line of words.
        first: one value of each axis to begin with; the first of each where None.
        width: of the picture as shown, pixels.

    Returns:
        Something that shows itself when it ends a cell.

    Raises:
        ValueError: an axis without values, too many combinations, or a first value that is none
            of its axis.

    Example:
        >>> import torch
        >>> shades = browse({"grey": [0, 0.5, 1]}, lambda grey: torch.full((1, 3, 8, 8), grey))
        >>> shades.controls["grey"].value = 2
        >>> shades.values
        (1,)
    """
    return Browser(axes, page, caption, first, width)


def _check(axes: Mapping[str, list[Any]], first: Sequence[Any] | None) -> list[int]:
    """The place of the first value on each axis."""
    count = 1
    for name, values in axes.items():
        count *= len(values)
        if not values:
            raise ValueError(f"{name} has no values; give at least one")
    if not axes or count > MOST:
        raise ValueError(f"{count if axes else 0} combinations; there must be 1 to {MOST}")
    if first is None:
        return [0] * len(axes)
    if len(first) != len(axes):
        raise ValueError(f"first has {len(first)} values for {len(axes)} axes; give one for each")
    for (name, values), value in zip(axes.items(), first, strict=True):
        if value not in values:
            among = ", ".join(map(str, values))
            raise ValueError(f"{name} cannot begin at {value!r}; it can be {among}")
    return [values.index(value) for values, value in zip(axes.values(), first, strict=True)]


def _control(name: str, values: Sequence[Any], at: int) -> w.SelectionSlider | w.Dropdown:
    """Its value is the place on the axis."""
    options = [(_word(value), place) for place, value in enumerate(values)]
    kind = w.Dropdown if any(isinstance(value, str) for value in values) else w.SelectionSlider
    return kind(
        options=options,
        value=at,
        description=name,
        style={"description_width": "11em"},
        layout=w.Layout(width="min(32em, 100%)"),
    )


def _word(value: object) -> str:
    return f"{value:g}" if isinstance(value, int | float) else str(value)
