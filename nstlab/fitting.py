"""Which weights belong to which layer, and which network a set of weights is of."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

import torch
from torch import Tensor

from nstlab.layers import NETWORKS, Layer, WeightsError, table
from nstlab.runtime import generator

PARTS = {"conv": ("weight", "bias"), "bn": ("weight", "bias", "running_mean", "running_var")}
IGNORED = re.compile(r"classifier\.|.*\.num_batches_tracked$")
KEY = re.compile(r"(?:(?:features\.)?(?P<index>\d+)|(?P<name>(?:conv|bn)\w+))\.(?P<part>\w+)")
# `lite` last, since it takes any number of channels.
DEEPEST_FIRST = sorted(NETWORKS, key=lambda name: (name == "lite", -len(table(name))))


def fit(
    network: str, weights: Mapping[str, Tensor], *, usual_widths: bool = False
) -> tuple[tuple[Layer, ...], dict[str, Tensor]]:
    """The layers of a network that there are weights for, and the weights by layer name.

    Args:
        network: its name.
        weights: key to tensor; keys as in torchvision (`features.0.weight`, or `0.weight`) or with
            layer names (`conv1_1.weight`). Those of `classifier` are left out.
        usual_widths: whether every layer must have the network's usual number of channels. `lite`
            may have any.

    Returns:
        The layers from the picture down, with the channels that the weights have; and
        `conv1_1.weight` and so on to float32 tensors.

    Raises:
        WeightsError: an unknown key, a wrong shape, a missing part, or a gap; the message says what
            was found and what is expected.
    """
    layers = table(network)
    named = {name: tensor.float() for name, tensor in _by_name(network, layers, weights).items()}
    fitted, before = [], 3
    for layer in layers:
        if layer.learned:
            if not any(f"{layer.name}.{part}" in named for part in PARTS[layer.kind]):
                break
            strict = usual_widths and network != "lite"
            before = _check(network, layer, named, before, layer.channels if strict else None)
        fitted.append(replace(layer, channels=before))
    there = {layer.name for layer in fitted}
    if not any(layer.learned for layer in fitted) or any(
        key.rsplit(".", 1)[0] not in there for key in named
    ):
        raise WeightsError(
            f"the weights are not the first layers of {network}: {layers[len(fitted)].name} is "
            f"missing; found {_some(weights)}"
        )
    return tuple(fitted), named


def recognise(weights: Mapping[str, Tensor]) -> str:
    """The network that weights are of, told from their keys and shapes.

    Where they end so early that they fit several networks, the one with the most layers is taken;
    the layers that the weights have are the same in all of them. Weights of VGG-19's layout with
    other numbers of channels, down to `conv5_1` at most, count as `lite`.

    Args:
        weights: key to tensor, as for `fit`.

    Returns:
        A name out of `layers.NETWORKS`.

    Raises:
        WeightsError: they fit none.
    """
    for network in DEEPEST_FIRST:
        try:
            fit(network, weights, usual_widths=True)
        except WeightsError:
            continue
        return network
    raise WeightsError(
        f"the weights fit none of {', '.join(NETWORKS)}; found {_some(weights)}; expected "
        "'features.0.weight' or 'conv1_1.weight' and so on with the network's shapes (name the "
        "network, load_encoder('vgg19', weights=PATH), to be told what does not fit)"
    )


def random_weights(
    network: str, seed: int, widths: Sequence[int] | None = None
) -> dict[str, Tensor]:
    """Normally distributed weights that keep the scale of the features from layer to layer.

    Standard deviation √(2 / inputs) of each convolution, biases zero; batch norms do nothing.

    Args:
        network: its name.
        seed: of the random numbers.
        widths: see `layers.table`.

    Returns:
        `conv1_1.weight` and so on to float32 tensors, the same on every machine.

    Reference:
        He et al. 2015, arXiv:1502.01852.
    """
    random, before = generator(seed), 3
    weights = {}
    for layer in table(network, widths):
        if layer.kind == "conv":
            shape = (layer.channels, before, layer.kernel, layer.kernel)
            deviation = (2 / (before * layer.kernel**2)) ** 0.5
            weights[f"{layer.name}.weight"] = torch.randn(shape, generator=random) * deviation
            weights[f"{layer.name}.bias"] = torch.zeros(layer.channels)
            before = layer.channels
        elif layer.kind == "bn":
            for part in PARTS["bn"]:
                value = 1.0 if part in ("weight", "running_var") else 0.0
                weights[f"{layer.name}.{part}"] = torch.full((layer.channels,), value)
    return weights


def _by_name(
    network: str, layers: Sequence[Layer], weights: Mapping[str, Tensor]
) -> dict[str, Tensor]:
    learned = {layer.name: layer.kind for layer in layers if layer.learned}
    named = {}
    for key, tensor in weights.items():
        if IGNORED.match(key):
            continue
        match = KEY.fullmatch(key)
        name = match and match["name"]
        if match and match["index"] and int(match["index"]) < len(layers):
            name = layers[int(match["index"])].name
        if not match or name not in learned or match["part"] not in PARTS[learned[name]]:
            raise WeightsError(
                f"{network} has no place for {key!r}; expected keys such as 'features.0.weight' or "
                f"'{layers[0].name}.weight'; found {_some(weights)}"
            )
        named[f"{name}.{match['part']}"] = tensor
    return named


def _check(
    network: str, layer: Layer, named: Mapping[str, Tensor], before: int, width: int | None
) -> int:
    """Compare one layer's shapes with what is expected; returns the channels it puts out."""
    missing = [part for part in PARTS[layer.kind] if f"{layer.name}.{part}" not in named]
    if missing:
        raise WeightsError(f"{network} needs {layer.name}.{missing[0]}, which the weights lack")
    found = tuple(named[f"{layer.name}.weight"].shape)
    channels = before if layer.kind == "bn" else (width or (found[0] if found else 0))
    kernel = (before, layer.kernel, layer.kernel) if layer.kind == "conv" else ()
    for part in PARTS[layer.kind]:
        tensor = named[f"{layer.name}.{part}"]
        expected = (channels, *(kernel if part == "weight" else ()))
        if tuple(tensor.shape) != expected:
            raise WeightsError(
                f"{layer.name}.{part} has the shape {tuple(tensor.shape)}; {network} expects "
                f"{expected} there"
            )
        if not tensor.isfinite().all():
            raise WeightsError(f"{layer.name}.{part} holds numbers that are not finite")
    return channels


def _some(weights: Mapping[str, Tensor]) -> str:
    shown = [f"{key} {tuple(tensor.shape)}" for key, tensor in list(weights.items())[:3]]
    return f"{len(weights)} tensors: {', '.join(shown)}{', ...' if len(weights) > 3 else ''}"
