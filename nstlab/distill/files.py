"""The files of a training: the student's weights, and its record beside them."""

import json
import os
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import save_file

from nstlab.distill.lessons import Distilled
from nstlab.encoders import DEVIATION, MEAN
from nstlab.weights import WeightsError, new_file

SUFFIX = ".safetensors"
PREPROCESS = (  # for readers other than `Encoder`
    f"RGB in [0,1]; subtract {','.join(map(str, MEAN))}; divide by {','.join(map(str, DEVIATION))}"
)
LARGEST = torch.finfo(torch.float16).max


def check_student_path(path: str | Path, *, overwrite: bool = False) -> None:
    """Find out before a training whether its files can be written.

    Args:
        path: the weight file to be; the record goes beside it, with `.json`.
        overwrite: whether files that are there may be replaced.

    Raises:
        WeightsError: another kind of file, no such folder, or a file that is there.
    """
    path = Path(path)
    if path.suffix != SUFFIX:
        raise WeightsError(f"{path.name!r} does not end in {SUFFIX}, as students are saved")
    if not path.parent.is_dir():
        raise WeightsError(f"there is no folder {str(path.parent)!r} to save {path.name!r} in")
    for file in (path, path.with_suffix(".json")):
        if file.exists() and not overwrite:
            raise WeightsError(f"{str(file)!r} is there already; save under another name")
    if not os.access(path.parent, os.W_OK):
        raise WeightsError(f"nothing can be written in the folder {str(path.parent)!r}")


def save_student(result: Distilled, path: str | Path) -> tuple[Path, Path]:
    """Save the encoder that came of a training, and the training's record.

    Weights are rounded to half precision, which halves the file and changes features by about one
    part in a thousand.

    Args:
        result: what `distill` returned.
        path: a `.safetensors` file; the record goes beside it as JSON. Both are replaced.

    Returns:
        The two files. `load_encoder` reads the first.

    Raises:
        WeightsError: weights too large for half precision, or a file that cannot be written.
    """
    path = Path(path)
    check_student_path(path, overwrite=True)
    weights = result.encoder.state_dict()
    if not all(tensor.abs().max() < LARGEST for tensor in weights.values()):
        raise WeightsError("some weights are too large for half precision, or not finite")
    halves = {name: tensor.half().contiguous() for name, tensor in weights.items()}
    record = path.with_suffix(".json")
    try:
        with new_file(path.parent, SUFFIX) as part:
            save_file(halves, part, {"preprocess": PREPROCESS})
            os.replace(part, path)
        with new_file(path.parent, ".json") as part:
            part.write_text(json.dumps(result.record, indent=1) + "\n", encoding="utf-8")
            os.replace(part, record)
    except (OSError, SafetensorError) as error:
        reason = getattr(error, "strerror", None) or error  # the whole text would hold the path
        raise WeightsError(f"cannot write {path.name!r} with its record: {reason}") from error
    return path, record
