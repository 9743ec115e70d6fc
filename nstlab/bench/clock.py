"""Timing in turns, so that whatever else the machine does meets all that is compared."""

import time
from collections.abc import Callable, Mapping

import torch


def synchronise(device: torch.device) -> None:
    """Wait until a GPU has done all it was asked for; on the CPU there is nothing to wait for.

    Args:
        device: where the work is done.
    """
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()


def seconds_of(block: Callable[[], object], device: torch.device, repeats: int = 1) -> float:
    """Seconds of one call, with the device idle before and after.

    Args:
        block: what to time.
        device: where it works.
        repeats: calls between the two waits; their mean is taken.

    Returns:
        Seconds.
    """
    synchronise(device)
    begun = time.perf_counter()
    for _ in range(repeats):
        block()
    synchronise(device)
    return (time.perf_counter() - begun) / repeats


def in_turns(
    blocks: Mapping[str, Callable[[], object]],
    device: torch.device,
    rounds: int,
    repeats: int | None = None,
) -> dict[str, list[float]]:
    """Seconds of several blocks that take turns; every other round goes backwards.

    Args:
        blocks: by name.
        device: where they work.
        rounds: turns that count, 1 or more; one more goes before them.
        repeats: see `seconds_of`; None for 1 on the CPU and 10 elsewhere, where a single call is
            short beside the wait for it.

    Returns:
        Name to `rounds` numbers of seconds.

    Raises:
        ValueError: no round.
    """
    if rounds < 1:
        raise ValueError(f"rounds is {rounds}; it must be at least 1")
    if repeats is None:
        repeats = 1 if device.type == "cpu" else 10
    found: dict[str, list[float]] = {name: [] for name in blocks}
    for block in blocks.values():
        block()
    for turn in range(rounds):
        for name in list(blocks)[:: 1 if turn % 2 == 0 else -1]:
            found[name].append(seconds_of(blocks[name], device, repeats))
    return found
