"""How a benchmark's script carries out one of its parts: threads, folder, endings, table, JSON."""

import argparse
import json
import sys
from collections.abc import Callable
from typing import Any

import torch

from nstlab.images import PictureError, write_atomically
from nstlab.weights import WeightsError

Figures = dict[str, Any]


def carry_out(
    args: argparse.Namespace,
    part: Callable[[], tuple[Figures, str, str]],
    interrupted: str,
) -> None:
    """Run one part, print its table, and write its figures.

    Args:
        args: `output`, a folder that is made if need be, and `threads`, None for torch's choice.
        part: gives the figures as plain data, the table, and the name of the file of figures.
        interrupted: what is said after Ctrl-C.

    Raises:
        SystemExit: it was interrupted, or a file is missing or is not what it should be.
    """
    if args.threads is not None:
        torch.set_num_threads(args.threads)
    args.output.mkdir(parents=True, exist_ok=True)
    try:
        figures, table, name = part()
    except KeyboardInterrupt:
        print(interrupted, file=sys.stderr)
        raise SystemExit(130) from None
    except (FileNotFoundError, WeightsError, PictureError) as error:
        raise SystemExit(str(error)) from error
    print(table, flush=True)
    text = json.dumps(_short(figures), indent=1, ensure_ascii=False) + "\n"
    write_atomically(args.output / f"{name}.json", text.encode())


def _short(value: Any) -> Any:
    """Plain data with its numbers to six digits."""
    if isinstance(value, dict):
        return {key: _short(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_short(each) for each in value]
    return float(f"{value:.6g}") if isinstance(value, float) else value
