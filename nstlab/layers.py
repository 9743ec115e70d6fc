"""The layers of every network by their paper names, and the arithmetic of sizes along them.

VGG's layers are `conv{block}_{i}`, `bn{block}_{i}`, `relu{block}_{i}` and `pool{block}`. AlexNet's
are `conv1` ... `conv5`, `relu1` ... `relu5`, and `pool1`, `pool2`, `pool5`, each named after the
layers it follows. The place of a layer in its table is its index in torchvision's `features`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from nstlab.words import did_you_mean

CONVOLUTIONS = {  # in each block
    "lite": (2, 2, 4, 4, 1),
    "vgg11": (1, 1, 2, 2, 2),
    "vgg13": (2, 2, 2, 2, 2),
    "vgg16": (2, 2, 3, 3, 3),
    "vgg19": (2, 2, 4, 4, 4),
}
VGG_WIDTHS = (64, 128, 256, 512, 512)
LITE_WIDTHS = (32, 64, 128, 192, 192)
ALEXNET_WIDTHS = (64, 192, 384, 256, 256)
NETWORKS = (
    *CONVOLUTIONS,
    *(f"{name}_bn" for name in CONVOLUTIONS if name != "lite"),
    "alexnet",
)


class WeightsError(RuntimeError):
    """Weights that cannot be found, fetched, read or used; the message says what to do."""


@dataclass(frozen=True)
class Layer:
    """One layer: its name and what it does to the size of what passes through."""

    name: str
    kind: Literal["conv", "bn", "relu", "pool"]
    channels: int  # that it puts out
    kernel: int = 1
    stride: int = 1
    padding: int = 0

    @property
    def learned(self) -> bool:
        """Whether the layer has weights."""
        return self.kind in ("conv", "bn")


def table(network: str, widths: Sequence[int] | None = None) -> tuple[Layer, ...]:
    """All layers of a network, in order; a layer's place is its index in torchvision's `features`.

    `lite` is VGG-19 up to `relu5_1`, with fewer channels.

    Args:
        network: one of `NETWORKS`.
        widths: channels of each block (VGG) or convolution (AlexNet) in place of the usual ones;
            five numbers.

    Returns:
        The layers.

    Raises:
        ValueError: no such network; the message gives the nearest name and all of them.

    Reference:
        Simonyan, Zisserman 2014, arXiv:1409.1556; Krizhevsky 2014, arXiv:1404.5997.

    Example:
        >>> [layer.name for layer in table("vgg19")[:6]]
        ['conv1_1', 'relu1_1', 'conv1_2', 'relu1_2', 'pool1', 'conv2_1']
    """
    if network not in NETWORKS:
        hint = did_you_mean(network, NETWORKS)
        raise ValueError(f"no network {network!r}{hint}; there are: {', '.join(NETWORKS)}")
    if network == "alexnet":
        return _alexnet(widths or ALEXNET_WIDTHS)
    base = network.removesuffix("_bn")
    usual = LITE_WIDTHS if base == "lite" else VGG_WIDTHS
    return _vgg(base, widths or usual, batch_norm=network.endswith("_bn"))


def _vgg(network: str, widths: Sequence[int], *, batch_norm: bool) -> tuple[Layer, ...]:
    layers = []
    for block, (count, width) in enumerate(zip(CONVOLUTIONS[network], widths, strict=True), 1):
        for i in range(1, count + 1):
            layers.append(Layer(f"conv{block}_{i}", "conv", width, kernel=3, padding=1))
            if batch_norm:
                layers.append(Layer(f"bn{block}_{i}", "bn", width))
            layers.append(Layer(f"relu{block}_{i}", "relu", width))
        layers.append(Layer(f"pool{block}", "pool", width, kernel=2, stride=2))
    return tuple(layers[:-1] if network == "lite" else layers)


def _alexnet(widths: Sequence[int]) -> tuple[Layer, ...]:
    kernels = ((11, 4, 2), (5, 1, 2), (3, 1, 1), (3, 1, 1), (3, 1, 1))
    layers = []
    for i, (width, (kernel, stride, padding)) in enumerate(zip(widths, kernels, strict=True), 1):
        layers.append(Layer(f"conv{i}", "conv", width, kernel, stride, padding))
        layers.append(Layer(f"relu{i}", "relu", width))
        if i in (1, 2, 5):
            layers.append(Layer(f"pool{i}", "pool", width, kernel=3, stride=2))
    return tuple(layers)


def encoder_names() -> tuple[str, ...]:
    """Names of all encoders: `lite`, `vgg11` to `vgg19`, the same with `_bn`, and `alexnet`."""
    return NETWORKS


def layer_names(network: str) -> tuple[str, ...]:
    """Names of all layers of a network in order; a name's place is its index in `features`.

    Args:
        network: one of `encoder_names()`.

    Returns:
        From `conv1_1` (AlexNet: `conv1`) down.

    Raises:
        ValueError: no such network.
    """
    return tuple(layer.name for layer in table(network))


def layer_name(network: str, index: int) -> str:
    """The name of the layer at an index of torchvision's `features`.

    Args:
        network: one of `encoder_names()`; `lite` counts like VGG-19.
        index: 0 for the first layer.

    Returns:
        For example `relu3_3`.

    Raises:
        ValueError: no such network or index.

    Example:
        >>> layer_name("vgg16_bn", 22), layer_name("vgg19", 22)
        ('relu3_3', 'relu4_2')
    """
    names = layer_names(network)
    if not 0 <= index < len(names):
        raise ValueError(f"no layer {index} in {network}; its layers are 0 to {len(names) - 1}")
    return names[index]


def layer_index(network: str, name: str) -> int:
    """The index in torchvision's `features` of a named layer; undoes `layer_name`.

    Args:
        network: one of `encoder_names()`.
        name: for example `relu3_3`.

    Returns:
        0 for the first layer.

    Raises:
        ValueError: no such network or layer.
    """
    names = layer_names(network)
    if name not in names:
        hint = did_you_mean(name, names)
        raise ValueError(f"no layer {name!r}{hint} in {network}; it has: {', '.join(names)}")
    return names.index(name)


def total_stride(layers: Sequence[Layer]) -> int:
    """Distance in the picture, in pixels, between two neighbouring outputs of the last layer.

    Args:
        layers: those from the picture down to the layer in question.

    Returns:
        The product of all strides.
    """
    product = 1
    for layer in layers:
        product *= layer.stride
    return product


def field_of_view(layers: Sequence[Layer]) -> int:
    """Side, in pixels, of the square of the picture that one output of the last layer depends on.

    Each layer adds (kernel - 1) times the stride reached before it.

    Args:
        layers: those from the picture down to the layer in question.

    Returns:
        Side of the receptive field.
    """
    side, step = 1, 1
    for layer in layers:
        side += (layer.kernel - 1) * step
        step *= layer.stride
    return side


def smallest_input(layers: Sequence[Layer], *, mirrored: bool = False) -> int:
    """Shortest side, in pixels, of a picture for which the last layer still puts something out.

    Args:
        layers: those from the picture down to the layer in question.
        mirrored: whether padding mirrors at the edge, which takes more pixels than are added.

    Returns:
        Side in pixels, at least 1.
    """
    side = 1
    for layer in reversed(layers):
        least = layer.padding + 1 if mirrored else 1
        side = max(least, (side - 1) * layer.stride + layer.kernel - 2 * layer.padding)
    return side
