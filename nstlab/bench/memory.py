"""Peak memory of a run, each in a process of its own: `python -m nstlab.bench.memory ours ...`.

| device | what is taken                                                          |
|--------|------------------------------------------------------------------------|
| CPU    | highest resident size less the resident size after imports and warm-up |
| CUDA   | `torch.cuda.max_memory_allocated`                                      |

On Linux the highest resident size is `VmHWM` of `/proc/self/status`, not `ru_maxrss`: a process
inherits the latter from the one that started it. On macOS it is `ru_maxrss`, which is in bytes
there (in Linux in KiB). On Windows and for MPS there is no number.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import torch
from torch import nn

from nstlab.bench.problem import encoder_to_time, random_problem
from nstlab.bench.textbook import lbfgs_with_full_history
from nstlab.optimize import minimize
from nstlab.settings import Settings

Loop = Literal["ours", "textbook"]
STATUS = Path("/proc/self/status")
LATER_STEPS = 2  # with the memory full


def memory_is_measurable(device: torch.device) -> bool:
    """Whether there is a number for this device on this system."""
    return device.type == "cuda" or (device.type == "cpu" and sys.platform != "win32")


def peak_memory(
    loop: Loop,
    encoder: str,
    size: int,
    *,
    device: torch.device,
    precision: str = "float32",
    steps: int | None = None,
) -> int | None:
    """Bytes that a run of the default objective needs at its peak, above an idle process.

    Weights, targets, features, gradients and the optimiser's full memory are in it. Ours makes as
    many steps as fill the default history. The textbook's history of 100 is filled with copies of
    the first three steps' pairs, see `lbfgs_with_full_history`, and two steps follow.

    Args:
        loop: `ours` or `textbook`.
        encoder: see `encoder_to_time`.
        size: longer side in pixels; the shorter one is three quarters of it.
        device: where it runs.
        precision: of ours.
        steps: make just so many steps from the start in place of that, and fill nothing.

    Returns:
        Bytes; None where there is no number.

    Raises:
        RuntimeError: the process failed; the message has its last line.
    """
    if not memory_is_measurable(device):
        return None
    words = [loop, "--encoder", encoder, "--size", str(size), "--device", str(device)]
    words += ["--precision", precision, "--threads", str(torch.get_num_threads())]
    words += [] if steps is None else ["--steps", str(steps)]
    command = [sys.executable, "-m", "nstlab.bench.memory", *words]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        said = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise RuntimeError(
            f"the process that measures the memory of {loop} at {size} px ended with code "
            f"{done.returncode}: {said}"
        )
    return json.loads(done.stdout)["bytes"]


def resident_bytes(*, highest: bool) -> int:
    """The resident size of this process.

    Args:
        highest: so far, in place of now; on macOS the highest in either case.

    Returns:
        Bytes.

    Raises:
        OSError: this system does not tell.
    """
    wanted = "VmHWM:" if highest else "VmRSS:"
    if STATUS.exists():
        for line in STATUS.read_text().splitlines():
            if line.startswith(wanted):
                return int(line.split()[1]) * 1024
    if sys.platform == "win32":
        raise OSError("the resident size of a process is not available on Windows")
    import resource

    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def measure_here(
    loop: Loop,
    encoder: str,
    size: int,
    device: torch.device,
    precision: str,
    steps: int | None = None,
) -> int:
    """What `peak_memory` gives, measured in this process, which should be a fresh one.

    Args:
        loop: `ours` or `textbook`.
        encoder: see `encoder_to_time`.
        size: longer side in pixels.
        device: where it runs.
        precision: of ours.
        steps: see `peak_memory`.

    Returns:
        Bytes.
    """
    _warm_up(device, precision)
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
        before = torch.cuda.memory_allocated(device)
    else:
        before = resident_bytes(highest=False)
    if loop == "ours":
        _ours(encoder, size, device, precision, steps)
    else:
        _textbook(encoder, size, device, steps)
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) - before
    return resident_bytes(highest=True) - before


def _ours(encoder: str, size: int, device: torch.device, precision: str, steps: int | None) -> None:
    problem = random_problem(encoder_to_time(encoder, device), size)
    objective, start = problem.objective(precision), problem.content
    del problem  # and with it weights that were copied to another precision
    history = Settings().history
    minimize(objective, start, steps=steps or history + LATER_STEPS, history=history)


def _textbook(encoder: str, size: int, device: torch.device, steps: int | None) -> None:
    problem = random_problem(encoder_to_time(encoder, device), size)
    loop, start = problem.textbook(), problem.content
    del problem  # and with it our encoder
    if steps is not None:
        loop.run(start, steps + 1)
        return
    image = start.clone().requires_grad_()
    optimizer = lbfgs_with_full_history(image, lambda: loop.closure(image))
    optimizer.param_groups[0]["max_iter"] = LATER_STEPS
    optimizer.step(lambda: loop.closure(image))  # pyright: ignore[reportArgumentType]


def _warm_up(device: torch.device, precision: str) -> None:
    """Load what torch loads at the first use: kernels, threads, the GPU's context."""
    for dtype in (torch.float32, torch.bfloat16 if precision == "bfloat16" else torch.float32):
        module = nn.Conv2d(8, 8, 3, padding=1, device=device, dtype=dtype)
        point = torch.rand(1, 8, 32, 32, device=device).to(dtype).requires_grad_()
        module(point).square().sum().backward()
        (point.detach().flatten(1) @ point.detach().flatten(1).mT).sum().item()


def main(words: Sequence[str] | None = None) -> None:
    """Measure in this process and write the bytes to stdout as JSON.

    Args:
        words: the command line; None for that of the process.
    """
    parser = argparse.ArgumentParser(prog="python -m nstlab.bench.memory", description=__doc__)
    parser.add_argument("loop", choices=("ours", "textbook"))
    parser.add_argument("--encoder", default="lite")
    parser.add_argument("--size", type=int, required=True, metavar="N")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--precision", default="float32")
    parser.add_argument("--steps", type=int, metavar="N")
    parser.add_argument("--threads", type=int, metavar="N")
    args = parser.parse_args(words)
    if args.threads is not None:
        torch.set_num_threads(args.threads)
    device = torch.device(args.device)
    found = measure_here(args.loop, args.encoder, args.size, device, args.precision, args.steps)
    sys.stdout.write(json.dumps({"bytes": found}) + "\n")


if __name__ == "__main__":
    main()
