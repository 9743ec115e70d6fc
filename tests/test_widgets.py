"""Sliders over computed results, without a browser."""

import base64
from io import BytesIO

import ipywidgets
import matplotlib.pyplot as plt
import pytest
import torch
from IPython.core.formatters import DisplayFormatter
from PIL import Image
from torch import Tensor

from nstlab.plots import plot_gram, show_pictures
from nstlab.widgets import Browser, browse
from nstlab.widgets.browser import MOST
from nstlab.widgets.still import NOTE

GREYS = [0.0, 0.5, 1.0]


def grey(value: float, size: str = "small") -> Tensor:
    side = {"small": 8, "large": 40}[size]
    return torch.full((1, 3, side, 2 * side), value)


def opened(data: bytes) -> Image.Image:
    return Image.open(BytesIO(data)).convert("RGB")


@pytest.fixture
def shades() -> Browser:
    return browse(
        {"grey": GREYS, "size": ["small", "large"]},
        grey,
        caption=lambda value, size: f"{size} & {value:g}",
        first=(0.5, "large"),
    )


def test_moving_a_control_shows_its_page(shades: Browser) -> None:
    assert shades.values == (0.5, "large")
    assert opened(shades.picture).getpixel((3, 3)) == pytest.approx((128,) * 3, abs=1)
    shades.controls["grey"].value = 2
    assert shades.values == (1.0, "large")
    assert shades.caption == "large & 1"
    assert opened(shades.picture).getpixel((3, 3)) == (255, 255, 255)
    shades.controls["size"].value = 0
    assert opened(shades.picture).size == (16, 8)


def test_nothing_is_computed_while_a_control_moves() -> None:
    calls: list[float] = []

    def page(value: float) -> Tensor:
        calls.append(value)
        return grey(value)

    shades = browse({"grey": GREYS}, page)
    assert calls == GREYS
    for place in (2, 1, 0):
        shades.controls["grey"].value = place
    assert calls == GREYS


def test_numbers_have_a_slider_and_words_a_dropdown(shades: Browser) -> None:
    assert isinstance(shades.controls["grey"], ipywidgets.SelectionSlider)
    assert isinstance(shades.controls["size"], ipywidgets.Dropdown)
    assert [label for label, _ in shades.controls["grey"].options] == ["0", "0.5", "1"]
    assert [each.description for each in shades.controls.values()] == ["grey", "size"]


def test_words_cannot_smuggle_markup_in() -> None:
    shades = browse({"grey": GREYS}, grey, caption=lambda value: f"<b>{value}</b>")
    words = [each for each in shades.widget.children if isinstance(each, ipywidgets.HTML)]
    assert [each.value for each in words] == ["&lt;b&gt;0.0&lt;/b&gt;"]


def test_one_output_holds_the_widget_and_a_picture(shades: Browser) -> None:
    data, _ = DisplayFormatter().format(shades)
    assert data["text/plain"] == NOTE
    assert data["application/vnd.jupyter.widget-view+json"]["model_id"] == shades.widget.model_id
    still = opened(base64.b64decode(data["image/jpeg"]))
    assert "image/png" not in data
    assert still.width >= 80 and still.height > 40
    words = still.crop((0, 0, still.width, still.height - 40))
    assert min(words.convert("L").tobytes()) < 128, "no words above the picture"
    below = still.crop((0, still.height - 40, 80, still.height))
    assert below.getpixel((40, 20)) == pytest.approx((128,) * 3, abs=3)


def test_figures_are_pages_too() -> None:
    gram = torch.eye(4)
    drawn = browse({"k": [1, 2]}, lambda k: plot_gram(k * gram))
    assert drawn.picture.startswith(b"\x89PNG")
    pictures = browse({"grey": GREYS}, lambda value: show_pictures(grey(value)))
    assert pictures.picture.startswith(b"\xff\xd8")
    assert plt.get_fignums() == []


@pytest.mark.parametrize(
    ("axes", "first", "words"),
    [
        ({}, None, "0 combinations"),
        ({"grey": []}, None, "grey has no values"),
        ({"grey": list(range(MOST + 1))}, None, f"{MOST + 1} combinations"),
        ({"grey": GREYS}, (0.3,), "grey cannot begin at 0.3; it can be 0.0, 0.5, 1.0"),
        ({"grey": GREYS}, (0.5, 1), "first has 2 values for 1 axes"),
    ],
)
def test_axes_that_cannot_be(axes: dict, first: tuple | None, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        browse(axes, grey, first=first)


def test_several_in_one_kernel_keep_apart(shades: Browser) -> None:
    other = browse({"grey": GREYS}, grey)
    other.controls["grey"].value = 2
    assert shades.values == (0.5, "large")
