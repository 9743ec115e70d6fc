"""The sliders of the notebooks in a real JupyterLab."""

from pathlib import Path

import pytest
from lab_driver import CONTROLS, find_browser, reading
from PIL import Image

pytest.importorskip("playwright", reason="needs playwright: pip install playwright")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif(find_browser() is None, reason="no Chromium on this machine"),
]
NOTEBOOKS = Path(__file__).parent.parent / "notebooks"
SLIDERS = {  # by notebook, a key for a control
    "03_the_gram_matrix": {"neighbour": "ArrowLeft"},
    "06_the_content_style_knob": {"c, of content": "ArrowLeft", "s, of style": "ArrowRight"},
    "07_watching_it_happen": {"step": "ArrowLeft"},
    "11_many_paintings": {"woodblock": "ArrowRight"},
}


@pytest.mark.parametrize("name", SLIDERS)
def test_a_moved_control_changes_the_picture(name: str, tmp_path: Path) -> None:
    with reading(NOTEBOOKS / f"{name}.ipynb", tmp_path) as reader:
        reader.run_all()
        before = reader.shown()
        for label, key in SLIDERS[name].items():
            control = reader.control(label)
            control.scroll_into_view_if_needed()
            control.press(key)
            before = reader.wait_for_another(before)


def test_the_lab_is_steered(tmp_path: Path) -> None:
    own, none = tmp_path / "mine.png", tmp_path / "words.png"
    Image.linear_gradient("L").convert("RGB").save(own)
    none.write_text("this is no picture")
    with reading(NOTEBOOKS / "14_the_lab.ipynb", tmp_path) as reader:
        reader.run_all()
        blank = reader.shown()
        reader.press("Start")
        reader.wait_for_another(blank)
        reader.wait_for_words("running")
        reader.turn_to("weights")
        reader.drag("style weight", 60)
        reader.wait_for_words("from step")
        reader.wait_for_another(reader.shown())

        reader.press("Pause")
        reader.wait_for_words("paused")
        held = reader.shown()
        reader.page.wait_for_timeout(1000)
        assert reader.shown() == held
        reader.press("Continue")
        reader.wait_for_words("running")
        reader.wait_for_another(held)
        reader.press("Undo")
        reader.wait_for_words("back at step")
        reader.wait_for_another(reader.shown())

        reader.turn_to("pictures")
        reader.upload(none)
        reader.wait_for_words("words.png: ")
        reader.upload(own)
        reader.page.get_by_label("mine.png").first.wait_for()
        assert reader.page.get_by_label("mine.png").first.is_checked()
        reader.wait_for_words("content a picture from step")
        reader.press("Stop")
        reader.wait_for_words("stopped")

        reader.turn_to("weights")
        reader.press("Preview sheet")
        reader.wait_for_words("a click takes the settings", seconds=180)
        cards = reader.page.locator("button.jupyter-button", has_text="β ").all_inner_texts()
        sheet = [words for words in cards if words.startswith("β ")]
        assert len(sheet) == 8
        reader.press(sheet[3])
        reader.wait_for_number("style weight", sheet[3].removeprefix("β "))


def test_every_control_of_the_lab_is_reached_with_the_keyboard(tmp_path: Path) -> None:
    with reading(NOTEBOOKS / "14_the_lab.ipynb", tmp_path) as reader:
        reader.run_all()
        keyboard = reader.page.keyboard
        for number, least in enumerate((20, 6, 20, 9)):  # pictures, weights, layers, run
            if number:
                reader.page.locator(".nstlab-lab [role=tab][aria-selected=true]").focus()
                keyboard.press("ArrowRight")
                keyboard.press("Enter")
            assert len(reader.page.evaluate(CONTROLS)) >= least
            assert reader.out_of_reach() == []
        blank = reader.shown()
        reader.page.locator("button.jupyter-button", has_text="Start").first.focus()
        keyboard.press("Enter")
        reader.wait_for_another(blank)
