"""The run of a record once more, and in what the machine differs."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from nstlab.encoders import Encoder
from nstlab.rerun.finding import find_encoder, find_pictures
from nstlab.rerun.recipe import read_recipe
from nstlab.runs import OnStep, Run, Step, read_record
from nstlab.stock import PictureSource
from nstlab.task import Options
from nstlab.transfer import invert, stylize, synthesize_texture


def rerun(
    path: str | Path,
    *,
    pictures: Sequence[PictureSource] = (),
    encoder: Encoder | str | Path | None = None,
    device: str | torch.device | None = None,
    on_step: OnStep | None = None,
    frame_every: int = 0,
) -> Run:
    """Make a saved picture again; the same bits on the same device with the same versions.

    Each picture that went into it is found by its name (in the catalogue, beside the file, in the
    current folder) or among `pictures`, and taken only if its SHA-256 is the recorded one. So are
    the encoder's weights. A run that was interrupted or stopped is made again up to that step.

    Args:
        path: a PNG or JPEG that `Run.save` wrote.
        pictures: those that went in and cannot be found by name, in any order: files that were
            moved or renamed, addresses, PIL images, tensors.
        encoder: the encoder, or its weight file, where it cannot be found by name.
        device: `cuda`, `mps`, `cpu`; None for the fastest there is.
        on_step: see `minimize`.
        frame_every: see `minimize`.

    Returns:
        The run; compare with the old one by `differs`.

    Raises:
        RecordError: no record in the file, or a picture or weights that are missing or others.
        PictureError, WeightsError: something cannot be read.
    """
    recipe = read_recipe(read_record(path), Path(path).name)
    folders = list(dict.fromkeys([Path(path).expanduser().resolve().parent, Path.cwd()]))
    found = find_pictures(recipe.pictures, pictures, folders)
    options: Options = {
        "start_picture": found.get("start", [None])[0],
        "encoder": find_encoder(recipe, encoder, folders),
        "device": device,
        "on_step": on_step if recipe.until is None else _stop_at(recipe.until, on_step),
        "frame_every": frame_every,
    }
    if recipe.task == "invert":
        return invert(found["content"][0], recipe.settings, **options)
    if recipe.task == "texture":
        return synthesize_texture(found["style"], recipe.settings, **options)
    return stylize(found["content"][0], found["style"], recipe.settings, **options)


def differs(run: Run, record: Mapping[str, Any]) -> str:
    """In what the machine of a run differs from that of a record, on which the last bits depend.

    Args:
        run: the new run.
        record: the old one's, from `read_record`.

    Returns:
        One sentence; empty where versions, device and number of threads agree.
    """
    before, now = record.get("machine", {}), run.machine
    changed = [
        f"{name.replace('_', ' ')} was {before.get(name)}, is {now.get(name)}"
        for name in dict.fromkeys([*before, *now])
        if before.get(name) != now.get(name)
    ]
    return f"the last bits may differ: {'; '.join(changed)}" if changed else ""


def _stop_at(step: int, on_step: OnStep | None) -> OnStep:
    def watch(told: Step) -> None:
        if on_step is not None:
            on_step(told)
        if told.step >= step:
            raise StopIteration

    return watch
