"""Before a run: how much memory and time it needs on this machine, and whether it fits."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import torch

from nstlab.encoders import Encoder
from nstlab.estimate.available import available_memory
from nstlab.estimate.memory import memory_parts
from nstlab.estimate.room import (
    RoomError,
    Spelled,
    in_bytes,
    in_python,
    pictures_that_fit,
    refusal,
    ways_to_fit,
)
from nstlab.estimate.timing import seconds_of_targets, seconds_per_evaluation
from nstlab.estimate.work import Kind, Work
from nstlab.runtime import choose_device
from nstlab.settings import Settings
from nstlab.stock import encoder_for
from nstlab.task import Shape

__all__ = [
    "Estimate",
    "RoomError",
    "Work",
    "available_memory",
    "estimate",
    "in_bytes",
    "pictures_that_fit",
    "require_room",
]


@dataclass(frozen=True)
class Estimate:
    """What a run is expected to need.

    Attributes:
        peak_bytes: what the run allocates at its peak, above what the process has already.
        seconds_per_evaluation: of the objective with its gradient.
        seconds: of the whole run.
        available_bytes: what is free on the device; None where that cannot be told.
        parts: `peak_bytes` part by part; see `memory_parts`.
        work: the run that was asked about.
    """

    peak_bytes: int
    seconds_per_evaluation: float
    seconds: float
    available_bytes: int | None
    parts: Mapping[str, int]
    work: Work = field(repr=False)

    @property
    def fits(self) -> bool:
        """Whether the run fits into what is free, as far as that can be told."""
        return self.available_bytes is None or self.peak_bytes <= self.available_bytes


def estimate(
    settings: Settings | None = None,
    *,
    kind: Kind = "stylize",
    shape: Shape | None = None,
    pictures: int = 1,
    styles: int | Sequence[Shape] = 1,
    frames: int = 0,
    read: int = 0,
    encoder: Encoder | None = None,
    device: str | torch.device | None = None,
) -> Estimate:
    """Predict peak memory and time of a run on this machine, before it starts.

    The memory is added up from the encoder's layers, see `memory_parts`. The time of an evaluation
    is measured on two small pictures, once for each process, encoder, precision and device, and
    scaled by the operations of the convolutions.

    Args:
        settings: of the run; None for the defaults.
        kind: `stylize`, `invert` or `texture`.
        shape: height and width of the picture whose proportions the result takes; None for a
            square, which needs the most.
        pictures: that are changed at the same time, as one batch.
        styles: number of style pictures, or height and width of each; without these they are taken
            to be squares as long as the result.
        frames: that are kept.
        read: pixels of all pictures as they are read, which are held until the targets are known.
        encoder: one that is loaded already; None for the one that the settings name.
        device: as in `choose_device`.

    Returns:
        The prediction.

    Raises:
        ValueError: numbers out of range, or layers that the encoder does not have.
        WeightsError: the encoder's weights cannot be had.

    Example:
        >>> found = estimate(Settings(size=256, steps=10))
        >>> found.peak_bytes == sum(found.parts.values())
        True
    """
    settings = settings or Settings()
    if pictures < 1 or frames < 0 or read < 0 or (isinstance(styles, int) and styles < 0):
        raise ValueError(
            f"pictures is {pictures}, styles {styles}, frames {frames}, read {read}; there must be "
            "at least one picture, and none of the others may be negative"
        )
    work = Work(
        settings=settings,
        encoder=encoder_for(settings) if encoder is None else encoder,
        loaded=encoder is not None,
        device=choose_device(device),
        kind=kind,
        shape=shape,
        styles=(None,) * styles if isinstance(styles, int) else tuple(styles),
        pictures=pictures,
        frames=frames,
        read=read,
    )
    parts = memory_parts(work)
    each = seconds_per_evaluation(work)
    return Estimate(
        peak_bytes=sum(parts.values()),
        seconds_per_evaluation=each,
        seconds=each * (settings.steps + 1) + seconds_of_targets(work, each),
        available_bytes=available_memory(work.device),
        parts=parts,
        work=work,
    )


def require_room(found: Estimate, spelled: Spelled = in_python) -> None:
    """Raise an error that names settings that would fit, unless the run fits.

    Args:
        found: what `estimate` gave.
        spelled: how the message writes one setting, given its name and value.

    Raises:
        RoomError: the run needs more than is free.
    """
    free = found.available_bytes
    if free is not None and not found.fits:
        raise refusal(found.peak_bytes, free, ways_to_fit(found.work, free), spelled)
