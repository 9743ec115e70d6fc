"""How much memory is free, on this machine and within what this process is allowed."""

from collections.abc import Iterator
from pathlib import Path

import psutil
import torch


def available_memory(device: torch.device) -> int | None:
    """Bytes that this process can still allocate on a device.

    | device | what is taken                                                                  |
    |--------|--------------------------------------------------------------------------------|
    | CPU    | the system's available memory, or what a control group leaves if that is less  |
    | CUDA   | free memory of the GPU, and what torch holds of it without using it            |
    | MPS    | the recommended most less what the driver has given out                        |

    Args:
        device: where a run is to be computed.

    Returns:
        Bytes, at least 0; None for other devices.
    """
    if device.type == "cpu":
        return min([psutil.virtual_memory().available, *control_groups()])
    if device.type == "cuda":
        held = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
        return torch.cuda.mem_get_info(device)[0] + held
    if device.type == "mps":
        most, given = torch.mps.recommended_max_memory(), torch.mps.driver_allocated_memory()
        return max(0, most - given)
    return None


def control_groups(root: Path = Path("/")) -> Iterator[int]:
    """What each control group of Linux that this process is in leaves it, as in a container.

    File pages that the system would give up first do not count as used.

    Args:
        root: of the file system.

    Yields:
        Bytes, at least 0; nothing where there is no limit.

    Reference:
        Linux, Documentation/admin-guide/cgroup-v2.rst and cgroup-v1/memory.rst.
    """
    try:
        lines = (root / "proc/self/cgroup").read_text().splitlines()
    except OSError:
        return
    for line in lines:
        _, controllers, group = line.split(":", 2)
        if not controllers:
            mount, names = root / "sys/fs/cgroup", ("memory.max", "memory.current")
            given_up = "inactive_file"
        elif "memory" in controllers.split(","):
            mount = root / "sys/fs/cgroup/memory"
            names = ("memory.limit_in_bytes", "memory.usage_in_bytes")
            given_up = "total_inactive_file"
        else:
            continue
        inside = Path(group.lstrip("/"))
        # A limit of any group above counts as well; a container may see none but its own.
        for folder in (mount / inside, *(mount / above for above in inside.parents)):
            most, used = (_number(folder / name) for name in names)
            if most is not None and used is not None:
                yield max(0, most - used + _counted(folder / "memory.stat", given_up))


def _number(file: Path) -> int | None:
    try:
        text = file.read_text().strip()
    except OSError:
        return None
    return int(text) if text.isdigit() else None  # v2 says `max` where there is no limit


def _counted(file: Path, name: str) -> int:
    try:
        rows = (line.split() for line in file.read_text().splitlines())
    except OSError:
        return 0
    return next((int(row[1]) for row in rows if row[:1] == [name]), 0)
