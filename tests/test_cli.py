import io
import json
import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import fields
from pathlib import Path

import imageio.v3 as iio
import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

import nstlab
from nstlab.cli import main
from nstlab.cli.arguments import COMMANDS, parse
from nstlab.cli.options import USED
from nstlab.cli.show import Progress, columns
from nstlab.encoders import load_encoder
from nstlab.fitting import random_weights
from nstlab.images import PictureError, open_picture, save_picture
from nstlab.runs import INFO_KEY, Run, Step, read_record
from nstlab.settings import Settings
from nstlab.transfer import invert, stylize, synthesize_texture
from nstlab.words import duration

TINY = ["--size", "48", "--steps", "3"]
ROOT = Path(nstlab.__file__).parent.parent


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, photo: Tensor, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with a photograph and a style picture."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    monkeypatch.chdir(folder)
    save_picture(photo, "photo.png")
    save_picture(photo.flip(1), "style.png")
    return folder


def files(folder: Path) -> set[str]:
    return {each.name for each in folder.iterdir()} - {"photo.png", "style.png"}


def error(capsys: pytest.CaptureFixture[str]) -> str:
    """The one line of an error message."""
    said = capsys.readouterr()
    assert said.out == ""
    lines = said.err.splitlines()
    assert lines[-1].startswith("nstlab")
    assert "Traceback" not in said.err
    return lines[-1]


# --- making pictures ---------------------------------------------------------------------------


def test_stylize_makes_what_the_function_makes(folder: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["stylize", "photo.png", "style.png", "-o", "out.png", *TINY]) == 0
    run = stylize("photo.png", "style.png", Settings(size=48, steps=3))
    expected = (run.image.clamp(0, 1) * 255).round() / 255
    assert torch.equal(open_picture("out.png"), expected)
    assert read_record("out.png")["recipe"] == run.recipe
    said = capsys.readouterr().out
    assert said.startswith("out.png: 48 × 36 px, 3 steps in ")
    assert f"encoder lite, loss {min(run.curve()):.4g}" in said
    assert files(folder) == {"out.png"}


def test_invert_and_texture_make_what_the_functions_make(folder: Path):
    assert main(["invert", "photo.png", "--seed", "4", "--quiet", *TINY]) == 0
    assert main(["texture", "style.png", "photo.png", "--quiet", *TINY]) == 0
    assert files(folder) == {"photo_inverted.png", "style_photo_texture.png"}
    tiny = Settings(size=48, steps=3)
    inverted = invert("photo.png", tiny.change(seed=4))
    assert read_record("photo_inverted.png")["losses"] == inverted.record()["losses"]
    texture = synthesize_texture(["style.png", "photo.png"], tiny)
    assert read_record("style_photo_texture.png")["losses"] == texture.record()["losses"]


def test_every_setting_can_be_given_and_arrives():
    given = Settings(
        encoder="vgg16",
        weights="some.pth",
        pooling="average",
        content_layers=("relu3_1", "relu4_1"),
        content_layer_weights=(1, 2),
        style_layers=("relu1_1", "relu2_1"),
        style_layer_weights=(3, 0.5),
        normalization="gatys",
        content_weight=2,
        style_weight=1e4,
        variation_weight=0.25,
        range_weight=0,
        style_blend=(0.25, 0.75),
        size=100,
        style_fit="cover",
        style_scale=1.5,
        start="noise",
        steps=7,
        optimizer="gradient_descent",
        learning_rate=0.05,
        history=3,
        preconditioner="none",
        precision="bfloat16",
        seed=11,
    )
    words = ["stylize", "a.png", "b.png", "c.png"]
    for each in fields(Settings):
        value = getattr(given, each.name)
        assert value != getattr(Settings(), each.name), each.name
        words.append("--" + each.name.replace("_", "-"))
        words += map(str, value) if isinstance(value, tuple) else [str(value)]
    assert parse(words).settings == given


def test_defaults_are_those_of_settings():
    for name in USED:
        assert (
            parse([name, "a.png", *(["b.png"] if name == "stylize" else [])]).settings == Settings()
        )


def test_lists_are_separated_by_commas_or_spaces():
    for words in (["1,2"], ["1", "2"], ["1 2"], ["1,", "2"]):
        args = parse(["stylize", "a", "b", "c", "--style-blend", *words])
        assert args.settings.style_blend == (1.0, 2.0)


def test_default_names_come_from_the_pictures(folder: Path):
    assert main(["stylize", "photo.png", "style.png", "swirls_1", "--quiet", *TINY]) == 0
    assert files(folder) == {"photo_style_swirls_1.png"}


def test_other_formats_carry_the_settings_too(folder: Path):
    assert main(["invert", "photo.png", "-o", "out.jpg", "--quiet", *TINY]) == 0
    assert read_record("out.jpg")["recipe"]["task"] == "invert"


def test_quiet_prints_nothing(capsys: pytest.CaptureFixture[str]):
    assert main(["invert", "photo.png", "--quiet", *TINY]) == 0
    assert capsys.readouterr() == ("", "")


def test_gif_and_numbered_pictures(folder: Path, capsys: pytest.CaptureFixture[str]):
    words = ["invert", "--gif", "photo.png", "-o", "out.png", "--size", "48", "--steps", "20"]
    assert main([*words, "--save-every", "8"]) == 0
    assert files(folder) == {"out.png", "out.gif", "out_0008.png", "out_0016.png"}
    assert len(iio.imread("out.gif", index=None)) == 11
    assert "out.gif: 11 frames" in capsys.readouterr().out
    assert open_picture("out_0008.png").shape == (1, 3, 36, 48)
    assert not torch.equal(open_picture("out_0008.png"), open_picture("out_0016.png"))


def test_animations_take_names_and_frames(folder: Path):
    words = ["invert", "photo.png", *TINY, "-o", "a.png", "--quiet"]
    assert main([*words, "--gif", "b.gif", "--mp4", "c.webm", "--frame-every", "1"]) == 0
    assert files(folder) == {"a.png", "b.gif", "c.webm"}
    assert len(iio.imread("b.gif", index=None)) == 4


def test_start_from_an_earlier_result():
    assert main(["invert", "photo.png", "-o", "a.png", "--quiet", *TINY]) == 0
    words = ["invert", "photo.png", "-o", "b.png", "--start-from", "a.png", "--quiet"]
    assert main([*words, "--size", "48", "--steps", "1"]) == 0
    first, second = read_record("a.png"), read_record("b.png")
    assert second["recipe"]["pictures"]["start"][0]["name"] == "a.png"
    assert second["losses"]["content"][0] == pytest.approx(min(first["losses"]["content"]), rel=0.2)


# --- what is found before the run --------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["-o", "photo.xyz"], "must end in one of .png"),
        (["-o", "missing/out.png"], "there is no folder 'missing'"),
        (["-o", "style.png"], "exists already; choose another name with -o, or .* --overwrite"),
        (["-o", "photo.png", "--overwrite"], "'photo.png' goes into the run"),
        (["--gif=film.mp4"], "--gif writes .gif, not 'film.mp4'"),
        (["--mp4", "no/film.mp4"], "there is no folder 'no'"),
        (["--frame-every", "5"], "add --gif or --mp4"),
        (["--save-every", "0"], "--save-every is 0; it must be at least 1"),
        (["--checkpoint-every", "0"], "--checkpoint-every is 0"),
        (["--content-layers", "relu4_9"], "no layer 'relu4_9' .did you mean 'relu4_"),
        (["--encoder", "vgg17"], "no encoder 'vgg17'"),
        (["--encoder", "none.pth"], "no weight file 'none.pth'"),
        (["--device", "tpu"], "no device 'tpu' on this machine"),
        (["--start-from", "none.png"], "there is no file 'none.png'"),
        (["--start", "style"], "invert has no style picture"),
        (["--resume"], "no checkpoint '.*' to go on from; leave --resume out"),
    ],
)
def test_what_does_not_work_is_said_in_one_line(
    folder: Path, capsys: pytest.CaptureFixture[str], words: list[str], message: str
):
    assert main(["invert", "photo.png", *TINY, *words]) == 1
    said = error(capsys)
    assert said.startswith("nstlab: error: ")
    assert re.search(message, said), said
    assert files(folder) == set()


def test_missing_and_broken_pictures(folder: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["stylize", "photo.png", "swirls_9", *TINY]) == 1
    assert "no picture is named 'swirls_9' (did you mean" in error(capsys)
    (folder / "text.png").write_text("no picture")
    assert main(["stylize", "text.png", "style.png", *TINY]) == 1
    assert "'text.png' is not a picture" in error(capsys)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "no command; there is: stylize, invert"),
        (["stylise", "a", "b"], "no command 'stylise' (did you mean 'stylize'?)"),
        (["stylize", "a"], "the following arguments are required: STYLE"),
        (["stylize", "a", "b", "--style-wieght", "3"], "did you mean '--style-weight'?"),
        (["invert", "a", "b"], "'b' is one picture too many"),
        (["invert", "a", "--style-weight", "3"], "no option --style-weight"),
        (["invert", "a", "--size", "8"], "size is 8; it must be at least 16"),
        (["invert", "a", "--size", "big"], "invalid int value: 'big'"),
        (["invert", "a", "--start", "picture"], "invalid choice: 'picture'"),
        (["invert", "a", "--start", "noise", "--start-from", "b"], "both say where to start"),
        (["invert", "a", "--content-layer-weights", "x"], "takes numbers, got 'x'"),
        (["invert", "a", "--content-layer-weights", "1,2"], "has 2 numbers for 1 layers"),
        (["invert", "a", "--resume", "--overwrite"], "not allowed with argument"),
        (["--quiet", "invert", "a"], "put --quiet after invert"),
        (["--bake", "invert", "a"], "no option --bake"),
    ],
)
def test_senseless_words_are_refused_with_code_2(
    capsys: pytest.CaptureFixture[str], words: list[str], message: str
):
    assert main(words) == 2
    said = error(capsys)
    assert "error: " in said
    assert message in said


def test_help_and_version(capsys: pytest.CaptureFixture[str]):
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("nstlab ")
    assert main(["--help"]) == 0
    said = capsys.readouterr().out
    assert all(name in said for name in COMMANDS)
    for name in COMMANDS:
        assert main([name, "--help"]) == 0
        said = capsys.readouterr().out
        assert said.startswith(f"usage: nstlab {name} ")
        for option in USED.get(name, {}):
            assert "--" + option.replace("_", "-") in said
    main(["stylize", "--help"])
    said = " ".join(capsys.readouterr().out.split())
    for name in ("size", "steps", "style_weight", "optimizer", "pooling"):
        assert f"(default: {getattr(Settings(), name)})" in said


def test_unexpected_errors_and_debug_show_where(monkeypatch: pytest.MonkeyPatch):
    def broken(*_args: object, **_options: object) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr("nstlab.cli.commands.invert", broken)
    with pytest.raises(RuntimeError, match="a bug"):
        main(["invert", "photo.png", *TINY])
    words = ["invert", "photo.png", *TINY, "--device", "tpu"]
    for debugging in (["--debug", *words], [*words, "--debug"]):
        with pytest.raises(ValueError, match="no device 'tpu'"):
            main(debugging)


def test_errors_that_may_be_ours_name_debug(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    assert main(["invert", "none.png", *TINY]) == 1
    assert "--debug" not in error(capsys)

    def broken(*_args: object, **_options: object) -> None:
        raise ValueError("zip() argument 2 is longer")

    monkeypatch.setattr("nstlab.cli.commands.invert", broken)
    assert main(["invert", "photo.png", *TINY]) == 1
    assert error(capsys) == "nstlab: error: zip() argument 2 is longer (--debug shows where)"


@pytest.mark.parametrize(
    "kind",
    [
        MemoryError(),
        torch.OutOfMemoryError("Tried to allocate 9 GiB"),
        RuntimeError("CUDA out of memory. Tried to allocate 9 GiB"),
        RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate"),
        RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate"),
    ],
)
def test_too_little_memory_is_said(
    kind: Exception, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    def hungry(*_args: object, **_options: object) -> None:
        raise kind

    monkeypatch.setattr("nstlab.cli.commands.invert", hungry)
    assert main(["invert", "photo.png", *TINY]) == 1
    assert "not enough memory for this; choose a smaller --size" in error(capsys)


def test_memory_that_was_misused_is_not_too_little(monkeypatch: pytest.MonkeyPatch):
    def broken(*_args: object, **_options: object) -> None:
        raise RuntimeError("CUDA error: an illegal memory access was encountered")

    monkeypatch.setattr("nstlab.cli.commands.invert", broken)
    with pytest.raises(RuntimeError, match="illegal memory access"):
        main(["invert", "photo.png", *TINY])


# --- interrupting and going on -----------------------------------------------------------------


@pytest.fixture
def interrupting(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """A list of steps after which Ctrl-C is pressed, one for each run."""
    steps: list[int] = []
    show = Progress.__call__

    def press(self: Progress, step: Step) -> None:
        show(self, step)
        if steps and step.step == steps[0]:
            steps.pop()
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(Progress, "__call__", press)
    return steps


LONG = ["stylize", "photo.png", "style.png", "-o", "out.png", "--size", "48", "--steps", "12"]


def test_ctrl_c_saves_and_resume_gives_the_same_pixels(
    folder: Path, interrupting: list[int], capsys: pytest.CaptureFixture[str]
):
    assert main([*LONG, "--overwrite"]) == 0
    whole, record = open_picture("out.png"), read_record("out.png")
    interrupting.append(5)
    assert main([*LONG, "--overwrite"]) == 130
    said = capsys.readouterr().err
    assert "interrupted after 5 of 12 steps; to go on: nstlab stylize photo.png style.png" in said
    assert said.rstrip().endswith("--steps 12 --resume")
    assert files(folder) == {"out.png", "out.png.checkpoint"}
    assert read_record("out.png")["ended"] == "interrupted"
    assert main([*LONG, "--resume"]) == 0
    assert files(folder) == {"out.png"}
    assert torch.equal(open_picture("out.png"), whole)
    assert read_record("out.png")["losses"] == record["losses"]


def test_a_leftover_checkpoint_is_not_passed_over(
    folder: Path, interrupting: list[int], capsys: pytest.CaptureFixture[str]
):
    interrupting.append(2)
    assert main(LONG) == 130
    capsys.readouterr()
    assert main(LONG) == 1
    assert "--resume goes on with it, --overwrite starts anew" in error(capsys)
    assert main([*LONG, "--resume", "--style-weight", "7"]) == 1
    said = error(capsys)
    usual = Settings().style_weight
    assert f"belongs to another run (settings.style_weight: was {usual}, is 7.0)" in said
    assert (folder / "out.png.checkpoint").exists()
    assert main([*LONG, "--overwrite"]) == 0
    assert read_record("out.png")["steps_made"] == 12
    assert files(folder) == {"out.png"}


@pytest.mark.parametrize(
    "words",
    [
        ["--style-layers", "relu9_9"],
        ["--style-blend", "1,2"],
        ["--size", "16", "--style-layers", "relu5_1"],
        ["--encoder", "none.pth"],
        ["--start-from", "none.png"],
        ["--content-weight", "1e39"],
    ],
)
def test_a_run_that_cannot_begin_leaves_the_checkpoint_alone(folder: Path, words: list[str]):
    (folder / "out.png.checkpoint").write_bytes(b"of before")
    assert main([*LONG, "--overwrite", *words]) == 1
    assert files(folder) == {"out.png.checkpoint"}
    assert (folder / "out.png.checkpoint").read_bytes() == b"of before"


def test_the_checkpoint_goes_when_the_picture_is_on_the_disk(
    folder: Path, monkeypatch: pytest.MonkeyPatch
):
    seen = []
    save = Run.save

    def watching(run: Run, path: Path) -> Path:
        seen.append((folder / "out.png.checkpoint").exists())
        return save(run, path)

    monkeypatch.setattr(Run, "save", watching)
    assert main([*LONG, "--checkpoint-every", "1"]) == 0
    assert seen == [True]
    assert files(folder) == {"out.png"}


def test_a_picture_that_cannot_be_saved_is_saved_elsewhere(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    (folder / "results").mkdir()
    save_picture(torch.zeros(1, 3, 2, 2), "out.png")
    words = ["invert", "photo.png", "-o", "results/out.jpg", "--size", "48", "--steps", "4"]
    words += ["--checkpoint-every", "1"]
    began = Progress.__call__

    def gone(self: Progress, step: Step) -> None:
        began(self, step)
        if step.step == 4:
            (folder / "results" / "out.jpg").mkdir()

    monkeypatch.setattr(Progress, "__call__", gone)
    assert main([*words, "--gif"]) == 1
    said = capsys.readouterr()
    place = (folder / "out_2.png").resolve()
    assert "nstlab: error: cannot write 'results/out.jpg': it is a folder" in said.err
    assert said.err.rstrip().endswith(f"; the picture is saved as {place}")
    assert said.out.startswith(f"{place}: 48 × 36 px, 4 steps in ")
    assert read_record(place)["steps_made"] == 4
    assert open_picture("out.png").shape[-1] == 2
    assert {each.name for each in (folder / "results").iterdir()} == {
        "out.jpg",
        "out.jpg.checkpoint",
    }
    monkeypatch.setattr(Progress, "__call__", began)
    (folder / "results" / "out.jpg").rmdir()
    assert main([*words, "--gif", "--resume"]) == 0
    assert {each.name for each in (folder / "results").iterdir()} == {"out.jpg", "out.gif"}


def test_a_picture_that_can_be_saved_nowhere(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    def full(*_args: object, **_options: object) -> None:
        raise PictureError("no space left")

    monkeypatch.setattr("nstlab.runs.Run.save", full)
    monkeypatch.setattr("nstlab.cli.finish.save_picture", full)
    words = ["invert", "photo.png", "-o", "out.png", "--checkpoint-every", "1", *TINY]
    assert main(words) == 1
    assert error(capsys) == "nstlab: error: no space left"
    assert Path("out.png.checkpoint").exists()


def test_an_animation_that_cannot_be_saved_keeps_the_checkpoint(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    def full(*_args: object, **_options: object) -> None:
        raise PictureError("no space left")

    words = ["invert", "photo.png", "-o", "out.png", "--gif", "--checkpoint-every", "1", *TINY]
    with monkeypatch.context() as patched:
        patched.setattr("nstlab.cli.finish.save_animation", full)
        assert main(words) == 1
    assert "no space left" in capsys.readouterr().err
    assert files(folder) == {"out.png", "out.png.checkpoint"}
    assert main([*words, "--resume"]) == 0
    assert files(folder) == {"out.png", "out.gif"}


@pytest.mark.parametrize("how", ["converged", "stalled"])
def test_a_run_that_ended_early_says_so(
    how: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    def ending(*args: object, **options: object):
        run = invert("photo.png", Settings(size=48, steps=2))
        run.ended = how  # pyright: ignore[reportAttributeAccessIssue]
        return run

    monkeypatch.setattr("nstlab.cli.commands.invert", ending)
    assert main(["invert", "photo.png", "-o", "out.png", *TINY]) == 0
    assert capsys.readouterr().out.splitlines()[-1].startswith(f"{how} after 2 of 3 steps: no ")


def test_a_damaged_checkpoint_is_one_sentence(folder: Path, capsys: pytest.CaptureFixture[str]):
    (folder / "out.png.checkpoint").write_bytes(b"damaged")
    assert main([*LONG, "--resume"]) == 1
    assert "is not a checkpoint, or it is damaged" in error(capsys)


def test_ctrl_c_before_the_run(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    def pressed(*_args: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("nstlab.cli.commands.load_picture", pressed)
    assert main(LONG) == 130
    assert error(capsys) == "nstlab: interrupted"
    assert files(folder) == set()


def test_a_run_that_failed_is_saved_and_has_code_1(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    def failing(*args: object, **options: object):
        run = invert("photo.png", Settings(size=48, steps=2))
        run.ended, run.messages = "failed", ("step 2: the loss is nan; ended",)
        return run

    monkeypatch.setattr("nstlab.cli.commands.invert", failing)
    assert main(["invert", "photo.png", "-o", "out.png", *TINY]) == 1
    said = capsys.readouterr()
    assert "nstlab: error: the run failed: step 2: the loss is nan; ended" in said.err
    assert said.out.startswith("out.png: ")
    assert read_record("out.png")["ended"] == "failed"


def command(*words: str) -> list[str]:
    return [sys.executable, "-m", "nstlab", *words]


def environment() -> dict[str, str]:
    return os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}


def test_a_real_ctrl_c_and_a_real_resume(folder: Path):
    for steps in (80, 600, 2400):  # longer where the machine was too fast for us
        words = ["invert", "photo.png", "-o", "out.png", "--size", "48", "--steps", str(steps)]
        options = ["--save-every", "5", "--overwrite"]
        process = subprocess.Popen(
            command(*words, *options), env=environment(), stderr=subprocess.PIPE, text=True
        )
        deadline = time.monotonic() + 120
        while not (folder / "out_0005.png").exists() and process.poll() is None:
            assert time.monotonic() < deadline
            time.sleep(0.005)
        process.send_signal(signal.SIGINT)
        said = process.communicate(timeout=120)[1]
        if process.returncode == 130:
            break
        assert process.returncode == 0, said
        for each in folder.glob("out*"):
            each.unlink()
    assert process.returncode == 130, said
    assert "Traceback" not in said
    assert "--resume" in said
    assert 5 <= read_record("out.png")["steps_made"] < steps
    done = subprocess.run(
        command(*words, "--save-every", "5", "--resume"),
        env=environment(),
        capture_output=True,
        text=True,
        timeout=300,
        check=True,
    )
    assert f"{steps} steps" in done.stdout
    assert not (folder / "out.png.checkpoint").exists()
    assert main([*words[:2], "-o", "whole.png", *words[4:], "--quiet"]) == 0
    assert torch.equal(open_picture("out.png"), open_picture("whole.png"))


def test_a_reader_that_goes_away_is_no_traceback():
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "wb") as gone:
        done = subprocess.run(
            command("info", "china"),
            env=environment(),
            stdout=gone,
            stderr=subprocess.PIPE,
            text=True,
            timeout=120,
            check=False,
        )
    assert done.returncode == 1
    assert done.stderr == ""


def gone() -> int:
    """A pipe to write to, whose reader has gone."""
    read, write = os.pipe()
    os.close(read)
    return write


@pytest.mark.parametrize("closed", ["stdout", "stderr"])
def test_a_run_goes_on_where_nobody_reads(folder: Path, closed: str):
    words = ["invert", "photo.png", "-o", "out.png", "--gif", "--size", "48", "--steps", "20"]
    with os.fdopen(gone(), "wb") as pipe:
        open_one = subprocess.PIPE
        done = subprocess.run(
            command(*words),
            env=environment(),
            stdout=pipe if closed == "stdout" else open_one,
            stderr=pipe if closed == "stderr" else open_one,
            text=True,
            timeout=120,
            check=False,
        )
    assert done.returncode == 0
    assert files(folder) == {"out.png", "out.gif"}
    assert read_record("out.png")["steps_made"] == 20
    if closed == "stderr":
        assert "out.gif: 11 frames" in done.stdout
    else:
        assert "Traceback" not in done.stderr and "Exception" not in done.stderr


def test_going_on_is_told_as_it_was_begun(
    interrupting: list[int], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setattr(sys, "argv", [str(ROOT / "nstlab" / "__main__.py")])
    interrupting.append(2)
    assert main(LONG) == 130
    assert "to go on: python -m nstlab stylize photo.png" in capsys.readouterr().err


def test_a_gif_that_may_be_a_picture_is_not_written_to(
    folder: Path, photo: Tensor, capsys: pytest.CaptureFixture[str]
):
    iio.imwrite("photo.gif", (photo[0].permute(1, 2, 0).numpy() * 255).astype("uint8"))
    before = (folder / "photo.gif").read_bytes()
    words = ["photo.png", "style.png", "--overwrite", "--quiet", *TINY]
    assert main(["stylize", "--gif", "photo.gif", *words]) == 2
    assert "put --gif after the pictures, or write --gif=photo.gif" in error(capsys)
    assert (folder / "photo.gif").read_bytes() == before
    assert main(["stylize", "--gif=photo.gif", *words]) == 0
    assert (folder / "photo.gif").read_bytes() != before
    assert main(["stylize", "photo.png", "style.png", "--gif", "photo.gif", *words[2:]]) == 0
    assert main(["stylize", "--gif", "new.gif", *words]) == 0


# --- rerun and info ----------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", ["png", "jpg", "webp", "tif"])
def test_rerun_says_that_the_pixels_are_identical(suffix: str, capsys: pytest.CaptureFixture[str]):
    assert main(["invert", "photo.png", "-o", f"out.{suffix}", "--quiet", *TINY]) == 0
    assert main(["rerun", f"out.{suffix}"]) == 0
    assert "the pixels are identical" in capsys.readouterr().out


def test_rerun_saves_and_does_not_overwrite(folder: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["invert", "photo.png", "-o", "out.png", "--quiet", *TINY]) == 0
    assert main(["rerun", "out.png", "-o", "new.png"]) == 0
    assert torch.equal(open_picture("new.png"), open_picture("out.png"))
    assert "saved new.png" in capsys.readouterr().out
    assert main(["rerun", "out.png", "-o", "new.png"]) == 1
    assert "--overwrite" in error(capsys)
    assert main(["rerun", "out.png", "-o", "new.png", "--overwrite", "--quiet"]) == 0
    assert main(["rerun", "out.png", "-o", "out.png", "--overwrite"]) == 1
    assert "choose another name" in error(capsys)


def test_rerun_tells_differing_pixels_by_code_1(capsys: pytest.CaptureFixture[str]):
    run = invert("photo.png", Settings(size=48, steps=3))
    run.image = run.image.clamp(0, 1).round()
    run.machine["threads"] = 99
    run.save("out.png")
    assert main(["rerun", "out.png"]) == 1
    said = capsys.readouterr().out
    assert "made again, but the pixels differ (the last bits may differ: threads was 99" in said


def test_rerun_takes_moved_pictures_and_refuses_others(
    folder: Path, capsys: pytest.CaptureFixture[str]
):
    assert main(["stylize", "photo.png", "style.png", "-o", "out.png", "--quiet", *TINY]) == 0
    (folder / "photo.png").rename(folder.parent / "moved.png")
    assert main(["rerun", "out.png"]) == 1
    assert "the content picture 'photo.png' is neither beside" in error(capsys)
    assert main(["rerun", "out.png", "--picture", "../moved.png", "--quiet"]) == 0
    assert main(["rerun", "out.png", "--picture", "style.png", "--picture", "china"]) == 1
    assert "'china'" in error(capsys)
    assert main(["rerun", "style.png"]) == 1
    assert "carries no nstlab settings" in error(capsys)


def test_rerun_finds_the_weight_file_of_a_command(folder: Path, capsys: pytest.CaptureFixture[str]):
    small = random_weights("lite", seed=0, widths=(4, 5, 6, 7, 8))
    save_file(small, "mine.safetensors")
    cut = {k: v for k, v in random_weights("vgg11", seed=0).items() if k[4] in "12"}
    save_file(cut, "cut.safetensors")
    shallow = ["--content-layers", "relu2_1", "--style-layers", "relu1_1", *TINY, "--quiet"]
    for name, words in {
        "mine.safetensors": ["--encoder", "mine.safetensors", *TINY, "--quiet"],
        "cut.safetensors": ["--encoder", "vgg11", "--weights", "cut.safetensors", *shallow],
    }.items():
        out = f"{name}.png"
        assert main(["stylize", "photo.png", "style.png", "-o", out, *words]) == 0
        assert main(["rerun", out]) == 0
        assert "the pixels are identical" in capsys.readouterr().out
        (folder / name).rename(folder.parent / name)
        assert main(["rerun", out]) == 1
        assert f"the weight file '{name}' of the encoder is neither beside" in error(capsys)
        assert main(["rerun", out, "--encoder", f"../{name}", "--quiet"]) == 0


def test_rerun_names_the_options_for_what_it_cannot_find(
    folder: Path, capsys: pytest.CaptureFixture[str]
):
    assert main(["invert", "photo.png", "-o", "out.png", "--quiet", *TINY]) == 0
    (folder / "photo.png").unlink()
    assert main(["rerun", "out.png"]) == 1
    assert "--picture FILE or ADDRESS" in error(capsys)


def test_rerun_saves_elsewhere_where_it_must(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    assert main(["invert", "photo.png", "-o", "out.png", "--quiet", *TINY]) == 0
    monkeypatch.setattr("nstlab.cli.commands.check_writable", lambda *_: None)
    assert main(["rerun", "out.png", "-o", "none/new.png"]) == 1
    said = capsys.readouterr()
    assert "the picture is saved as" in said.err
    assert torch.equal(open_picture("new.png"), open_picture("out.png"))


def forge(path: str, **parts: object) -> None:
    record = invert("photo.png", Settings(size=48, steps=1)).record() | parts
    save_picture(torch.zeros(1, 3, 4, 4), path, {INFO_KEY: json.dumps(record)})


@pytest.mark.parametrize(
    "parts",
    [
        {"recipe": {"task": "invert"}},
        {"recipe": {"task": ["invert"]}},
        {"recipe": {"task": "invert", "pictures": []}},
        {"recipe": {"task": "invert", "pictures": {"content": [{}]}}},
        {"recipe": {"task": "invert", "pictures": {}, "encoder": None}},
        {"losses": {"total": []}},
        {"losses": {"total": ["much"]}},
        {"losses": {"total": 3}},
        {"seconds": float("inf")},
        {"seconds": "long"},
        {"machine": []},
        {"messages": None},
        {"recipe": None},
    ],
)
def test_forged_records_are_one_sentence(
    parts: dict[str, object], capsys: pytest.CaptureFixture[str]
):
    forge("a.png", **parts)
    assert main(["info", "a.png"]) == 1
    said = error(capsys)
    assert "the settings inside a.png are damaged" in said
    assert "--debug" not in said


def test_info_and_rerun_do_not_steer_the_terminal(capsys: pytest.CaptureFixture[str]):
    evil = "a\x1b[2Jb\nc\x9b1m\u202e"
    forge("a.png", messages=[evil], machine={evil: evil}, recipe={evil: [evil], "task": evil})
    assert main(["info", "a.png"]) == 0
    said = capsys.readouterr().out
    assert "a�[2Jb c�1m�" in said
    assert all(letter.isprintable() or letter == "\n" for letter in said)
    forge("b.png", machine={"torch": evil})
    assert main(["rerun", "b.png"]) == 1
    said = capsys.readouterr().out
    assert "torch was a�[2Jb c�1m�" in said
    assert all(letter.isprintable() or letter == "\n" for letter in said)


def test_info_shows_a_run_of_ones_own(capsys: pytest.CaptureFixture[str]):
    forge("a.png", recipe={"what": "a test", "numbers": [1, 2]})
    assert main(["info", "a.png"]) == 0
    said = capsys.readouterr().out
    assert "task     one of your own" in said
    assert "numbers  1, 2" in said


def test_rerun_interrupted(interrupting: list[int], capsys: pytest.CaptureFixture[str]):
    assert main(["invert", "photo.png", "-o", "out.png", "--quiet", *TINY]) == 0
    interrupting.append(1)
    assert main(["rerun", "out.png", "-o", "new.png"]) == 130
    assert "interrupted after 1 steps; nothing compared" in capsys.readouterr().err
    assert not Path("new.png").exists()


def test_letters_that_a_terminal_lacks_are_no_error():
    done = subprocess.run(
        command("info", "cafe_terrace"),
        env=environment() | {"PYTHONIOENCODING": "ascii"},
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    assert "Caf? Terrace at Night" in done.stdout


def test_info_lists_what_there_is(capsys: pytest.CaptureFixture[str]):
    assert main(["info"]) == 0
    said = capsys.readouterr().out
    for name in (*nstlab.encoder_names(), *nstlab.catalogue(), "torch", "cpu"):
        assert f"  {name}  " in said, name
    for author in ("Vincent van Gogh", "Katsushika Hokusai", "Rachel Michetti"):
        assert author in said
    assert "CC BY 2.0" in said
    assert not any(line != line.rstrip() for line in said.splitlines())


def test_info_knows_weights_at_hand(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    kept = tmp_path / "torch" / "hub" / "checkpoints"
    kept.mkdir(parents=True)
    (kept / "alexnet-owt-7be5be79.pth").write_bytes(b"")
    assert main(["info"]) == 0
    rows = {line.split()[0]: line for line in capsys.readouterr().out.splitlines() if line}
    assert "at hand" in rows["alexnet"]
    assert "fetched at the first use" in rows["vgg19"]
    assert "bundled" in rows["lite"]


def test_info_shows_what_a_picture_holds(capsys: pytest.CaptureFixture[str]):
    words = ["stylize", "photo.png", "swirls_1", "-o", "out.png", "--style-weight", "12.5"]
    assert main([*words, "--quiet", *TINY]) == 0
    assert main(["info", "out.png"]) == 0
    rows: dict[str, list[str]] = {}
    for line in capsys.readouterr().out.splitlines():
        if line.startswith("  "):
            name, rest = line.split(maxsplit=1)
            rows.setdefault(name, []).append(rest)
    record = read_record("out.png")
    losses, sha256 = record["losses"], record["recipe"]["pictures"]["content"][0]["sha256"]
    assert rows["task"] == ["stylize"]
    picture, loss = rows["content"]
    assert picture.split() == ["photo.png", "SHA-256", sha256[:12]]
    first, last = losses["content"][0], losses["content"][-1]
    assert loss == f"{first:.4g} at the start, {last:.4g} at the end"
    assert rows["style_weight"] == ["12.5"]
    assert rows["ended"][0].startswith("finished after 3 steps")
    assert rows["total"][0].startswith(f"{losses['total'][0]:.4g} at the start")
    assert main(["info", "photo.png"]) == 1
    assert "carries no nstlab settings" in error(capsys)


def test_info_shows_a_picture_of_the_catalogue(capsys: pytest.CaptureFixture[str]):
    assert main(["info", "starry_night"]) == 0
    said = capsys.readouterr().out
    assert "The Starry Night" in said and "1889" in said and "public domain" in said
    assert "address not tried" in said
    assert main(["info", "china"]) == 0
    assert "address not tried" not in capsys.readouterr().out


# --- progress ----------------------------------------------------------------------------------


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def steps_of(count: int, message: str = "") -> list[Step]:
    image = torch.zeros(1, 3, 2, 2)
    return [
        Step(
            k, count, {"total": (count - k + 0.5,)}, image, k, count - k, message if k == 2 else ""
        )
        for k in range(count + 1)
    ]


def test_a_log_gets_a_line_each_tenth(monkeypatch: pytest.MonkeyPatch):
    log = io.StringIO()
    monkeypatch.setattr(sys, "stderr", log)
    with Progress() as progress:
        for step in steps_of(200, "went back"):
            progress(step)
    lines = log.getvalue().splitlines()
    assert lines[0] == "went back"
    assert lines[1] == "step 20 of 200, loss 180.5, 3 min 00 s left"
    assert len(lines) == 11
    assert "\r" not in log.getvalue()


def test_a_terminal_gets_a_bar_with_loss_and_time_left(monkeypatch: pytest.MonkeyPatch):
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    with Progress() as progress:
        for step in steps_of(4, "went back"):
            progress(step)
            assert progress.bar is not None
            progress.bar.refresh()
    shown = terminal.getvalue()
    assert "step 3 of 4, loss 1.5, 1.0 s left" in shown
    assert "went back\n" in shown
    assert " 75% |" in shown


def test_a_resumed_bar_begins_where_the_run_does(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sys, "stderr", Terminal())
    with Progress() as progress:
        for step in steps_of(10)[6:]:
            progress(step)
        assert progress.bar is not None
        assert progress.bar.n == 10


@pytest.mark.parametrize("terminal", [True, False])
def test_progress_falls_silent_where_stderr_has_gone(
    terminal: bool, monkeypatch: pytest.MonkeyPatch
):
    with os.fdopen(gone(), "w", buffering=1) as pipe:
        monkeypatch.setattr(pipe, "isatty", lambda: terminal, raising=False)
        monkeypatch.setattr(sys, "stderr", pipe)
        with Progress() as progress:
            for step in steps_of(40, "went back"):
                progress(step)
        assert progress.quiet and not progress.shown
        monkeypatch.undo()


def test_progress_without_stderr(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sys, "stderr", None)
    with Progress() as progress:
        for step in steps_of(20, "went back"):
            progress(step)


def test_progress_can_be_switched_off(monkeypatch: pytest.MonkeyPatch):
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    with Progress(quiet=True) as progress:
        for step in steps_of(4, "went back"):
            progress(step)
    assert terminal.getvalue() == ""
    monkeypatch.setenv("NSTLAB_NO_PROGRESS", "1")
    with Progress() as progress:
        for step in steps_of(4, "went back"):
            progress(step)
    assert terminal.getvalue() == "went back\n"


def test_durations():
    given = (0, 0.04, 9.94, 9.96, 59.4, 60, 185, 3599.4, 7800)
    assert [duration(each) for each in given] == [
        *("0.0 s", "0.0 s", "9.9 s", "10 s", "59 s", "1 min 00 s", "3 min 05 s"),
        *("59 min 59 s", "2 h 10 min"),
    ]


def test_columns_line_up():
    assert columns([["a", "bb"], ["ccc"], []]) == "  a    bb\n  ccc\n\n"
    assert columns([]) == ""


def test_the_encoder_is_loaded_once(monkeypatch: pytest.MonkeyPatch):
    loaded = []

    def counting(*args: object, **options: object):
        loaded.append(args)
        return load_encoder("lite")

    monkeypatch.setattr("nstlab.stock.load_encoder", counting)
    assert main(["invert", "photo.png", "--quiet", *TINY]) == 0
    assert len(loaded) == 1


def test_a_full_disk_in_between_does_not_end_the_run(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    def full(*_args: object, **_options: object) -> None:
        raise PictureError("no space left")

    monkeypatch.setattr("nstlab.cli.commands.save_picture", full)
    words = ["invert", "photo.png", "-o", "out.png", *TINY, "--save-every", "1"]
    assert main(words) == 0
    said = capsys.readouterr().err
    assert said.count("no space left") == 1
    assert "step 1: no space left; no more of these are saved" in said
    assert files(folder) == {"out.png"}


def test_a_record_too_long_for_the_format_does_not_cost_the_picture(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    def too_long(*_args: object, **_options: object) -> None:
        raise PictureError("70000 bytes of info do not fit into a JPEG")

    monkeypatch.setattr("nstlab.runs.Run.save", too_long)
    assert main(["invert", "photo.png", "-o", "out.jpg", *TINY]) == 0
    assert "out.jpg is saved without its settings: 70000 bytes" in capsys.readouterr().err
    assert open_picture("out.jpg").shape == (1, 3, 36, 48)
