"""Encoders by name, with their weights."""

from pathlib import Path

import torch

from nstlab.encoders.network import Encoder, Pooling
from nstlab.fitting import fit, random_weights, recognise
from nstlab.layers import NETWORKS
from nstlab.runtime import bundled_weights_folder, default_encoder
from nstlab.weights import FILE_TYPES, read_weights, torchvision_weights, weights_origin
from nstlab.words import did_you_mean


def load_encoder(
    name: str | Path | None = None,
    *,
    pooling: Pooling = "max",
    weights: str | Path | None = None,
    seed: int = 0,
    device: str | torch.device | None = None,
) -> Encoder:
    """An encoder with its weights, frozen and ready to use.

    The bundled `lite` needs nothing. The weights of the others are torchvision's and are fetched at
    the first use, unless `weights` names a file. A weight file may end early: the encoder has the
    layers that the file has.

    Args:
        name: one of `encoder_names()`, or the path of a weight file, whose network is then told
            from its keys and shapes. Where a short file fits several networks, the one with the
            most layers is taken (VGG-19 before VGG-16); their common layers are the same. None for
            the default (`lite`, or what `NSTLAB_ENCODER` says).
        pooling: `max`, `average` or `l2`; see `Encoder`.
        weights: path of a `.safetensors` file or a state dict (`.pth`); or `random` for normally
            distributed weights that keep the scale of the features (He et al. 2015).
        seed: of random weights.
        device: where to put the encoder, the CPU if None.

    Returns:
        The encoder.

    Raises:
        WeightsError: weights that cannot be had, or that do not fit.
        ValueError: no such encoder.

    Example:
        >>> encoder = load_encoder("lite")
        >>> features = encoder(torch.rand(1, 3, 64, 96), ["relu3_1"])
        >>> features["relu3_1"].shape
        torch.Size([1, 128, 16, 24])
    """
    name = name or default_encoder()
    if isinstance(name, Path) or name.endswith(FILE_TYPES):
        if weights is not None:
            raise ValueError(f"two weight files: {str(name)!r} and weights={str(weights)!r}")
        path, state = Path(name), read_weights(name)
        name = recognise(state)
    elif name not in NETWORKS:
        raise ValueError(
            f"no encoder {name!r}{did_you_mean(name, NETWORKS)}; there are: {', '.join(NETWORKS)}, "
            f"or the path of a weight file ({', '.join(FILE_TYPES)})"
        )
    elif weights == "random":
        path, state = None, random_weights(name, seed)
    else:
        path = _bundled_or_fetched(name) if weights is None else Path(weights)
        state = read_weights(path)
        fit(name, state, usual_widths=True)
    known_as, sha256 = weights_origin(path) if path else (f"random-{seed}", None)
    encoder = Encoder(name, state, pooling=pooling, weights_name=known_as, weights_sha256=sha256)
    return encoder.to(device or "cpu")


def _bundled_or_fetched(name: str) -> Path:
    if name == "lite":
        return bundled_weights_folder() / "lite.safetensors"
    return torchvision_weights(name)
