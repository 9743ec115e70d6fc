"""Teachers: networks whose features a student learns, each by the names of its layers."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol, runtime_checkable

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from nstlab.encoders import DEVIATION, MEAN, Encoder, load_encoder
from nstlab.hooks import unknown_layer
from nstlab.weights import FILE_TYPES, WeightsError, read_weights, weights_origin


@runtime_checkable
class Teacher(Protocol):
    """What a student can learn from; every `Encoder` is one."""

    layers: tuple[str, ...]
    weights_name: str
    weights_sha256: str | None

    def __call__(self, image: Tensor, layers: Sequence[str]) -> dict[str, Tensor]:
        """Features of pictures (b, 3, h, w), RGB in [0, 1], at the named layers."""
        ...

    def channels(self, layer: str) -> int:
        """Number of channels of a layer."""
        ...


class Projected(nn.Module):
    """An encoder whose features pass through a 1×1 convolution and a ReLU for each layer.

    Attributes:
        encoder: the network inside.
        layers: names of the layers that have such a convolution.
        weights_name: the encoder's.
        weights_sha256: the encoder's.
    """

    def __init__(self, encoder: Encoder, heads: Mapping[str, tuple[Tensor, Tensor]]) -> None:
        """Take the network and its convolutions.

        Args:
            encoder: gives the features.
            heads: layer name to weight (channels, encoder's channels, 1, 1) and bias (channels,).
        """
        super().__init__()
        self.encoder, self.layers = encoder, tuple(heads)
        self.weights_name, self.weights_sha256 = encoder.weights_name, encoder.weights_sha256
        for name, (weight, bias) in heads.items():
            self.register_buffer(f"{name}_weight", weight)
            self.register_buffer(f"{name}_bias", bias)

    def forward(self, image: Tensor, layers: Sequence[str]) -> dict[str, Tensor]:
        """Projected features of pictures (b, 3, h, w), RGB in [0, 1], at the named layers."""
        for name in layers:
            self.channels(name)
        return {
            name: F.relu(
                F.conv2d(
                    features, self.get_buffer(f"{name}_weight"), self.get_buffer(f"{name}_bias")
                )
            )
            for name, features in self.encoder(image, layers).items()
        }

    def channels(self, layer: str) -> int:
        """Number of channels of a layer, after its convolution."""
        if layer not in self.layers:
            raise ValueError(unknown_layer(layer, self.layers))
        return len(self.get_buffer(f"{layer}_bias"))


def load_teacher(
    source: str | Path, *, device: str | torch.device | None = None
) -> Encoder | Projected:
    """A teacher by name or from a weight file.

    Args:
        source: a name of `encoder_names()`, or the path of a weight file: one that `load_encoder`
            reads, or a compressed VGG-19 (see `compressed_encoder`), whose layers `relu1_1` to
            `relu5_1` are then led to VGG-19's number of channels by the file's own convolutions.
        device: where to put it, the CPU if None.

    Returns:
        The teacher, frozen.

    Raises:
        WeightsError: weights that cannot be had, or that do not fit.
        ValueError: no such encoder.
    """
    path = Path(source)
    if path.name.endswith(FILE_TYPES):
        state = read_weights(path)
        if "conv0.weight" in state:
            heads = {
                f"relu{key[4]}_1": (tensor.float(), _part(state, key.replace(".weight", ".bias")))
                for key, tensor in sorted(state.items())
                if key.endswith("_aux.weight")
            }
            return Projected(_compressed(path, state), heads).to(device or "cpu")
    return load_encoder(source, device=device)


def compressed_encoder(path: str | Path) -> Encoder:
    """The compressed VGG-19 of Wang et al. as an encoder: VGG-19's layers with fewer channels.

    The file's first layer, a 1×1 convolution on RGB in [0, 1], is folded into `conv1_1`, which is
    exact since the network pads by reflection.

    Args:
        path: weights with keys `conv0.weight`, `conv11.weight` ... `conv51.weight`.

    Returns:
        An encoder with the layers `conv1_1` to `relu5_1`.

    Raises:
        WeightsError: the file is not of that kind.

    Reference:
        Wang et al. 2020, "Collaborative Distillation for Ultra-Resolution Universal Style
        Transfer", CVPR.
    """
    return _compressed(Path(path), read_weights(path))


def _compressed(path: Path, state: Mapping[str, Tensor]) -> Encoder:
    first, shift = _part(state, "conv0.weight")[:, :, 0, 0], _part(state, "conv0.bias")
    named = {
        f"conv{key[4:5]}_{key[5:]}": tensor
        for key, tensor in state.items()
        if not key.startswith("conv0.") and "_aux." not in key
    }
    deviation, mean = torch.tensor(DEVIATION), torch.tensor(MEAN)
    kernel = _part(state, "conv11.weight")
    named["conv1_1.weight"] = _fold(kernel, first * deviation)
    moved = first @ mean + shift
    named["conv1_1.bias"] = _part(state, "conv11.bias") + kernel.sum(dim=(2, 3)) @ moved
    known_as, sha256 = weights_origin(path)
    return Encoder("lite", named, padding="reflect", weights_name=known_as, weights_sha256=sha256)


def _fold(
    kernel: Float[Tensor, "out middle k k"], before: Float[Tensor, "middle rgb"]
) -> Float[Tensor, "out rgb k k"]:
    return torch.einsum("omyx,mi->oiyx", kernel, before)


def _part(state: Mapping[str, Tensor], key: str) -> Tensor:
    if key not in state:
        raise WeightsError(f"a compressed VGG-19 needs {key!r}; found {', '.join(sorted(state))}")
    return state[key].float()
