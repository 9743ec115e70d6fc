"""How long one evaluation takes: measured on two small pictures, scaled by the operations."""

import copy
import time
from dataclasses import replace

import torch

from nstlab.estimate.work import Work, outputs_of
from nstlab.objective import Objective, blend_grams, content_term, style_term
from nstlab.runtime import convolutions, generator

PROBES = (96, 160)  # pixels a side
TURNS = 5  # of which the fastest counts, after one that makes the kernels
_measured: dict[tuple[object, ...], tuple[float, float]] = {}


def seconds_per_evaluation(work: Work) -> float:
    """The time of one evaluation of the objective with its gradient.

    An evaluation costs a fixed time, for the weights and the calls of each layer, and a time for
    each operation of the convolutions. Both come from evaluations of two small pictures, which are
    timed once for each process, encoder, precision, device and number of threads.

    Args:
        work: what is to be computed.

    Returns:
        Seconds.
    """
    least = max((work.encoder.smallest_side(layer) for layer in work.layers), default=1)
    small, large = (_at_side(work, side + max(0, least - PROBES[0])) for side in PROBES)
    layers = tuple(output.layer for output in small.outputs)
    where = (work.precision, str(work.device), torch.get_num_threads())
    key = (layers, work.encoder.pooling, work.content_layers, work.style_layers, *where)
    if key not in _measured:
        _measured[key] = _line(small.operations, _probe(small), large.operations, _probe(large))
    fixed, each = _measured[key]
    return fixed + each * work.operations


def _line(few: int, short: float, many: int, long: float) -> tuple[float, float]:
    """Fixed time and time of an operation; at most half of the longer time is taken for fixed."""
    whole = long / max(1, many)
    each = min(whole, max(whole / 2, (long - short) / max(1, many - few)))
    return long - each * many, each


def seconds_of_targets(work: Work, evaluation: float) -> float:
    """The time in which the targets are computed: forward only, once for each picture.

    Args:
        work: what is to be computed.
        evaluation: seconds of one evaluation.

    Returns:
        Seconds.
    """
    seen = [(work.result, work.content_layers)] if work.content_layers else []
    seen += [(shape, work.style_layers) for shape in work.style_shapes()]
    forward = sum(
        output.operations
        for shape, layers in seen
        for output in outputs_of(work.encoder, shape, layers)
    )
    return evaluation * forward / max(1, work.operations)


def _at_side(work: Work, side: int) -> Work:
    settings = work.settings.change(size=side)
    return replace(work, settings=settings, shape=None, styles=(None,), pictures=1)


def _probe(work: Work) -> float:
    encoder = work.encoder
    if encoder.get_buffer("mean").device != work.device:
        encoder = copy.deepcopy(encoder).to(work.device)
    encoder = encoder.computing_in(work.precision)
    dtype = encoder.get_buffer("mean").dtype
    picture = torch.rand(1, 3, *work.result, generator=generator(0)).to(work.device, dtype)
    with torch.no_grad(), convolutions(work.precision):
        seen = encoder(picture, work.layers)
    terms = []
    if work.content_layers:
        terms.append(content_term({name: seen[name] for name in work.content_layers}))
    if work.style_layers:
        terms.append(style_term(blend_grams([{name: seen[name] for name in work.style_layers}])))
    objective = Objective(encoder, terms)
    taken = []
    for _ in range(1 + TURNS):
        _wait(work.device)
        started = time.perf_counter()
        objective.value_and_grad(picture.flip(3))
        _wait(work.device)
        taken.append(time.perf_counter() - started)
    return min(taken[1:])


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()
