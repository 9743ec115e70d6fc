"""Where and how things run: device, seeds, quick mode, folders; the one reader of NSTLAB_*.

| variable            | meaning                                                           |
|---------------------|-------------------------------------------------------------------|
| `NSTLAB_FAST`       | set: notebooks use their small settings (see `quick`)             |
| `NSTLAB_ENCODER`    | encoder used where none is named (default `lite`)                 |
| `NSTLAB_DEVICE`     | device used where none is named (default: the best there is)      |
| `NSTLAB_PRECISION`  | precision used where the settings say `auto`                      |
| `NSTLAB_CACHE`      | folder for downloaded pictures and weights                        |
| `NSTLAB_NO_PROGRESS`| set: no progress bars (for committed notebooks and logs)          |
| `NSTLAB_TEST_FILES` | folder with weights and pictures that only some tests need        |
"""

import os
import platform
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Literal, TypeVar, get_args

import torch

T = TypeVar("T")
Precision = Literal["auto", "float32", "tf32", "bfloat16"]
PRECISIONS: tuple[str, ...] = get_args(Precision)


def _is_set(variable: str) -> bool:
    return os.environ.get(variable, "0") not in ("", "0")


def quick(full: T, small: T) -> T:
    """`small` when `NSTLAB_FAST` is set, `full` otherwise.

    Args:
        full: the value a reader gets.
        small: the value a quick check gets.

    Returns:
        One of the two.
    """
    return small if _is_set("NSTLAB_FAST") else full


def progress_wanted() -> bool:
    """Whether progress bars may be shown: false when `NSTLAB_NO_PROGRESS` is set."""
    return not _is_set("NSTLAB_NO_PROGRESS")


def default_encoder() -> str:
    """The encoder's name used where none is given: `NSTLAB_ENCODER`, else `lite`."""
    return os.environ.get("NSTLAB_ENCODER") or "lite"


def available_devices() -> list[str]:
    """Names of the devices that torch can use here, the fastest first; always ends with `cpu`."""
    names = []
    if torch.cuda.is_available():
        names += ["cuda"] + [f"cuda:{i}" for i in range(1, torch.cuda.device_count())]
    if torch.backends.mps.is_available():
        names.append("mps")
    return [*names, "cpu"]


def choose_device(name: str | torch.device | None = None) -> torch.device:
    """The device to compute on: the one named, else `NSTLAB_DEVICE`, else the fastest there is.

    Args:
        name: `cuda`, `cuda:1`, `mps`, `cpu`, a `torch.device`, or None to choose.

    Returns:
        A device that exists on this machine.

    Raises:
        ValueError: no such device here; the message lists those there are.
    """
    wanted = str(name or os.environ.get("NSTLAB_DEVICE") or available_devices()[0])
    there = available_devices()
    if wanted not in there and not (wanted == "cuda:0" and "cuda" in there):
        raise ValueError(f"no device {wanted!r} on this machine; there is: {', '.join(there)}")
    return torch.device(wanted)


def choose_precision(name: str, device: torch.device) -> str:
    """The precision of convolutions: the one named; for `auto` what this device does fastest.

    bfloat16 where the hardware multiplies it (GPUs from NVIDIA's Ampere on, CPUs with AMX or
    AVX512-BF16), float32 elsewhere. `NSTLAB_PRECISION` takes the place of `auto`.

    Args:
        name: one of `PRECISIONS`.
        device: where the convolutions run.

    Returns:
        `float32`, `tf32` or `bfloat16`.

    Raises:
        ValueError: another word, or `tf32` on a device other than `cuda`.
    """
    if name == "auto":
        name = os.environ.get("NSTLAB_PRECISION") or "auto"
        where = " in the variable NSTLAB_PRECISION"
    else:
        where = ""
    if name not in PRECISIONS:
        raise ValueError(f"unknown precision {name!r}{where}; it can be {', '.join(PRECISIONS)}")
    if name == "tf32" and device.type != "cuda":
        raise ValueError(f"tf32{where} is for NVIDIA's GPUs, and the device is {device}")
    if name != "auto":
        return name
    return "bfloat16" if multiplies_bfloat16(device) else "float32"


def multiplies_bfloat16(device: torch.device) -> bool:
    """Whether a device multiplies bfloat16 in hardware; elsewhere torch imitates it slowly."""
    if device.type == "cuda":
        return torch.cuda.get_device_capability(device) >= (8, 0)
    names = ("_is_amx_tile_supported", "_is_avx512_bf16_supported")
    return device.type == "cpu" and any(getattr(torch.cpu, name, bool)() for name in names)


@contextmanager
def convolutions(precision: str) -> Iterator[None]:
    """Let CUDA's float32 convolutions use TF32, or keep them from it.

    Nothing is done where CUDA is not in use. The switch belongs to the process: runs in several
    threads at once need the same precision.

    Args:
        precision: as `choose_precision` gives it; `tf32` allows it, the others do not.
    """
    if not torch.cuda.is_initialized():
        yield
        return
    cudnn = torch.backends.cudnn
    if hasattr(cudnn, "conv"):  # from torch 2.9 on
        switch, name, yes, no = cudnn.conv, "fp32_precision", "tf32", "ieee"  # pyright: ignore
    else:
        switch, name, yes, no = cudnn, "allow_tf32", True, False
    before = getattr(switch, name)
    try:
        setattr(switch, name, yes if precision == "tf32" else no)
        yield
    finally:
        setattr(switch, name, before)


def widest(device: torch.device) -> torch.dtype:
    """The type for sums of few numbers that must be exact: float64, or float32 on Apple's GPUs."""
    return torch.float32 if device.type == "mps" else torch.float64


def generator(seed: int) -> torch.Generator:
    """A seeded random generator on the CPU, so that a seed means the same on every device.

    Args:
        seed: any integer from -2**63 to 2**64 - 1.

    Returns:
        A new generator; torch's global one is left alone.
    """
    return torch.Generator(device="cpu").manual_seed(seed)


def cache_folder() -> Path:
    """Folder for what is downloaded: `NSTLAB_CACHE`, else the system's usual place; not created."""
    if chosen := os.environ.get("NSTLAB_CACHE"):
        return Path(chosen).expanduser()
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "nstlab"


def data_folder() -> Path:
    """Folder of the bundled pictures: inside an installed package, beside it in a checkout."""
    package = Path(__file__).parent
    installed = package / "data"
    return installed if installed.is_dir() else package.parent / "data"


def bundled_weights_folder() -> Path:
    """Folder of the weight files that come with the package."""
    return Path(__file__).parent / "weights"


def files_for_tests() -> Path | None:
    """The folder `NSTLAB_TEST_FILES` names, or None where it is not set."""
    chosen = os.environ.get("NSTLAB_TEST_FILES")
    return Path(chosen) if chosen else None


def versions() -> dict[str, str]:
    """What a result depends on: versions of nstlab, torch, torchvision and Python, and the system.

    Returns:
        Name to version, ready for a record; no path and no host name.
    """
    found = {"python": platform.python_version(), "system": platform.system().lower()}
    for package in ("nstlab", "torch", "torchvision"):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "not installed"
    return found


def machine(device: torch.device) -> dict[str, str | int]:
    """What the last bits of a result depend on: `versions`, the device and the number of threads.

    Args:
        device: where the run was computed.

    Returns:
        Plain data for a record; no path and no host name.
    """
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else platform.machine()
    found: dict[str, str | int] = {**versions(), "device": device.type, "device_name": name}
    return {**found, "threads": torch.get_num_threads()}
