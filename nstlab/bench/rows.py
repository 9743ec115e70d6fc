"""All figures of one encoder at one size, as one row of a table."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

import torch

from nstlab.bench.layers import ConvolutionTime, convolution_times, total_share
from nstlab.bench.memory import peak_memory
from nstlab.bench.problem import encoder_to_time, random_problem, shape_of
from nstlab.bench.timing import TEXTBOOK, evaluation_seconds, optimiser_seconds

PARTS = 4  # evaluations, convolutions, optimisers, memory
Tell = Callable[[str], object]


@dataclass(frozen=True)
class Row:
    """What was measured of one encoder at one size, in one precision.

    Attributes:
        encoder: its name.
        height: of the picture, pixels.
        width: of the picture, pixels.
        precision: of our convolutions.
        seconds: of one evaluation of ours; median.
        textbook_seconds: of the textbook's; median.
        ratio: median of ours / textbook over the turns.
        share: part of the ceiling that the convolutions reach, each timed alone; more than 1 is
            possible where Winograd's way needs fewer operations than are counted.
        flops: operations of all convolutions, forward and backward.
        optimiser_seconds: of ours in each step, besides the evaluation.
        textbook_optimiser_seconds: of torch's L-BFGS.
        bytes: peak memory of ours; None where it was not measured.
        textbook_bytes: peak memory of the textbook's.
        convolutions: each convolution.
    """

    encoder: str
    height: int
    width: int
    precision: str
    seconds: float
    textbook_seconds: float
    ratio: float
    share: float
    flops: int
    optimiser_seconds: float
    textbook_optimiser_seconds: float
    bytes: int | None
    textbook_bytes: int | None
    convolutions: tuple[ConvolutionTime, ...]

    @property
    def memory_ratio(self) -> float | None:
        """Peak memory of ours / textbook."""
        if self.bytes is None or not self.textbook_bytes:
            return None
        return self.bytes / self.textbook_bytes


def measure_rows(
    encoder_name: str,
    size: int,
    precisions: Sequence[str],
    ceilings: Mapping[str, float],
    *,
    device: torch.device,
    rounds: int = 5,
    memory: bool = True,
    tell: Tell = lambda text: None,
) -> list[Row]:
    """Measure one encoder at one size.

    Args:
        encoder_name: see `encoder_to_time`.
        size: longer side in pixels; the shorter one is three quarters of it.
        precisions: of ours, as `choose_precision` gives them.
        ceilings: precision to operations per second, see `matrix_product_ceiling`.
        device: where.
        rounds: turns that count.
        memory: whether peak memory is measured too, which takes two processes more for the first
            precision and one for each other.
        tell: called before each of the `PARTS` with its name.

    Returns:
        A row for each precision; the textbook loop's figures are the same in all of them.

    Raises:
        ValueError, WeightsError: an encoder that cannot be had or has no textbook network.
        RuntimeError: a process that measures memory failed.
    """
    encoder = encoder_to_time(encoder_name, device)
    problem = random_problem(encoder, size)
    height, width = shape_of(size)
    tell("evaluations")
    times = evaluation_seconds(problem, precisions, rounds=rounds)
    tell("convolutions")
    layers = convolution_times(encoder, height, width, problem.deepest, precisions, rounds=rounds)
    tell("optimisers")
    between = optimiser_seconds(problem.content, rounds=min(rounds, 3))
    del problem, encoder
    peaks: dict[str, int | None] = dict.fromkeys([TEXTBOOK, *precisions])
    tell("memory" if memory else "")
    if memory:
        peaks[TEXTBOOK] = peak_memory("textbook", encoder_name, size, device=device)
        for precision in precisions:
            peaks[precision] = peak_memory(
                "ours", encoder_name, size, device=device, precision=precision
            )
    rows = []
    for precision in precisions:
        own = tuple(each for each in layers if each.precision == precision)
        pairs = zip(times[precision], times[TEXTBOOK], strict=True)
        rows.append(
            Row(
                encoder=encoder_name,
                height=height,
                width=width,
                precision=precision,
                seconds=median(times[precision]),
                textbook_seconds=median(times[TEXTBOOK]),
                ratio=median(ours / textbook for ours, textbook in pairs),
                share=total_share(own, ceilings, precision),
                flops=sum(each.flops for each in own),
                optimiser_seconds=between["ours"],
                textbook_optimiser_seconds=between[TEXTBOOK],
                bytes=peaks[precision],
                textbook_bytes=peaks[TEXTBOOK],
                convolutions=own,
            )
        )
    return rows
