"""The benchmarks' scripts, on tiny settings: that they run, go on, and count rightly."""

import importlib
import json
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
import torch

import nstlab
from nstlab import Settings, load_encoder, load_picture

FOLDER = Path(__file__).parent / "benchmarks"


@pytest.fixture
def benchmark(monkeypatch):
    """A script of that folder as a module, by name."""
    monkeypatch.syspath_prepend(str(FOLDER))

    def load(name: str) -> ModuleType:
        return importlib.import_module(name)

    return load


def test_it_is_a_script_that_lists_its_parts():
    env = {**os.environ, "PYTHONPATH": str(Path(nstlab.__file__).parent.parent)}
    command = [sys.executable, str(FOLDER / "lite.py"), "--help"]
    done = subprocess.run(command, capture_output=True, text=True, env=env)
    assert done.returncode == 0, done.stderr
    for part in ("distance", "transfer", "content", "speed", "sheet"):
        assert f"\n    {part} " in done.stdout


def test_speed_gives_a_table_and_numbers(benchmark, tmp_path, capsys):
    run = ["speed", "--output", str(tmp_path), "--size", "32", "--rounds", "1"]
    benchmark("lite").main([*run, "--precisions", "float32"])
    table = capsys.readouterr().out.splitlines()
    assert table[0].startswith("| 32 × 24 px, 1 turns on 1 threads | lite | VGG-19 |")
    assert table[2].startswith("| float32 | ")
    figures = json.loads(next(tmp_path.glob("speed-*.json")).read_text())
    found = figures["precisions"]["float32"]
    assert found["ratio"] == pytest.approx(found["vgg19"] / found["lite"], rel=1e-4)
    assert figures["encoders"]["lite"]["weights"] == "lite.safetensors"
    assert str(tmp_path) not in json.dumps(figures)


def test_content_of_own_pictures_needs_no_shared_file(benchmark, tmp_path, capsys, monkeypatch):
    monkeypatch.delenv("NSTLAB_TEST_FILES", raising=False)
    run = ["content", "--own", "--photographs", "chelsea", "--output", str(tmp_path)]
    run += ["--encoders", "lite", "random", "--size", "32", "--steps", "2"]
    benchmark("lite").main(run)
    first = capsys.readouterr().out
    assert "| lite | " in first
    assert "| random weights | " in first
    kept = {path: path.stat().st_mtime_ns for path in (tmp_path / "runs").iterdir()}
    assert len(kept) == 8
    (sheet,) = tmp_path.glob("content-own-*.jpg")
    assert load_picture(sheet).shape[3] > 1000
    benchmark("lite").main(run)  # out of the files
    assert capsys.readouterr().out == first
    assert {path: path.stat().st_mtime_ns for path in kept} == kept


def test_a_sheet_has_a_row_for_each_pair(benchmark, tmp_path, capsys):
    run = ["sheet", "--own", "--photographs", "china", "--styles", "swirls_1", "woodblock_1"]
    run += ["--encoders", "lite", "random", "--output", str(tmp_path)]
    benchmark("lite").main([*run, "--size", "32", "--steps", "1"])
    assert "| seconds for a run, median | " in capsys.readouterr().out
    (path,) = tmp_path.glob("sheet-own-*.jpg")
    assert path.stat().st_size <= 1_000_000
    assert len(list((tmp_path / "runs").iterdir())) == 4


def test_without_shared_files_it_says_what_is_missing(benchmark, tmp_path, monkeypatch):
    monkeypatch.delenv("NSTLAB_TEST_FILES", raising=False)
    with pytest.raises(SystemExit, match="set NSTLAB_TEST_FILES to the folder"):
        benchmark("lite").main(["distance", "--output", str(tmp_path)])


def test_distance_and_transfer_on_the_shared_files(benchmark, tmp_path, capsys, shared_files):
    assert (shared_files / "weights").is_dir()
    run = ["--output", str(tmp_path), "--encoders", "lite", "random"]
    benchmark("lite").main(["distance", *run, "--size", "48", "--square", "--resamples", "9"])
    assert "| raw: to reach | 0.98 | 0.97 | 0.95 | 0.95 | 0.95 |" in capsys.readouterr().out
    figures = json.loads(next(tmp_path.glob("distance-square-*.json")).read_text())
    assert (figures["pictures"], figures["size"]) == (27, [48, 48])
    raw = figures["raw"]
    assert raw["lite"]["relu1_1"]["correlation"] > raw["random"]["relu1_1"]["correlation"]
    run += ["--photographs", "china", "--styles", "style/wave_crop", "--size", "48"]
    benchmark("lite").main(["transfer", *run, "--steps", "4"])
    assert "| china × wave_crop | " in capsys.readouterr().out
    figures = json.loads(next(tmp_path.glob("transfer-*.json")).read_text())
    (pair,) = figures["pairs"]
    assert pair["start"]["content"] == 0
    assert 0 < pair["real"]["style"] < pair["start"]["style"]
    assert figures["summary"]["real"]["gap_closed"] == [1, 1]


def test_runs_are_kept_apart_by_weights_settings_and_pictures(benchmark, tmp_path):
    runs, settings = benchmark("lite_runs"), Settings(size=32, steps=1)
    lite, random = load_encoder("lite"), load_encoder("lite", weights="random")

    def files(*args: object) -> int:
        runs.kept_run(tmp_path, *args)
        return len(list(tmp_path.iterdir()))

    assert files(lite, settings, "china", "swirls_1") == 1
    assert files(lite, settings, "china", "swirls_1") == 1
    assert files(random, settings, "china", "swirls_1") == 2
    assert files(lite, settings.change(steps=2), "china", "swirls_1") == 3
    assert files(lite, settings, "chelsea", "swirls_1") == 4
    assert files(lite, settings, "china", "swirls_2") == 5
    assert files(lite, settings, "china") == 6
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names[0].startswith(f"chelsea-swirls_1-{(lite.weights_sha256 or '')[:12]}-")


def test_a_kept_run_is_not_rounded_to_eight_bits(benchmark, tmp_path):
    runs, settings = benchmark("lite_runs"), Settings(size=32, steps=2)
    fresh = runs.kept_run(tmp_path, load_encoder("lite"), settings, "china", "swirls_1")
    again = runs.kept_run(tmp_path, load_encoder("lite"), settings, "china", "swirls_1")
    assert torch.equal(again.image, fresh.image)
    assert again.ended == fresh.ended == "finished"
    assert not torch.equal((again.image * 255).round() / 255, again.image)


def test_an_interrupted_run_is_not_kept_but_gone_on_with(benchmark, tmp_path, monkeypatch):
    runs, lite = benchmark("lite_runs"), load_encoder("lite")
    settings = Settings(size=32, steps=3)
    whole = runs.kept_run(tmp_path / "whole", lite, settings, "china", "swirls_1")
    stylize = runs.stylize

    def stopped(*args: object, **options: object) -> nstlab.Run:
        run = stylize(*args, **options, on_step=_interrupt_at(1))
        run.ended = "interrupted"  # as Ctrl-C has it; a watcher that stops says `stopped`
        return run

    monkeypatch.setattr(runs, "stylize", stopped)
    with pytest.raises(KeyboardInterrupt):
        runs.kept_run(tmp_path / "cut", lite, settings, "china", "swirls_1")
    assert [path.suffix for path in (tmp_path / "cut").iterdir()] == [".checkpoint"]
    monkeypatch.setattr(runs, "stylize", stylize)
    again = runs.kept_run(tmp_path / "cut", lite, settings, "china", "swirls_1")
    assert torch.equal(again.image, whole.image)
    assert [path.suffix for path in (tmp_path / "cut").iterdir()] == [".safetensors"]


def _interrupt_at(step: int):
    def watch(seen: nstlab.Step) -> None:
        if seen.step == step:
            raise StopIteration

    return watch


def test_the_gap_and_the_ratios(benchmark):
    transfer = benchmark("lite_transfer")
    losses = {"start": 1.0, "real": 0.2, "lite": 0.28, "random": 0.84}
    pair = {k: {"style": v, "unseen": v, "content": v, "seconds": 1.0} for k, v in losses.items()}
    better = {**pair, "lite": {**pair["lite"], "style": 0.2, "unseen": 0.2}}
    worse = {**pair, "lite": {**pair["lite"], "style": 1.0, "unseen": 0.8}}
    assert transfer.gap_closed(pair, "lite") == pytest.approx(0.9)
    found = transfer.summary([pair, better, worse], ["real", "lite", "random"])
    assert found["lite"]["gap_closed"] == pytest.approx([0.9, 0.0])
    assert found["lite"]["style_over_random"] == pytest.approx([1 / 3, 1 / 0.84])
    assert found["lite"]["unseen_over_real"] == pytest.approx([1.4, 4])
    assert found["real"]["gap_closed"] == pytest.approx([1, 1])
    figures = {"pairs": [{"photograph": "p", "painting": "s", **pair}], "summary": found}
    text = transfer.table(figures)
    assert "| style gap closed | 100.0% (100.0%) | 90.0% (0.0%) | 20.0% (20.0%) | ≥ 90 % |" in text
    assert "| p × s | 1 | 0.2 (100.0%) | 0.28 (90.0%) | 0.84 (20.0%) |" in text


def test_the_judge_is_content_with_the_pictures_themselves(benchmark, tiny_encoder, photo):
    judge, other = benchmark("lite_transfer").judge, photo.flip(3) ** 2
    assert judge(tiny_encoder, photo, photo, other).content == 0
    same = judge(tiny_encoder, photo, other, photo)
    assert same.style == same.unseen == 0
    assert same.content > 0
    moved = judge(tiny_encoder, (photo * 255).round() / 255, photo, photo)
    assert moved.style > 0


def test_psnr_arrangement_and_edges(benchmark, photo):
    sheets = benchmark("lite_sheets")
    flat = torch.full_like(photo, 0.5)
    assert sheets.psnr(flat + 0.1, flat) == pytest.approx(20, abs=1e-4)
    assert sheets.psnr(photo, photo) == 100
    assert sheets.arrangement(photo, photo) == pytest.approx(1)
    assert sheets.arrangement(1 - photo, photo) == pytest.approx(-1, abs=1e-6)
    noise = torch.rand(photo.shape, generator=torch.Generator().manual_seed(0))
    assert abs(sheets.arrangement(noise, photo)) < 0.3
    assert sheets.edges(1 - photo, photo) == pytest.approx(1)  # whatever the colours
    assert abs(sheets.edges(noise, photo)) < 0.3


def test_random_weights_have_the_candidates_architecture(benchmark):
    encoders = benchmark("lite_encoders")
    lite = load_encoder("lite", pooling="average")
    found = encoders.load_others(["random", "lite"], lite)
    assert list(found) == ["random", "lite"]
    random = found["random"]
    assert random.layers == lite.layers
    assert [random.channels(each) for each in lite.layers] == [
        lite.channels(each) for each in lite.layers
    ]
    assert random.pooling == "average"
    again = encoders.load_others(["random"], lite)["random"]
    assert encoders.fingerprint(random) == encoders.fingerprint(again) != encoders.fingerprint(lite)
