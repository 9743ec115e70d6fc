"""How much faster an evaluation is than VGG-19's."""

import copy
import time
from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

import torch
from jaxtyping import Float
from lite_runs import markdown, say
from torch import Tensor

from nstlab import Encoder, load_encoder
from nstlab.runtime import generator

LAYER = "relu5_1"
TO_REACH = 4.0


def measure(
    lite: Encoder,
    *,
    size: int = 384,
    rounds: int = 9,
    precisions: Sequence[str] = ("float32", "bfloat16"),
) -> dict[str, Any]:
    """Time the two in turns on the CPU, so that whatever else the machine does meets both.

    Weights do not matter for the time, so VGG-19 has random ones, and the first version and
    random weights of the same widths are as fast as `lite`.

    Args:
        lite: the encoder to judge.
        size: width of the picture, pixels; its height is three quarters of that.
        rounds: turns that count; one more goes before them.
        precisions: names of torch's types.

    Returns:
        Precision to median seconds of both, and the median, lowest and highest ratio of a turn.
    """
    vgg = load_encoder("vgg19", weights="random")
    picture = torch.rand(1, 3, size * 3 // 4, size, generator=generator(0))
    figures: dict[str, Any] = {"size": list(picture.shape[2:]), "rounds": rounds}
    figures["threads"] = torch.get_num_threads()
    figures["precisions"] = {}
    for precision in precisions:
        dtype: torch.dtype = getattr(torch, precision)
        pair = {"lite": copy.deepcopy(lite).to(dtype), "vgg19": copy.deepcopy(vgg).to(dtype)}
        turns = []
        for turn in range(rounds + 1):
            turns.append({k: _seconds(each, picture.to(dtype)) for k, each in pair.items()})
            say(f"{precision}, turn {turn}: {_words(turns[-1])}")
        turns = turns[1:]
        ratios = [turn["vgg19"] / turn["lite"] for turn in turns]
        figures["precisions"][precision] = {
            **{name: median(turn[name] for turn in turns) for name in pair},
            **{"ratio": median(ratios), "lowest": min(ratios), "highest": max(ratios)},
        }
    return figures


def table(figures: Mapping[str, Any]) -> str:
    """The figures as Markdown."""
    height, width = figures["size"]
    turns = f"{figures['rounds']} turns on {figures['threads']} threads"
    rows = [[f"{width} × {height} px, {turns}", "lite", "VGG-19", "times faster", "to reach"]]
    for precision, value in figures["precisions"].items():
        ratio = f"{value['ratio']:.1f} ({value['lowest']:.1f} to {value['highest']:.1f})"
        seconds = (f"{value[name]:.3f} s" for name in ("lite", "vgg19"))
        rows.append([precision, *seconds, ratio, f"≥ {TO_REACH:.0f}"])
    return markdown(rows)


def _seconds(encoder: Encoder, picture: Float[Tensor, "1 3 h w"]) -> float:
    """Time of one value and its gradient with respect to the picture."""
    begun = time.perf_counter()
    point = picture.detach().requires_grad_()
    value = encoder(point, [LAYER])[LAYER].float().square().mean()
    torch.autograd.grad(value, point)
    return time.perf_counter() - begun


def _words(turn: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {seconds:.3f} s" for name, seconds in turn.items())
