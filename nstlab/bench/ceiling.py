"""What the hardware allows: the speed of a large matrix product, and the work in convolutions."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from nstlab.bench.clock import in_turns
from nstlab.encoders import Encoder
from nstlab.layers import table
from nstlab.runtime import convolutions, multiplies_bfloat16

SIDE = {"cpu": 2048, "mps": 4096, "cuda": 8192}  # of the matrices
IMITATED = 256  # where bfloat16 is not in the hardware, a hundred times slower


def matrix_product_ceiling(
    device: torch.device, precisions: Sequence[str], *, side: int | None = None, rounds: int = 5
) -> dict[str, float]:
    """The speed of the product of two large square matrices, the best of several runs in turns.

    Args:
        device: where to measure.
        precisions: `float32`, `tf32`, `bfloat16`.
        side: of the matrices; None for 2048 on the CPU and 8192 on a GPU, and 256 for bfloat16 that
            is imitated.
        rounds: runs that count.

    Returns:
        Precision to operations per second; a product is 2·side³ operations.
    """
    usual = side or SIDE.get(device.type, SIDE["cpu"])
    sides = dict.fromkeys(precisions, usual)
    if side is None and "bfloat16" in sides and not multiplies_bfloat16(device):
        sides["bfloat16"] = min(usual, IMITATED)

    def product(precision: str, left: Tensor, right: Tensor, into: Tensor) -> None:
        with convolutions(precision):
            torch.mm(left, right, out=into)

    blocks = {}
    for precision in precisions:
        dtype = torch.bfloat16 if precision == "bfloat16" else torch.float32
        shape = (sides[precision], sides[precision])
        matrices = [torch.rand(shape, device=device).to(dtype) for _ in range(3)]
        blocks[precision] = lambda p=precision, m=matrices: product(p, *m)
    found = in_turns(blocks, device, rounds)
    return {name: 2 * sides[name] ** 3 / min(seconds) for name, seconds in found.items()}


def convolution_shapes(
    encoder: Encoder, height: int, width: int, deepest: str
) -> dict[str, tuple[int, int, int]]:
    """What each convolution reads: channels, height and width.

    Args:
        encoder: any.
        height: of the picture, pixels.
        width: of the picture, pixels.
        deepest: name of the last layer that is computed.

    Returns:
        Layer name to shape, for the convolutions down to that layer.

    Raises:
        ValueError: no such layer.
    """
    encoder.check_layers([deepest])
    layers = table(encoder.name)[: encoder.layers.index(deepest) + 1]
    shapes, sides, channels = {}, (height, width), 3
    for layer in layers:
        if layer.kind == "conv":
            shapes[layer.name] = (channels, *sides)
        channels = encoder.channels(layer.name)
        reach = layer.kernel - 2 * layer.padding
        sides = tuple((side - reach) // layer.stride + 1 for side in sides)
    return shapes


def convolution_flops(
    encoder: Encoder, height: int, width: int, deepest: str
) -> dict[str, tuple[int, int]]:
    """Operations of each convolution, forward and backward to what it reads.

    Both are 2·k²·c_in·c_out·h·w with h·w positions of the output: weights are frozen, so that
    nothing is computed for them. In the first layer backward leads to the picture.

    Args:
        encoder: any.
        height: of the picture, pixels.
        width: of the picture, pixels.
        deepest: name of the last layer that is computed.

    Returns:
        Layer name to operations forward and backward.

    Raises:
        ValueError: no such layer.

    Example:
        >>> from nstlab import load_encoder
        >>> convolution_flops(load_encoder("lite"), 100, 200, "relu1_1")
        {'conv1_1': (34560000, 34560000)}
    """
    flops = {}
    for name, (channels, *sides) in convolution_shapes(encoder, height, width, deepest).items():
        module = encoder.get_submodule(name)
        if not isinstance(module, nn.Conv2d) or isinstance(module.padding, str):
            raise ValueError(f"layer {name!r} is no plain convolution but {module}")
        positions = 1
        for side, kernel, step, pad in zip(
            sides, module.kernel_size, module.stride, module.padding, strict=True
        ):
            positions *= (side + 2 * pad - kernel) // step + 1
        kernel = module.kernel_size[0] * module.kernel_size[1]
        work = 2 * kernel * channels * module.out_channels * positions
        flops[name] = (work, work)
    return flops
