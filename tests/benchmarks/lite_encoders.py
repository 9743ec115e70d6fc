"""The encoders that are compared, and the shared files they and the pictures come from."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import cast

from torch import nn

from nstlab.distill.teachers import compressed_encoder
from nstlab.encoders import Encoder, Pooling, load_encoder
from nstlab.fitting import random_weights
from nstlab.runtime import files_for_tests

LABELS = {
    "real": "VGG-19",
    "compressed": "compressed VGG-19",
    "lite": "lite",
    "first": "first version",
    "random": "random weights",
}
STUDENTS = ("lite", "first", "random")
REAL_FILE = "vgg19_to_conv3_4.safetensors"  # so it ends at relu3_4 and pool3
COMPRESSED_FILE = "vgg19_compressed16x.safetensors"
FIRST_FILE = "lite_start.safetensors"


def shared_file(*parts: str) -> Path:
    """A file or folder of the shared ones.

    Args:
        *parts: folders and name below the folder that `NSTLAB_TEST_FILES` names.

    Returns:
        Its path.

    Raises:
        FileNotFoundError: it is not there.
    """
    folder = files_for_tests()
    if folder is None:
        raise FileNotFoundError(
            "this part needs weights and pictures that do not come with the package; set "
            "NSTLAB_TEST_FILES to the folder that holds them"
        )
    path = folder.joinpath(*parts)
    if not path.exists():
        raise FileNotFoundError(f"no {'/'.join(parts)!r} in the folder of NSTLAB_TEST_FILES")
    return path


def load_lite(file: Path | None, pooling: Pooling) -> Encoder:
    """The encoder to judge: a candidate's file, or the bundled one where None."""
    return load_encoder(file or "lite", pooling=pooling)


def load_others(names: Sequence[str], lite: Encoder) -> dict[str, Encoder]:
    """Encoders by name, in the order asked for.

    Args:
        names: out of `LABELS`.
        lite: the one to judge, which gives the random one its numbers of channels and pooling.

    Returns:
        Name to encoder, on the CPU.

    Raises:
        FileNotFoundError: a shared file is missing.
        WeightsError: a file that does not fit.
    """
    return {name: _load(name, lite) for name in names}


def _load(name: str, lite: Encoder) -> Encoder:
    match name:
        case "lite":
            return lite
        case "real":
            return load_encoder(shared_file("weights", REAL_FILE))
        case "compressed":
            return compressed_encoder(shared_file("weights", COMPRESSED_FILE))
        case "first":
            return load_encoder(shared_file("weights", FIRST_FILE))
        case "random":
            widths = tuple(lite.channels(f"conv{block}_1") for block in range(1, 6))
            weights = random_weights("lite", seed=0, widths=widths)
            pooling = cast(Pooling, lite.pooling)
            return Encoder("lite", weights, pooling=pooling, weights_name="random-0")
    raise ValueError(f"no encoder {name!r}; there is: {', '.join(LABELS)}")


def fingerprint(encoder: Encoder) -> str:
    """Twelve hexadecimal digits that tell weights apart: of the file, or of random numbers."""
    if encoder.weights_sha256 is not None:
        return encoder.weights_sha256[:12]
    digest = hashlib.sha256()
    for module in encoder.children():
        if isinstance(module, nn.Conv2d):
            digest.update(module.weight.detach().contiguous().cpu().numpy().tobytes())
    return digest.hexdigest()[:12]
