"""The committed notebooks as files: run in order, tidy, small, and of one pattern. No kernel."""

import base64
import copy
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).parent.parent / "notebooks"
SERIES = sorted(FOLDER.glob("*.ipynb"))
SOLUTIONS = sorted(FOLDER.glob("solutions/*.ipynb"))
LARGEST, LARGEST_OUTPUT, LARGEST_PNG = 1024, 300, 150  # KiB
LONGEST_CELL = 20  # lines
MACHINE_PATH = re.compile(
    r"/(home|root|Users|tmp|mnt|opt|work|var/folders)/"
    r"|/content/\w|[A-Za-z]:\\+Users\\|site-packages/|ipykernel_\d+"
)
ADDRESS = re.compile(r"\bat 0x[0-9a-f]{6,}")
SHELL = re.compile(r"^\s*(!|%pip|%conda|%%bash|%%sh|get_ipython\(\)\.system)", re.M)
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)|(?:src|href)=\"([^\"#]+)")
WIDGET = "application/vnd.jupyter.widget-view+json"
KERNEL = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}

Notebook = dict[str, Any]
Faults = Iterator[str]


def read(path: Path) -> Notebook:
    return json.loads(path.read_text(encoding="utf-8"))


def text(value: str | list[str]) -> str:
    return value if isinstance(value, str) else "".join(value)


def cells(notebook: Notebook, kind: str) -> list[dict[str, Any]]:
    return [cell for cell in notebook["cells"] if cell["cell_type"] == kind]


def images(notebook: Notebook) -> list[dict[str, str]]:
    """For each output with pictures, its picture data by MIME type."""
    outputs = [output for cell in cells(notebook, "code") for output in cell["outputs"]]
    found = [
        {kind: text(data) for kind, data in output.get("data", {}).items() if "image/" in kind}
        for output in outputs
    ]
    return [each for each in found if each]


def words(prose: str) -> int:
    """Words of a text, without formulas, addresses of links, and marks."""
    plain = re.sub(r"\$\$?.*?\$\$?|\]\([^)]*\)", " ", prose, flags=re.S)
    return sum(any(letter.isalpha() for letter in word) for word in plain.split())


def faults(notebook: Notebook) -> Faults:
    """All that is wrong with a notebook wherever it lies."""
    yield from _faults_of_metadata(notebook)
    ids = [cell.get("id") for cell in notebook["cells"]]
    if None in ids or len(set(ids)) < len(ids):
        yield "ids are missing or not unique"
    if not text(notebook["cells"][0]["source"]).startswith("# "):
        yield "the first cell does not start with a title"
    if notebook["cells"][0]["cell_type"] != "markdown":
        yield "the first cell is not text"
    for number, cell in enumerate(cells(notebook, "code"), 1):
        for fault in _faults_of_cell(cell, number):
            yield f"code cell {number}: {fault}"
    for picture in images(notebook):
        if len(picture) > 1:
            yield f"one picture in {' and '.join(picture)}"
        for kind, data in picture.items():
            if kind == "image/png" and len(base64.b64decode(data)) > LARGEST_PNG * 1024:
                yield "a picture as PNG that should be JPEG"


def _faults_of_metadata(notebook: Notebook) -> Faults:
    if (notebook["nbformat"], notebook["nbformat_minor"]) < (4, 5):
        yield "older than notebook format 4.5"
    if notebook["metadata"] != {"kernelspec": KERNEL, "language_info": {"name": "python"}}:
        yield "metadata of one machine; write it with notebooks/render.py"


def _faults_of_cell(cell: dict[str, Any], number: int) -> Faults:
    source = text(cell["source"])
    if not source.strip():
        yield "empty"
    if cell["execution_count"] != number:
        yield f"has count {cell['execution_count']}; restart and run all"
    if len(source.splitlines()) > LONGEST_CELL:
        yield f"longer than {LONGEST_CELL} lines"
    if SHELL.search(source):
        yield "runs a shell command"
    if cell["metadata"].keys() - {"tags"}:
        yield f"metadata {', '.join(cell['metadata'])}"
    if "nbval-check-output" in cell["metadata"].get("tags", []) and not cell["outputs"]:
        yield "its output is to be compared, and there is none"
    for output in cell["outputs"]:
        data = output.get("data", {"text": output.get("text", "")})
        if output["output_type"] == "error" or output.get("name") == "stderr":
            yield "error or stderr output"
            continue
        if output.get("execution_count", number) != number:
            yield "output of another run"
        if WIDGET in data and not any("image/" in kind for kind in data):
            yield "a widget without a picture for readers who have no kernel"
        for kind, value in data.items():
            shown = text(value)
            if len(shown) > LARGEST_OUTPUT * 1024:
                yield f"output of more than {LARGEST_OUTPUT} KiB"
            if "image/" not in kind and (MACHINE_PATH.search(shown) or ADDRESS.search(shown)):
                yield "path or address of one machine in the output"
    if MACHINE_PATH.search(source):
        yield "path of one machine"


def every(paths: list[Path]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("path", paths, ids=lambda path: path.stem)


def test_there_are_notebooks() -> None:
    assert len(SERIES) >= 2
    assert {path.name for path in SOLUTIONS} <= {path.name for path in SERIES}


@every([*SERIES, *SOLUTIONS])
def test_the_file_is_in_order(path: Path) -> None:
    assert re.fullmatch(r"\d\d_[a-z0-9_]+\.ipynb", path.name)
    assert list(faults(read(path))) == []
    raw = path.read_bytes()
    assert len(raw) <= LARGEST * 1024
    assert raw.endswith(b"}\n")
    assert b"\r" not in raw


@every([*SERIES, *SOLUTIONS])
def test_links_lead_somewhere(path: Path) -> None:
    for cell in cells(read(path), "markdown"):
        for match in LINK.finditer(text(cell["source"])):
            place = match[1] or match[2]
            assert "://" in place or (path.parent / place).exists(), place


@every(SERIES)
def test_the_notebook_follows_the_pattern(path: Path) -> None:
    notebook = read(path)
    prose = "\n".join(text(cell["source"]) for cell in cells(notebook, "markdown"))
    code = [text(cell["source"]) for cell in cells(notebook, "code")]
    lines = sum(bool(line.strip()) for source in code for line in source.splitlines())
    assert text(notebook["cells"][0]["source"]).startswith(f"# {int(path.name[:2])}. ")
    assert "**The one idea:**" in prose
    assert "On Colab run first" in prose
    assert prose.count("*Predict:*") >= 3
    assert prose.count("*Read the ") >= 3
    assert len(re.findall(r"^\*\*[123]\.\*\*", prose, re.M)) == 3
    for heading in ("## What we saw", "## Exercises", "**Next:**"):
        assert heading in prose
    assert 600 <= words(prose) <= 1400
    assert 10 <= len(code) <= 20
    assert 60 <= lines <= 140
    assert 3 <= len(images(notebook)) <= 9
    assert "quick(" in code[1], "the settings stand in the second code cell"
    assert all(kind in ("image/jpeg", "image/png") for each in images(notebook) for kind in each)


def test_some_outputs_are_compared_when_the_notebooks_are_run() -> None:
    tags = [
        tag
        for path in SERIES
        for cell in cells(read(path), "code")
        for tag in cell["metadata"].get("tags", [])
    ]
    assert tags.count("nbval-check-output") >= 4
    known = {"nbval-check-output", "nbval-ignore-output", "raises-exception", "thumbnail"}
    assert set(tags) <= known


@every(SERIES)
def test_one_cell_shows_the_figure_for_the_readme(path: Path) -> None:
    tagged = [
        cell
        for cell in cells(read(path), "code")
        if "thumbnail" in cell["metadata"].get("tags", [])
    ]
    assert len(tagged) == 1
    assert images({"cells": tagged})
    assert (FOLDER / "figures" / f"thumbnail_{path.name[:2]}.jpg").exists()


def test_every_experiment_of_the_list_has_a_notebook() -> None:
    rows = re.findall(r"^\| (\d+) \|", (FOLDER / "README.md").read_text(), re.M)
    assert list(map(int, rows)) == [*range(1, 38), *range(40, 47)]


def test_outputs_that_do_not_depend_on_the_mode_are_compared() -> None:
    tags = [cell["metadata"].get("tags", []) for path in SERIES for cell in read(path)["cells"]]
    assert sum("nbval-check-output" in each for each in tags) >= 10


@every(SERIES)
def test_it_is_in_both_tables(path: Path) -> None:
    assert f"({path.name})" in (FOLDER / "README.md").read_text()
    main = (FOLDER.parent / "README.md").read_text()
    assert f"(notebooks/{path.name})" in main
    assert f"notebooks/figures/thumbnail_{path.name[:2]}.jpg" in main


def a_notebook() -> Notebook:
    stream = {"output_type": "stream", "name": "stdout", "text": ["1\n"]}
    code = {"cell_type": "code", "id": "b", "metadata": {}, "source": ["print(1)"]}
    return {
        "nbformat": 4,
        "nbformat_minor": 5,
        "metadata": {"kernelspec": dict(KERNEL), "language_info": {"name": "python"}},
        "cells": [
            {"cell_type": "markdown", "id": "a", "metadata": {}, "source": ["# 1. Title"]},
            {**code, "execution_count": 1, "outputs": [stream]},
        ],
    }


PICTURE = {"image/jpeg": "AAAA", "image/png": "AAAA"}
LARGE = {"image/png": base64.b64encode(bytes(200 * 1024)).decode()}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"source": ["!ls"]}, "shell"),
        ({"source": ["%pip install x"]}, "shell"),
        ({"source": ["x = 1\n"] * 21}, "longer than 20"),
        ({"source": ["open('/home/someone/x')"]}, "path of one machine"),
        ({"source": [""]}, "empty"),
        ({"execution_count": None}, "restart and run all"),
        ({"execution_count": 2}, "restart and run all"),
        ({"metadata": {"execution": {}}}, "metadata execution"),
        ({"metadata": {"tags": ["nbval-check-output"]}, "outputs": []}, "there is none"),
        ({"id": "a"}, "not unique"),
        ({"outputs": [{"output_type": "error", "ename": "E"}]}, "error or stderr"),
        ({"outputs": [{"output_type": "stream", "name": "stderr", "text": ""}]}, "stderr"),
        ({"outputs": [{"output_type": "display_data", "data": PICTURE}]}, "one picture in"),
        ({"outputs": [{"output_type": "display_data", "data": LARGE}]}, "should be JPEG"),
        ({"outputs": [{"output_type": "stream", "name": "stdout", "text": "x" * 4**10}]}, "300"),
        ({"outputs": [{"output_type": "stream", "name": "stdout", "text": "/tmp/x"}]}, "address"),
        ({"outputs": [{"output_type": "display_data", "data": {WIDGET: {}}}]}, "without a picture"),
        (
            {"outputs": [{"output_type": "stream", "name": "stdout", "text": "<A at 0x7f00ab12>"}]},
            "address",
        ),
    ],
)
def test_faults_are_found(change: dict[str, Any], expected: str) -> None:
    assert list(faults(a_notebook())) == []
    broken = copy.deepcopy(a_notebook())
    broken["cells"][1] |= change
    assert any(expected in fault for fault in faults(broken))


def test_words_are_counted_without_marks() -> None:
    assert words("| **Two** words | | $x + y$ - [a link](to/some place.md), 42 `code` |") == 5


def test_faults_of_the_whole_are_found() -> None:
    named = a_notebook()
    named["metadata"]["kernelspec"]["name"] = "my-env"
    with_widgets = a_notebook()
    with_widgets["metadata"]["widgets"] = {}
    untitled = a_notebook()
    untitled["cells"][0]["source"] = ["Title"]
    assert "one machine" in "".join(faults(named))
    assert "one machine" in "".join(faults(with_widgets))
    assert "title" in "".join(faults(untitled))
