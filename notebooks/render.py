"""Run notebooks from top to bottom and write them back with tidy outputs.

    python notebooks/render.py                       # all of them
    python notebooks/render.py notebooks/01_*.ipynb  # some
    python notebooks/render.py --check ...           # run, write nothing

A notebook that fails is left as it was. Progress bars are switched off, since a bar that has been
saved stands still for ever.
"""

import argparse
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat import NotebookNode

FOLDER = Path(__file__).parent
KERNEL = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}


def execute(notebook: NotebookNode, folder: Path, timeout: int) -> None:
    """Run all cells in a new kernel; their outputs are put into the notebook.

    Args:
        notebook: changed in place.
        folder: where the kernel starts, so that files are found as a reader finds them.
        timeout: seconds for one cell.

    Raises:
        CellExecutionError, CellTimeoutError, DeadKernelError: a cell failed.
    """
    client = NotebookClient(
        notebook,
        timeout=timeout,
        kernel_name="python3",
        record_timing=False,  # else each cell carries time stamps
        resources={"metadata": {"path": str(folder)}},
    )
    client.execute()


def tidy(notebook: NotebookNode) -> None:
    """Leave out what belongs to one machine or one run, and join what was printed piece by piece.

    The state of widgets goes too: GitHub refuses a notebook whose state lacks a key, and shows no
    widget anyway.

    Args:
        notebook: changed in place.
    """
    for cell in notebook.cells:
        joined = []
        for output in cell.get("outputs", []):
            last = joined[-1] if joined else {}
            if output.output_type == "stream" and last.get("name") == output.name:
                last.text += output.text
            else:
                joined.append(output)
        if "outputs" in cell:
            cell.outputs = joined
    notebook.metadata = NotebookNode(kernelspec=KERNEL, language_info={"name": "python"})


def render(path: Path, *, write: bool, timeout: int) -> str:
    """Run one notebook.

    Args:
        path: an `.ipynb` file.
        write: whether to write it back.
        timeout: seconds for one cell.

    Returns:
        An empty string, or what went wrong.
    """
    notebook = nbformat.read(path, as_version=4)
    try:
        execute(notebook, path.resolve().parent, timeout)
    except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
        return str(error)
    tidy(notebook)
    nbformat.validate(notebook)
    if write:
        nbformat.write(notebook, path)
    return ""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the notebooks named on the command line.

    Args:
        argv: its words; None for those the script was started with.

    Returns:
        1 if any notebook failed, else 0.
    """
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("notebooks", nargs="*", type=Path, help="all, solutions too, if none")
    parser.add_argument("--check", action="store_true", help="run, but write nothing")
    parser.add_argument("--timeout", type=int, default=900, help="seconds for one cell")
    args = parser.parse_args(argv)
    os.environ.setdefault("NSTLAB_NO_PROGRESS", "1")
    everything = [*FOLDER.glob("*.ipynb"), *FOLDER.glob("solutions/*.ipynb")]
    failed = 0
    for path in args.notebooks or sorted(everything):
        start = time.monotonic()
        trouble = render(path, write=not args.check, timeout=args.timeout)
        failed += bool(trouble)
        print(f"{path.name}: {trouble or 'done'} ({time.monotonic() - start:.0f} s)", flush=True)
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
