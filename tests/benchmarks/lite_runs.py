"""Runs that are kept as files, so that an interrupted benchmark goes on; pictures; sheets."""

import hashlib
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

from jaxtyping import Float
from lite_encoders import fingerprint, shared_file
from safetensors import safe_open
from safetensors.torch import save
from torch import Tensor

from nstlab import Encoder, Settings, invert, stylize
from nstlab.images import write_atomically
from nstlab.plots import show_pictures
from nstlab.samples import identify

SHARED_PHOTOGRAPHS = ("content/tubingen", "content/golden_gate", "natural_held_out/86016")
SHARED_PAINTINGS = tuple(
    f"style/{name}" for name in ("starry_night", "wave_crop", "the_scream", "vg_houses")
)
OWN_PHOTOGRAPHS = ("china", "chelsea", "astronaut")
OWN_STYLES = ("swirls_1", "woodblock_1", "pointillist_1", "stained_glass_1")
LARGEST_SHEET = 1_000_000  # bytes
SMALLEST_CELL = 220  # pixels
DPI = 100
ENDED_BY_ITSELF = ("finished", "converged", "stalled")


@dataclass(frozen=True)
class Kept:
    """What is kept of a run.

    Attributes:
        image: as it came out, floats that are not rounded to 8 bits; on the CPU.
        ended: see `Run`.
        seconds: time taken.
    """

    image: Float[Tensor, "1 3 h w"]
    ended: str
    seconds: float


@dataclass(frozen=True)
class Runs:
    """How the runs of one part are carried out.

    Attributes:
        folder: where finished runs are kept.
        size: longer side, pixels.
        steps: of each run; the evaluations are one more.
        device: None for the fastest there is.
    """

    folder: Path
    size: int
    steps: int
    device: str | None = None

    def settings(self, **changes: Any) -> Settings:
        """The default settings at this size and number of steps, with some changes."""
        return Settings(size=self.size, steps=self.steps, **changes)

    def run(
        self, encoder: Encoder, settings: Settings, content: str, style: str | None = None
    ) -> Kept:
        """`kept_run` with the encoder's own pooling."""
        own = settings.change(pooling=encoder.pooling)
        return kept_run(self.folder, encoder, own, content, style, self.device)


def sources(names: Sequence[str]) -> dict[str, str]:
    """Pictures by short name.

    Args:
        names: bundled names, or shared ones with their folder, such as `style/wave_crop`.

    Returns:
        `wave_crop` and so on to what `load_picture` takes.

    Raises:
        FileNotFoundError: a shared picture is missing.
    """
    return {
        name.rpartition("/")[2]: str(shared_file("images", f"{name}.jpg")) if "/" in name else name
        for name in names
    }


def kept_run(
    folder: Path,
    encoder: Encoder,
    settings: Settings,
    content: str,
    style: str | None = None,
    device: str | None = None,
) -> Kept:
    """A run out of its file, or carried out and written to it; a part of a run is gone on with.

    Args:
        folder: where runs are kept; the file's name holds the weights' SHA-256 and a hash of
            settings and pictures.
        encoder: the network to optimise with.
        settings: all the rest.
        content: the photograph.
        style: the painting; None to invert the photograph's features.
        device: None for the fastest there is.

    Returns:
        The run.

    Raises:
        KeyboardInterrupt: the run was interrupted; what there is of it is kept in a checkpoint.
        RuntimeError: the run failed.
    """
    path = _place(folder, encoder, settings, content, style)
    if path.is_file():
        with safe_open(path, "pt") as file:
            words = file.metadata()
            return Kept(file.get_tensor("image"), words["ended"], float(words["seconds"]))
    folder.mkdir(parents=True, exist_ok=True)
    checkpoint = path.with_suffix(".checkpoint")
    if style is None:
        run = invert(content, settings, encoder=encoder, device=device, checkpoint=checkpoint)
    else:
        run = stylize(
            content, style, settings, encoder=encoder, device=device, checkpoint=checkpoint
        )
    if run.ended == "interrupted":
        raise KeyboardInterrupt
    if run.ended not in ENDED_BY_ITSELF:
        raise RuntimeError(f"{path.stem} {run.ended}: {'; '.join(run.messages)}")
    image = run.image.cpu().contiguous()
    words = {"ended": run.ended, "seconds": f"{run.seconds:.2f}"}
    write_atomically(path, save({"image": image}, words))
    return Kept(image, run.ended, run.seconds)


def _place(
    folder: Path, encoder: Encoder, settings: Settings, content: str, style: str | None
) -> Path:
    pictures = [identify(each) for each in (content, style) if each is not None]
    whole = json.dumps([describe(settings), [each.sha256 for each in pictures]], sort_keys=True)
    names = "-".join(each.name.removesuffix(".jpg") for each in pictures)
    digest = hashlib.sha256(whole.encode()).hexdigest()[:8]
    return folder / f"{names}-{fingerprint(encoder)}-{digest}.safetensors"


def describe(settings: Settings) -> dict[str, Any]:
    """Settings as plain data, without the encoder, which is handed over beside them."""
    return {k: v for k, v in settings.as_data().items() if k not in ("encoder", "weights")}


def say(text: str) -> None:
    """Tell the user how far it is."""
    print(text, file=sys.stderr, flush=True)


def save_sheet(
    pictures: Sequence[Tensor], titles: Sequence[str], path: Path, *, columns: int, width: int
) -> None:
    """Write pictures side by side as a JPEG of at most a megabyte, as good as fits into that.

    Args:
        pictures: each (1, 3, h, w), RGB in [0, 1].
        titles: one for each.
        path: the file; replaced if it is there.
        columns: pictures in a row.
        width: of one picture in the sheet, pixels; small ones are enlarged so that titles fit.
    """
    inches = columns * max(width, SMALLEST_CELL) / DPI
    figure = show_pictures(pictures, titles, columns=columns, width=inches)
    quality, data = 98, b""
    while quality > 20 and not 0 < len(data) <= LARGEST_SHEET:
        quality -= 6
        file = BytesIO()
        options = {"quality": quality, "optimize": True}
        figure.savefig(file, format="jpeg", dpi=DPI, pil_kwargs=options)
        data = file.getvalue()
    write_atomically(path, data)


def markdown(rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table; the first row is its head."""
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join([lines[0], "|---" * len(rows[0]) + "|", *lines[1:]])
