"""A network that turns a picture into features, layer by layer."""

import copy
from collections.abc import Iterator, Mapping, Sequence
from typing import get_args

import torch
from jaxtyping import Float
from torch import Tensor, nn

from nstlab.encoders.modules import Padding, Pooling, make_module
from nstlab.fitting import fit
from nstlab.hooks import unknown_layer
from nstlab.idle import free_idle_memory
from nstlab.layers import Layer, field_of_view, smallest_input, total_stride

MEAN = (0.485, 0.456, 0.406)  # of ImageNet's pictures, RGB in [0, 1]
DEVIATION = (0.229, 0.224, 0.225)
LARGE = 1 << 24  # bytes after the first pool, from which on idle memory is given back


class Encoder(nn.Module):
    """A frozen network whose layers have the names of the papers and can each be read.

    Each layer is a child module of that name, so that `hooks.record(encoder, ["conv1_1"])` works.
    No ReLU works in place. The encoder takes pictures as they are, RGB in [0, 1], and subtracts
    ImageNet's mean and divides by its standard deviation itself.

    Attributes:
        name: the network, one of `encoder_names()`.
        layers: names of the layers that there are weights for, from the picture down.
        pooling: `max`, `average` or `l2`.
        padding: `zeros` or `reflect`.
        precision: of the convolutions, `float32` (that of the weights), `tf32` or `bfloat16`.
        weights_name: file name of the weights, or `random-SEED`.
        weights_sha256: of the weight file (for torchvision's: of the full file as published), or
            None for random weights.
    """

    def __init__(
        self,
        name: str,
        weights: Mapping[str, Tensor],
        *,
        pooling: Pooling = "max",
        padding: Padding = "zeros",
        weights_name: str = "",
        weights_sha256: str | None = None,
    ) -> None:
        """Build the network down to the last layer that `weights` has.

        Args:
            name: the network's name, which gives the order of the layers; the number of channels
                is the weights' own.
            weights: key to tensor, with torchvision's keys (`features.0.weight`; others such as
                `classifier.0.weight` are left out) or layer names (`conv1_1.weight`).
            pooling: what is done where the network pools: the maximum, the plain average (nothing
                rescaled, so that features shrink a little at each pool), or the root mean square.
            padding: what convolutions see outside of the picture: `zeros` as VGG was trained, or
                the picture mirrored at its edge (`reflect`).
            weights_name: see the attributes.
            weights_sha256: see the attributes.

        Raises:
            WeightsError: keys or shapes that do not make the first layers of this network.
            ValueError: no such network or pooling.
        """
        super().__init__()
        if pooling not in get_args(Pooling):
            raise ValueError(f"unknown pooling {pooling!r}; it can be 'max', 'average' or 'l2'")
        self.name, self.pooling, self.padding = name, pooling, padding
        self.precision = "float32"
        self.weights_name, self.weights_sha256 = weights_name, weights_sha256
        self._table, named = fit(name, weights)
        self.layers = tuple(layer.name for layer in self._table)
        channels = (3, *(layer.channels for layer in self._table))
        for layer, before in zip(self._table, channels, strict=False):
            self.add_module(layer.name, make_module(layer, before, pooling, padding))
        self.load_state_dict(named, strict=False)  # not strict: batch norms' counters are not kept
        for buffer, values in (("mean", MEAN), ("deviation", DEVIATION)):
            self.register_buffer(buffer, torch.tensor(values).view(1, 3, 1, 1), persistent=False)
        self.eval().requires_grad_(False).to(memory_format=torch.channels_last)

    def forward(self, image: Tensor, layers: Sequence[str]) -> dict[str, Tensor]:
        """Features of a batch of pictures at the named layers; runs down to the deepest of them.

        Args:
            image: (b, 3, h, w), RGB in [0, 1], of the encoder's precision and on its device.
            layers: names out of `encoder.layers`.

        Returns:
            Layer name to features (b, channels, height, width), in the order of `layers`.

        Raises:
            ValueError: an unknown layer, or a picture of a wrong shape, kind or size.
            TypeError: a string in place of a list of names.
        """
        found = dict(self.walk(image, layers))
        return {name: found[name] for name in layers}

    def walk(self, image: Tensor, layers: Sequence[str]) -> Iterator[tuple[str, Tensor]]:
        """The same features one after the other, each as soon as it is there.

        What is computed from a layer before the next one is asked for has its way back just when
        the gradient comes to that layer; so no gradient is held before it is needed.

        Args:
            image: as in `forward`.
            layers: as in `forward`.

        Returns:
            An iterator over the layers' names and features, from the picture down.

        Raises:
            ValueError, TypeError: as in `forward`.
        """
        self.check_layers(layers)
        if not layers:
            raise ValueError(f"no layer asked for; this network has: {', '.join(self.layers)}")
        deepest = max(self._place(name) for name in layers)
        self._check(image, self.layers[deepest])
        return self._walk(image, layers, deepest)

    def _walk(
        self, image: Tensor, layers: Sequence[str], deepest: int
    ) -> Iterator[tuple[str, Tensor]]:
        features = self._normalise(image).contiguous(memory_format=torch.channels_last)
        if self.precision == "bfloat16":
            features = features.bfloat16()
        for name in self.layers[: deepest + 1]:
            features = self.get_submodule(name)(features)
            large = name == "pool1" and features.nbytes > LARGE
            if large and features.requires_grad and features.device.type == "cpu":
                # before the way back through the largest layers, after that through all others
                features.register_hook(lambda _: free_idle_memory())
            if name in layers:
                yield name, features

    def computing_in(self, precision: str) -> "Encoder":
        """The same network with its convolutions in another precision.

        It takes pictures of the same type as before and normalises them before they are rounded;
        features come out in bfloat16 where it computes in bfloat16.

        Args:
            precision: `float32` for that of the weights, `tf32` (see `runtime.convolutions`), or
                `bfloat16`.

        Returns:
            This encoder if it computes so already, else a copy; an encoder whose weights are not
            of float32 is always left as it is.

        Raises:
            ValueError: another precision of an encoder whose weights were rounded to bfloat16.
        """
        weights = self.get_buffer("mean").dtype
        if precision == self.precision or weights != torch.float32:
            return self
        if self.precision == "bfloat16":
            raise ValueError(
                f"the weights of this encoder were rounded to bfloat16; for {precision} start from "
                "the encoder as it was loaded"
            )
        rounded = precision == "bfloat16"
        copied = copy.deepcopy(self) if rounded else copy.copy(self)
        copied.precision = precision
        if rounded:
            for layer in copied.children():
                layer.to(torch.bfloat16)
        return copied

    def check_layers(self, layers: Sequence[str]) -> None:
        """Raise what `forward` would raise about these layers, before anything is computed.

        Args:
            layers: names out of `encoder.layers`.

        Raises:
            ValueError: one that the encoder does not have; the message lists all it has.
            TypeError: a string in place of a list of names.
        """
        if isinstance(layers, str):
            raise TypeError(f"layers is a list of names; for one layer write [{layers!r}]")
        for name in layers:
            self._place(name)

    def channels(self, layer: str) -> int:
        """Number of channels that a layer puts out."""
        return self._table[self._place(layer)].channels

    def stride(self, layer: str) -> int:
        """Distance in the picture, in pixels, between two neighbouring positions of a layer."""
        return total_stride(self._down_to(layer))

    def receptive_field(self, layer: str) -> int:
        """Side in pixels of the square of the picture that one position of a layer sees."""
        return field_of_view(self._down_to(layer))

    def smallest_side(self, layer: str) -> int:
        """Shortest side in pixels that a picture needs to reach a layer."""
        return smallest_input(self._down_to(layer), mirrored=self.padding == "reflect")

    def _place(self, layer: str) -> int:
        if layer not in self.layers:
            raise ValueError(unknown_layer(layer, self.layers))
        return self.layers.index(layer)

    def _down_to(self, layer: str) -> tuple[Layer, ...]:
        return self._table[: self._place(layer) + 1]

    def _normalise(self, image: Float[Tensor, "b 3 h w"]) -> Float[Tensor, "b 3 h w"]:
        return (image - self.get_buffer("mean")) / self.get_buffer("deviation")

    def _check(self, image: Tensor, deepest: str) -> None:
        if image.ndim != 4 or image.shape[1] != 3:
            raise ValueError(
                f"expected an RGB batch (b, 3, h, w), got shape {tuple(image.shape)}; "
                "for one picture use image.unsqueeze(0)"
            )
        mean = self.get_buffer("mean")
        if (image.dtype, image.device) != (mean.dtype, mean.device):
            raise ValueError(
                f"the picture is {image.dtype} on {image.device}, the encoder {mean.dtype} on "
                f"{mean.device}; convert one of them with .to(...)"
            )
        height, width = image.shape[2:]
        needed = self.smallest_side(deepest)
        if min(height, width) < needed:
            raise ValueError(
                f"a picture of {height} x {width} px is too small for layer {deepest!r}, which "
                f"needs at least {needed} px on each side; enlarge it or ask for an earlier layer"
            )
