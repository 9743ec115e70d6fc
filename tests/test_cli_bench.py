"""The command `bench`, with a tiny encoder out of a file."""

import importlib
import json
import re
from pathlib import Path
from types import ModuleType

import pytest
from safetensors.torch import save_file

from nstlab.bench.rows import Row
from nstlab.cli import main
from nstlab.fitting import random_weights

COMMAND: ModuleType = importlib.import_module("nstlab.cli.bench")
SHORT = ["--size", "64", "--rounds", "1", "--device", "cpu", "--no-memory"]


@pytest.fixture(autouse=True)
def tiny(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A weight file in the current folder; the optimisers are timed elsewhere."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("nstlab.bench.ceiling.SIDE", {"cpu": 128})
    save_file(random_weights("lite", 0, (4, 5, 6, 7, 8)), "tiny.safetensors")
    monkeypatch.setattr(
        "nstlab.bench.rows.optimiser_seconds", lambda like, rounds: {"ours": 0.002, "textbook": 1}
    )
    return "tiny.safetensors"


def rows_of(out: str) -> list[list[str]]:
    """The table's rows, without the layers' lines below them."""
    lines = out.splitlines()
    first = next(k for k, line in enumerate(lines) if line.startswith("encoder"))
    cells = [re.split(r" {1,}", line.replace(" × ", "×")) for line in lines[first + 1 :]]
    return [words for words in cells if words[0].endswith((".safetensors", "lite"))]


def test_a_table_and_a_file(tiny, capsys):
    words = ["bench", "--encoder", tiny, *SHORT, "--precision", "float32", "bfloat16"]
    assert main([*words, "--size", "64", "80", "--json", "figures.json"]) == 0
    said = capsys.readouterr()
    assert re.search(r"^device +cpu \(.+\), 1 threads$", said.out, re.M)
    assert re.search(
        r"^ceiling +matrix product, TFLOP/s: float32 \S+, bfloat16 \S+$", said.out, re.M
    )
    rows = rows_of(said.out)
    assert [row[1:3] for row in rows] == [
        ["64×48", "float32"],
        ["64×48", "bfloat16"],
        ["80×60", "float32"],
        ["80×60", "bfloat16"],
    ]
    assert rows[0][-3:] == ["-", "-", "-"]
    assert "tiny.safetensors 80 px" in said.err
    data = json.loads(Path("figures.json").read_text())
    assert data["machine"]["threads"] == 1
    assert len(data["rows"]) == 4
    first = data["rows"][0]
    assert first["encoder"] == "tiny.safetensors"
    assert f"{first['seconds'] * 1e3:.1f}" == rows[0][3]
    assert f"{first['ratio']:.2f}" == rows[0][5]
    assert len(first["convolutions"]) == 13
    assert str(Path.cwd()) not in json.dumps(data)


def test_layers_follow_their_row(tiny, capsys):
    assert main(["bench", "--encoder", tiny, *SHORT, "--precision", "float32", "--layers"]) == 0
    found = re.findall(r"^    (conv\d_\d) +\S+ GFLOP +\S+ ms +\d+%$", capsys.readouterr().out, re.M)
    assert found[0] == "conv1_1"
    assert len(found) == 13


def test_quiet_shows_the_table_alone(tiny, capsys):
    assert main(["bench", "--encoder", tiny, *SHORT, "--quiet"]) == 0
    said = capsys.readouterr()
    assert said.err == ""
    assert len(rows_of(said.out)) == 1


def test_ctrl_c_leaves_the_rows_made_so_far(tiny, capsys, monkeypatch):
    measure = COMMAND.measure_rows

    def twice(name: str, size: int, *args: object, **options: object) -> list[Row]:
        if size == 96:
            raise KeyboardInterrupt
        return measure(name, size, *args, **options)

    monkeypatch.setattr(COMMAND, "measure_rows", twice)
    words = ["bench", "--encoder", tiny, *SHORT, "--json", "figures.json"]
    assert main([*words, "--size", "64", "96", "128"]) == 130
    said = capsys.readouterr()
    assert len(rows_of(said.out)) == 1
    assert said.err.splitlines()[-1] == "nstlab: interrupted; 1 rows were made"
    assert len(json.loads(Path("figures.json").read_text())["rows"]) == 1


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--size", "32"], "--size is 32; it must be at least 64"),
        (["--rounds", "0"], "--rounds is 0; it must be at least 1"),
        (["--encoder", "vgg12"], "no encoder 'vgg12' (did you mean"),
        (["--encoder", "alexnet"], "no textbook loop for alexnet"),
        (["--precision", "tf32"], "tf32 is for NVIDIA's GPUs"),
        (["--device", "abacus"], "no device 'abacus'"),
    ],
)
def test_what_makes_no_sense_is_said_before_anything_is_measured(words, message, tiny, capsys):
    assert main(["bench", "--encoder", tiny, *SHORT, *words]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert message in said.err


def test_memory_is_measured_unless_it_is_left_out(tiny, capsys, monkeypatch):
    asked = []

    def peak(loop: str, *args: object, **options: object) -> int:
        asked.append(loop)
        return 200_000_000 if loop == "textbook" else 90_000_000

    monkeypatch.setattr("nstlab.bench.rows.peak_memory", peak)
    words = [each for each in SHORT if each != "--no-memory"]
    assert main(["bench", "--encoder", tiny, *words, "--precision", "float32"]) == 0
    if not asked:
        pytest.skip("no number on this system")
    assert asked == ["textbook", "ours"]
    assert rows_of(capsys.readouterr().out)[0][-3:] == ["90", "200", "0.45"]


def test_defaults_are_both_encoders_and_sizes_to_1024(monkeypatch, capsys):
    asked = []
    monkeypatch.setattr(
        COMMAND,
        "measure_rows",
        lambda name, size, *args, **options: asked.append((name, size)) or [],
    )
    monkeypatch.setattr(
        COMMAND, "matrix_product_ceiling", lambda *args, **options: {"float32": 1e12}
    )
    assert main(["bench", "--quiet"]) == 0
    assert asked == [(name, size) for name in ("lite", "vgg19") for size in (256, 512, 1024)]
    assert "textbook loop computes in float32" in capsys.readouterr().out
