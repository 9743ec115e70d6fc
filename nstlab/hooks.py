"""Read what named layers of any network put out."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial

from torch import Tensor, nn

from nstlab.words import did_you_mean


def _keep(
    seen: dict[str, Tensor], name: str, _module: nn.Module, _inputs: object, output: object
) -> None:
    if not isinstance(output, Tensor):
        raise TypeError(
            f"layer {name!r} puts out a {type(output).__name__}, not a tensor; "
            "name a layer inside it instead"
        )
    seen[name] = output.clone()  # what comes next may work in place on the original


@contextmanager
def record(model: nn.Module, layers: Sequence[str]) -> Iterator[dict[str, Tensor]]:
    """Collect the outputs of named layers while the block runs; no hook is left behind.

    Each output is kept as a copy, through which gradients flow: an activation that works in place,
    such as `nn.ReLU(inplace=True)` after a convolution, overwrites the original. A layer that runs
    twice keeps its last output.

    Args:
        model: any module.
        layers: names as in `model.named_modules()`, for example `features.22`.

    Yields:
        A dictionary from name to output tensor, filled by each forward pass, in the order in which
        the layers ran.

    Raises:
        ValueError: no layer has that name; the message gives the nearest one and all of them.
        TypeError: a string in place of a list, or a layer whose output is not a tensor.

    Example:
        >>> import torch
        >>> from torch import nn
        >>> net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU())
        >>> with record(net, ["0"]) as seen:
        ...     _ = net(torch.zeros(1, 3, 8, 8))
        >>> seen["0"].shape
        torch.Size([1, 4, 6, 6])
    """
    if isinstance(layers, str):
        raise TypeError(f"layers is a list of names; for one layer write [{layers!r}]")
    modules = {name: module for name, module in model.named_modules() if name}
    for name in layers:
        if name not in modules:
            raise ValueError(unknown_layer(name, list(modules)))
    seen: dict[str, Tensor] = {}
    handles = []
    try:
        for name in layers:
            handles.append(modules[name].register_forward_hook(partial(_keep, seen, name)))
        yield seen
    finally:
        for handle in handles:
            handle.remove()


def unknown_layer(name: object, valid: Sequence[str]) -> str:
    """The message for a layer that does not exist: what came in, the nearest, and all there are.

    Args:
        name: what was asked for.
        valid: every name that would do.

    Returns:
        One sentence for a `ValueError`.
    """
    return f"no layer {name!r}{did_you_mean(name, valid)}; this network has: {', '.join(valid)}"
