"""The modules of an encoder, which keep as little as they can for the way back."""

from collections.abc import Callable
from functools import partial
from typing import Any, Literal

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.utils import skip_init

from nstlab.layers import Layer
from nstlab.winograd import is_faster, winograd

Pooling = Literal["max", "average", "l2"]
Padding = Literal["zeros", "reflect"]
SMALL = 1 << 15  # positions times channels, below which oneDNN's order of summing is the batch's


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

    It may on processors in float32, with frozen weights. There a picture also gets the same bits
    in whatever batch it is: L-BFGS would make more and more of a difference in the last ones.
    """

    def forward(self, input: Tensor) -> Tensor:
        """Convolve (b, c, h, w) to (b, k, i, j)."""
        if input.ndim == 4 and _is_plain(input) and _is_plain(self.weight):
            batch, _, height, width = input.shape
            if self.takes_winograd(height * width):
                return winograd(input, self.weight, self.bias)
            numbers = height * width * min(self.in_channels, self.out_channels)
            if batch > 1 and numbers < SMALL and self._is_frozen():
                convolve = super().forward
                return torch.cat([convolve(each) for each in input.split(1)])
        return super().forward(input)

    def takes_winograd(self, positions: int) -> bool:
        """Whether it goes that way, on a processor in float32.

        Args:
            positions: of one picture.

        Returns:
            False too where its shape does not allow it or it is learning.
        """
        shape = (*self.kernel_size, *self.stride, *self.padding, *self.dilation)
        usual = (*shape, self.padding_mode, self.groups) == (3, 3, 1, 1, 1, 1, 1, 1, "zeros", 1)
        allowed = usual and self._is_frozen()
        return allowed and is_faster(self.in_channels, self.out_channels, positions)

    def _is_frozen(self) -> bool:
        return not any(each.requires_grad for each in self.parameters())


class MaxPool(nn.MaxPool2d):
    """The largest of each window.

    The places of the maxima, 64 bits each, are looked for again on the way back.
    """

    def forward(self, input: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c i j"]:
        """Pool."""
        options = ("kernel_size", "stride", "padding", "dilation", "ceil_mode")
        given = {name: getattr(self, name) for name in options}
        return _Again.apply(input, partial(F.max_pool2d, **given))


class L2Pool(nn.Module):
    """Square root of the mean of squares in each window; the squares are made again going back."""

    def __init__(self, kernel: int, stride: int) -> None:
        super().__init__()
        self.kernel, self.stride = kernel, stride

    def forward(self, input: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c i j"]:
        """Pool; 1e-12 is added inside the root, whose gradient would be infinite at zero."""
        return _Again.apply(input, self._pool)

    def _pool(self, features: Tensor) -> Tensor:
        return (F.avg_pool2d(features.square(), self.kernel, self.stride) + 1e-12).sqrt()


class _Again(torch.autograd.Function):
    """A function that is computed again on the way back, so that only its input is kept for it."""

    @staticmethod
    def forward(ctx: Any, features: Tensor, function: Callable[[Tensor], Tensor]) -> Tensor:  # noqa: ANN401
        ctx.save_for_backward(features)
        ctx.function = function
        return function(features)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:  # noqa: ANN401
        (features,), twice = ctx.saved_tensors, torch.is_grad_enabled()
        with torch.enable_grad():
            point = features if twice else features.detach().requires_grad_()
            pooled = ctx.function(point)
        (found,) = torch.autograd.grad(pooled, point, gradients[0], create_graph=twice)
        return found, None


def _is_plain(tensor: Tensor) -> bool:
    """On a processor, in float32, and to be computed so."""
    plain = tensor.dtype == torch.float32 and tensor.device.type == "cpu"
    return plain and not torch.is_autocast_enabled("cpu")
