"""Make the README's pictures: `python notebooks/readme_figures.py`, minutes on two cores."""

import argparse
from pathlib import Path

import torch

from nstlab import Run, Settings, load_encoder, load_picture, scale_to_cover, stylize
from nstlab.plots import show_pictures

FIGURES = Path(__file__).parent / "figures"
PHOTOGRAPHS = ("china", "astronaut", "chelsea")
STYLES = ("swirls_2", "woodblock_1", "stained_glass_1", "night_street_1")


def main() -> None:
    """Write `figures/first.jpg` and `figures/contact_sheet.jpg`, all with default settings."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=256, help="of the contact sheet's pictures, px")
    parser.add_argument("--only", choices=("first", "contact_sheet"))
    args = parser.parse_args()
    encoder = load_encoder("lite")

    def paint(photograph: str, style: str, settings: Settings) -> Run:
        run = stylize(photograph, style, settings, encoder=encoder)
        print(photograph, style, run.ended, f"{run.seconds:.0f} s", flush=True)
        return run

    def save(pictures: list, columns: int, name: str, width: float) -> None:
        figure = show_pictures(pictures, columns=columns, width=width)
        options = {"quality": 86, "optimize": True}
        figure.savefig(FIGURES / name, dpi=100, pil_kwargs=options)

    if args.only != "contact_sheet":
        size = Settings().size
        run = paint("china", "swirls_1", Settings())
        pictures = [load_picture("china", size), load_picture("swirls_1", size), run.image]
        save(pictures, 3, "first.jpg", 12)
    if args.only != "first":
        settings = Settings(size=args.size)
        cell = (args.size * 3 // 4, args.size)
        pictures = [torch.ones(1, 3, *cell), *(load_picture(style) for style in STYLES)]
        for photograph in PHOTOGRAPHS:
            pictures.append(load_picture(photograph))
            pictures += [paint(photograph, style, settings).image for style in STYLES]
        cropped = [scale_to_cover(picture, *cell) for picture in pictures]
        save(cropped, 1 + len(STYLES), "contact_sheet.jpg", 12)


if __name__ == "__main__":
    main()
