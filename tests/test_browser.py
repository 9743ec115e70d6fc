"""The sliders of the notebooks in a real JupyterLab."""

from pathlib import Path

import pytest
from lab_driver import find_browser, reading

pytest.importorskip("playwright", reason="needs playwright: pip install playwright")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif(find_browser() is None, reason="no Chromium on this machine"),
]
NOTEBOOKS = Path(__file__).parent.parent / "notebooks"
SLIDERS = {  # by notebook, a key for a control
    "03_the_gram_matrix": {"neighbour": "ArrowLeft"},
    "07_watching_it_happen": {"step": "ArrowLeft"},
    "11_many_paintings": {"woodblock": "ArrowRight"},
}
PRESENT = [name for name in SLIDERS if (NOTEBOOKS / f"{name}.ipynb").exists()]


@pytest.mark.parametrize("name", PRESENT)
def test_a_moved_control_changes_the_picture(name: str, tmp_path: Path) -> None:
    with reading(NOTEBOOKS / f"{name}.ipynb", tmp_path) as reader:
        reader.run_all()
        before = reader.shown()
        for label, key in SLIDERS[name].items():
            control = reader.control(label)
            control.scroll_into_view_if_needed()
            control.press(key)
            before = reader.wait_for_another(before)
