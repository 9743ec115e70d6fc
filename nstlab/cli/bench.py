"""The command `bench`: how fast this machine is, with the textbook loop beside ours."""

import json
import platform
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

import torch
from tqdm import tqdm

from nstlab.bench.ceiling import matrix_product_ceiling
from nstlab.bench.memory import memory_is_measurable
from nstlab.bench.problem import encoder_to_time
from nstlab.bench.rows import PARTS, Row, measure_rows
from nstlab.bench.sequential import check_encoder
from nstlab.cli.finish import INTERRUPTED
from nstlab.cli.show import Progress, columns, write_line
from nstlab.images import write_atomically
from nstlab.runtime import PRECISIONS, choose_device, choose_precision, machine

SIZES = (256, 512, 1024)
GPU_SIZES = (*SIZES, 2048)
ENCODERS = ("lite", "vgg19")
SMALLEST = 64  # pixels; below that some encoders have nothing left at their last layer
HEAD = (
    *("encoder", "size", "precision", "ms", "textbook", "ratio", "share", "step ms", "textbook"),
    *("MB", "textbook", "ratio"),
)
LEGEND = """\
ms        one evaluation: loss and gradient; beside it the textbook loop's, and ours / textbook's
share     part of the matrix-product ceiling that the convolutions reach, each timed alone; with
          operations as a convolution is defined, so that Winograd's way can come to more than 100%
step ms   the optimiser between two evaluations, its memory full; beside it torch's L-BFGS
MB        peak memory of a run in a fresh process, weights included (- where not measured)
The textbook loop computes in float32 with torch's own switches.
"""


def add_options(parser: ArgumentParser) -> None:
    """The words of the command.

    Args:
        parser: its parser.
    """
    parser.add_argument(
        "--encoder",
        nargs="+",
        default=list(ENCODERS),
        metavar="NAME|FILE",
        help=f"a name that `nstlab info` lists (random weights, but for lite), or a weight file "
        f"(default: {' '.join(ENCODERS)})",
    )
    parser.add_argument(
        "--size",
        nargs="+",
        type=int,
        metavar="N",
        help=f"longer side in pixels, {SMALLEST} or more; the shorter one is three quarters of it "
        f"(default: {' '.join(map(str, SIZES))}; on a GPU {GPU_SIZES[-1]} too)",
    )
    parser.add_argument(
        "--precision",
        nargs="+",
        choices=PRECISIONS,
        default=["auto"],
        help="of our convolutions (default: auto, what is fastest here)",
    )
    parser.add_argument(
        "--rounds", type=int, default=5, metavar="N", help="turns that count (default: 5)"
    )
    parser.add_argument("--layers", action="store_true", help="show each convolution too")
    parser.add_argument("--no-memory", action="store_true", help="leave peak memory out")
    parser.add_argument("--json", metavar="FILE", help="write the figures there; it is replaced")


def bench(args: Namespace) -> int:
    """Measure and show; rows appear as they are made.

    Args:
        args: the parsed command line.

    Returns:
        0, or 130 where it was interrupted.

    Raises:
        ValueError, WeightsError: something does not fit.
    """
    device = choose_device(args.device)
    precisions = list(dict.fromkeys(choose_precision(each, device) for each in args.precision))
    sizes = args.size or list(SIZES if device.type == "cpu" else GPU_SIZES)
    if min(sizes) < SMALLEST:
        raise ValueError(f"--size is {min(sizes)}; it must be at least {SMALLEST}")
    if args.rounds < 1:
        raise ValueError(f"--rounds is {args.rounds}; it must be at least 1")
    for name in args.encoder:
        check_encoder(encoder_to_time(name, torch.device("cpu")))  # before anything is measured
    memory = not args.no_memory and memory_is_measurable(device)
    tasks = [(name, size) for name in args.encoder for size in sizes]
    rows: list[Row] = []
    with Progress(args.quiet) as progress:
        counter = _Counter(progress, 1 + PARTS * len(tasks))
        try:
            counter.tell("matrix products")
            ceilings = matrix_product_ceiling(device, precisions, rounds=args.rounds)
            _show(head(device, ceilings))
            for name, size in tasks:
                counter.name = f"{Path(name).name} {size} px"
                made = measure_rows(
                    name,
                    size,
                    precisions,
                    ceilings,
                    device=device,
                    rounds=args.rounds,
                    memory=memory,
                    tell=counter.tell,
                )
                rows += made
                for row in made:
                    _show(line(row) + (layer_lines(row, ceilings) if args.layers else ""))
                if args.json is not None:
                    data = record(device, ceilings, rows)
                    write_atomically(Path(args.json), (json.dumps(data, indent=1) + "\n").encode())
        except KeyboardInterrupt:
            counter.close()
            write_line(f"nstlab: interrupted; {len(rows)} rows were made", sys.stderr)
            return INTERRUPTED
    _show("\n" + LEGEND)
    return 0


def _show(text: str) -> None:
    """Write lines to stdout, and leave the bar whole where it is in the same terminal."""
    tqdm.write(text, file=sys.stdout, end="")
    sys.stdout.flush()


def head(device: torch.device, ceilings: Mapping[str, float]) -> str:
    """What stands above the rows: the machine, its ceilings, the names of the columns.

    Args:
        device: where it is measured.
        ceilings: precision to operations per second.

    Returns:
        Lines.
    """
    found = machine(device)
    product = ", ".join(f"{name} {speed / 1e12:.3g}" for name, speed in ceilings.items())
    about = [
        ["device", f"{device} ({device_name(device)}), {found['threads']} threads"],
        ["versions", f"torch {found['torch']}, nstlab {found['nstlab']}"],
        ["ceiling", f"matrix product, TFLOP/s: {product}"],
    ]
    return columns(about, indent=0) + "\n" + _cells(HEAD)


def line(row: Row) -> str:
    """One row of the table."""
    return _cells(
        [
            Path(row.encoder).name,
            f"{row.width} × {row.height}",
            row.precision,
            f"{row.seconds * 1e3:.1f}",
            f"{row.textbook_seconds * 1e3:.1f}",
            f"{row.ratio:.2f}",
            f"{row.share:.0%}",
            f"{row.optimiser_seconds * 1e3:.1f}",
            f"{row.textbook_optimiser_seconds * 1e3:.1f}",
            "-" if row.bytes is None else f"{row.bytes / 1e6:.0f}",
            "-" if row.textbook_bytes is None else f"{row.textbook_bytes / 1e6:.0f}",
            "-" if row.memory_ratio is None else f"{row.memory_ratio:.2f}",
        ]
    )


def layer_lines(row: Row, ceilings: Mapping[str, float]) -> str:
    """Each convolution of a row: GFLOP, milliseconds, share of the ceiling."""
    ceiling = ceilings[row.precision]
    return columns(
        [
            [
                each.layer,
                f"{each.flops / 1e9:.2f} GFLOP",
                f"{each.seconds * 1e3:.2f} ms",
                f"{each.share(ceiling):.0%}",
            ]
            for each in row.convolutions
        ],
        indent=4,
    )


def record(device: torch.device, ceilings: Mapping[str, float], rows: list[Row]) -> dict:
    """All figures as plain data; weight files by their name alone."""
    return {
        "machine": {**machine(device), "processor": device_name(device)},
        "ceilings": dict(ceilings),
        "rows": [{**asdict(row), "encoder": Path(row.encoder).name} for row in rows],
    }


def device_name(device: torch.device) -> str:
    """The GPU's name, or the processor's as far as the system tells."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    told = Path("/proc/cpuinfo")
    if told.exists():
        for text in told.read_text(errors="replace").splitlines():
            if text.startswith("model name"):
                return text.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _cells(words: tuple[str, ...] | list[str]) -> str:
    """One line in columns that are as wide before any row is known."""
    widths = (14, 11, 9, *(max(8, len(each)) for each in HEAD[3:]))
    cells = [
        word.ljust(width) if place < 3 else word.rjust(width)
        for place, (word, width) in enumerate(zip(words, widths, strict=True))
    ]
    return " ".join(cells).rstrip() + "\n"


class _Counter:
    """Counts the parts that are begun."""

    def __init__(self, progress: Progress, parts: int) -> None:
        self.progress, self.parts, self.begun, self.name = progress, parts, 0, ""

    def tell(self, part: str) -> None:
        """A part begins."""
        text = " ".join(filter(None, [self.name, part]))
        self.progress.show(self.begun, self.parts, text)
        self.begun += 1

    def close(self) -> None:
        """Take the bar away, so that a line can follow."""
        if self.progress.bar is not None:
            self.progress.bar.close()
