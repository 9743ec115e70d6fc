"""Give back to the system what this process holds idle: waiting threads, and unused memory."""

import ctypes
from contextlib import suppress
from functools import cache
from pathlib import Path

import torch

MUCH = 1 << 29  # bytes of unused memory that are worth giving back
FREE = 8  # place of `fordblks`, the bytes of the heap that are free, in what glibc tells


def free_idle_threads() -> None:
    """Give back the OpenMP threads that wait for more work from this thread of Python.

    GNU's OpenMP lets its threads wait actively only while there are no more of them than
    processors. With those of a second thread of Python waiting too, each operation begins by waking
    sleepers: a run beside them was 1.7 times slower on two cores. They come back by themselves with
    the next operation. Where torch uses another OpenMP, nothing is done.
    """
    for file in sorted(Path(torch.__file__).parent.glob("lib/libgomp*")):
        with suppress(OSError, AttributeError):
            ctypes.CDLL(str(file)).omp_pause_resource_all(2)  # 2: hard, threads end


def free_idle_memory() -> None:
    """Give back to the system what the heap holds unused, where that is half a GB or more.

    glibc keeps the room of tensors of up to 32 MiB for later ones. After the deep layers of a large
    picture there is much of it, and the first layers' tensors are larger and cannot use it. To ask
    for it again takes a few per cent of an evaluation; to ask how much there is, some microseconds.
    (What was given back before and lies between pieces in use is still counted.)
    Where there is no glibc, nothing is done.
    """
    library = _glibc()
    if library is not None and library.mallinfo2().numbers[FREE] >= MUCH:
        library.malloc_trim(0)


class _Heap(ctypes.Structure):
    """What glibc's `mallinfo2` tells."""

    _fields_ = [("numbers", ctypes.c_size_t * 10)]


@cache
def _glibc() -> ctypes.CDLL | None:
    """glibc, 2.33 or newer; None where there is another library."""
    try:
        library = ctypes.CDLL("libc.so.6")
        library.mallinfo2.restype = _Heap
        library.malloc_trim.argtypes = [ctypes.c_size_t]
    except (OSError, AttributeError):
        return None
    return library
