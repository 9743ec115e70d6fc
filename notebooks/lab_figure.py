"""The picture of the lab for readers without a kernel: `python notebooks/lab_figure.py`, a minute.

It opens notebook 14 in a real JupyterLab with a headless Chromium, as the tests do (it needs
`pip install -e ".[test,browser]"` and Chromium), starts a run, raises the style weight, and keeps
what is to be seen.
"""

import sys
import tempfile
from pathlib import Path

FOLDER = Path(__file__).parent
sys.path.insert(0, str(FOLDER.parent / "tests"))

from lab_driver import reading  # noqa: E402


def main() -> None:
    """Write `figures/14_lab.jpg`."""
    with (
        tempfile.TemporaryDirectory() as scratch,
        reading(FOLDER / "14_the_lab.ipynb", Path(scratch)) as reader,
    ):
        reader.run_all()
        blank = reader.shown()
        reader.press("Start")
        reader.wait_for_another(blank)
        reader.turn_to("weights")
        reader.page.wait_for_timeout(5000)
        reader.drag("style weight", 40)
        reader.page.wait_for_timeout(9000)
        top = reader.page.locator(".nstlab-lab > *").first
        top.screenshot(path=FOLDER / "figures" / "14_lab.jpg", type="jpeg", quality=88)
        reader.press("Stop")


if __name__ == "__main__":
    main()
