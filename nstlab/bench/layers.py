"""Each convolution alone: its time forward and backward, and its share of the ceiling."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

import torch
from torch import Tensor, nn

from nstlab.bench.ceiling import convolution_flops, convolution_shapes
from nstlab.bench.clock import in_turns
from nstlab.encoders import Encoder
from nstlab.runtime import convolutions


@dataclass(frozen=True)
class ConvolutionTime:
    """One convolution in one precision.

    Attributes:
        layer: its name.
        precision: in which it computed.
        flops: operations, forward and backward together.
        seconds: median of forward and backward together.
    """

    layer: str
    precision: str
    flops: int
    seconds: float

    def share(self, ceiling: float) -> float:
        """Part of a ceiling (operations per second) that it reaches."""
        return self.flops / self.seconds / ceiling


def convolution_times(
    encoder: Encoder,
    height: int,
    width: int,
    deepest: str,
    precisions: Sequence[str],
    *,
    rounds: int = 5,
) -> list[ConvolutionTime]:
    """Time every convolution at its true shape, channels last, backward to its input only.

    Precisions take turns at a layer, so that no more than one layer's tensors are in memory.

    Args:
        encoder: with weights of float32, on the device to measure.
        height: of the picture, pixels.
        width: of the picture, pixels.
        deepest: name of the last layer that an evaluation computes.
        precisions: as `choose_precision` gives them.
        rounds: turns that count.

    Returns:
        One entry for each layer and precision.

    Raises:
        ValueError: no such layer, or no round.
    """
    device = encoder.get_buffer("mean").device
    copies = {precision: encoder.computing_in(precision) for precision in precisions}
    flops = convolution_flops(encoder, height, width, deepest)
    found = []
    for layer, shape in convolution_shapes(encoder, height, width, deepest).items():
        blocks = {
            precision: _both_ways(copy.get_submodule(layer), shape, device, precision)
            for precision, copy in copies.items()
        }
        times = in_turns(blocks, device, rounds)
        found += [
            ConvolutionTime(layer, precision, sum(flops[layer]), median(times[precision]))
            for precision in precisions
        ]
    return found


def total_share(
    times: Sequence[ConvolutionTime],
    ceilings: Mapping[str, float],
    precision: str,
    layers: Sequence[str] | None = None,
) -> float:
    """Part of the ceiling that several convolutions reach together: all operations in all seconds.

    Args:
        times: as `convolution_times` gives them.
        ceilings: precision to operations per second.
        precision: which one.
        layers: only these; None for all.

    Returns:
        Σ operations / Σ seconds / ceiling.

    Raises:
        ValueError: nothing was measured in this precision at these layers.
    """
    chosen = [
        each
        for each in times
        if each.precision == precision and (layers is None or each.layer in layers)
    ]
    if not chosen:
        raise ValueError(f"no convolution was measured in {precision} at {layers or 'any layer'}")
    seconds = sum(each.seconds for each in chosen)
    return sum(each.flops for each in chosen) / seconds / ceilings[precision]


def _both_ways(
    module: nn.Module, shape: tuple[int, int, int], device: torch.device, precision: str
) -> Callable[[], None]:
    dtype = next(module.parameters()).dtype

    def like(*size: int) -> Tensor:
        values = torch.rand(size, device=device).to(dtype)
        return values.contiguous(memory_format=torch.channels_last)

    point = like(1, *shape).requires_grad_()
    with torch.no_grad():
        slope = like(*module(point).shape)

    def block() -> None:
        with convolutions(precision):
            torch.autograd.grad(module(point), point, slope)

    return block
