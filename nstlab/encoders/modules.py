"""The modules of an encoder, which keep as little as they can for the way back."""

from collections.abc import Callable
from functools import partial
from typing import Literal

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.utils import skip_init
from torch.utils.checkpoint import checkpoint

from nstlab.layers import Layer
from nstlab.winograd import is_faster, winograd

Pooling = Literal["max", "average", "l2"]
Padding = Literal["zeros", "reflect"]


def make_module(layer: Layer, before: int, pooling: Pooling, padding: Padding) -> nn.Module:
    """The module of one layer; its weights are yet without numbers.

    Args:
        layer: its kind, channels, kernel, stride and padding.
        before: number of channels that come in.
        pooling: what is done where the network pools.
        padding: what convolutions see outside of the picture.

    Returns:
        A module, which does not work in place.
    """
    if layer.kind == "conv":
        # Made without numbers, so that torch's own random generator is left alone.
        shape = (before, layer.channels, layer.kernel, layer.stride, layer.padding)
        return skip_init(Convolution, *shape, padding_mode=padding)
    if layer.kind == "bn":
        return nn.BatchNorm2d(layer.channels)
    if layer.kind == "relu":
        return nn.ReLU()
    pool = {"max": MaxPool, "average": nn.AvgPool2d, "l2": L2Pool}[pooling]
    return pool(layer.kernel, layer.stride)


class Convolution(nn.Conv2d):
    """A convolution that takes Winograd's way where it may and where that is the faster one.

    It may on processors in float32, with frozen weights.
    """

    def forward(self, input: Float[Tensor, "b c h w"]) -> Float[Tensor, "b k i j"]:
        """Convolve."""
        positions = input.shape[0] * input.shape[2] * input.shape[3]
        if _is_single(input) and _is_single(self.weight) and self.takes_winograd(positions):
            return winograd(input, self.weight, self.bias)
        return super().forward(input)

    def takes_winograd(self, positions: int) -> bool:
        """Whether it goes that way, on a processor in float32.

        Args:
            positions: of all pictures of the batch.

        Returns:
            False too where its shape does not allow it or its weights are learning.
        """
        shape = (*self.kernel_size, *self.stride, *self.padding, self.padding_mode)
        usual = shape == (3, 3, 1, 1, 1, 1, "zeros") and not self.weight.requires_grad
        return usual and is_faster(self.in_channels, self.out_channels, positions)


class MaxPool(nn.MaxPool2d):
    """The largest of each window.

    The places of the maxima, 64 bits each, are looked for again on the way back.
    """

    def forward(self, input: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c i j"]:
        """Pool."""
        return _twice(
            partial(F.max_pool2d, kernel_size=self.kernel_size, stride=self.stride), input
        )


class L2Pool(nn.Module):
    """Square root of the mean of squares in each window; the squares are made again going back."""

    def __init__(self, kernel: int, stride: int) -> None:
        super().__init__()
        self.kernel, self.stride = kernel, stride

    def forward(self, input: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c i j"]:
        """Pool; 1e-12 is added inside the root, whose gradient would be infinite at zero."""
        return _twice(self._pool, input)

    def _pool(self, features: Tensor) -> Tensor:
        return (F.avg_pool2d(features.square(), self.kernel, self.stride) + 1e-12).sqrt()


def _is_single(tensor: Tensor) -> bool:
    return tensor.dtype == torch.float32 and tensor.device.type == "cpu"


def _twice(function: Callable[[Tensor], Tensor], features: Tensor) -> Tensor:
    """Computed now, and again on the way back, so that nothing but `features` is kept for it."""
    if not (torch.is_grad_enabled() and features.requires_grad):
        return function(features)
    return checkpoint(function, features, use_reentrant=False, preserve_rng_state=False)
