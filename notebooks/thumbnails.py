"""Small pictures of the notebooks for the README: `python notebooks/thumbnails.py`, seconds.

Each is cut out of the committed figure of the one cell that has the tag `thumbnail`.
"""

import base64
import json
from pathlib import Path

from nstlab import open_picture, save_picture, scale_to_cover

FOLDER = Path(__file__).parent
HEIGHT, WIDTH = 120, 180  # pixels


def tagged_figure(notebook: Path) -> bytes:
    """The picture that the cell tagged `thumbnail` shows.

    Args:
        notebook: an executed `.ipynb` file.

    Returns:
        A JPEG or PNG file.

    Raises:
        ValueError: not exactly one such cell, or no picture in it.
    """
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    tagged = [cell for cell in cells if "thumbnail" in cell["metadata"].get("tags", [])]
    if len(tagged) != 1:
        raise ValueError(f"{notebook.name} has {len(tagged)} cells tagged `thumbnail`; tag one")
    for output in tagged[0].get("outputs", []):
        for kind, data in output.get("data", {}).items():
            if kind.startswith("image/"):
                return base64.b64decode(data if isinstance(data, str) else "".join(data))
    raise ValueError(f"the cell tagged `thumbnail` in {notebook.name} shows no picture")


def main() -> None:
    """Write `figures/thumbnail_NN.jpg` for each notebook of the series."""
    for notebook in sorted(FOLDER.glob("*.ipynb")):
        picture = scale_to_cover(open_picture(tagged_figure(notebook)), HEIGHT, WIDTH)
        target = FOLDER / "figures" / f"thumbnail_{notebook.name[:2]}.jpg"
        save_picture(picture, target)
        print(target.name)


if __name__ == "__main__":
    main()
