"""The command `distill`, in a folder with tiny pictures and tiny teachers."""

import io
import json
import re
import signal
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from nstlab.cli import main
from nstlab.cli.arguments import parse
from nstlab.cli.show import Progress
from nstlab.distill import Lesson, Training, distill, load_teacher, pictures_in
from nstlab.distill.school import School
from nstlab.encoders import load_encoder
from nstlab.fitting import random_weights
from nstlab.images import save_picture

WORDS = ["distill", "many", "few", "--teacher", "teacher.safetensors=relu1_1,relu2_1"]
SMALL = ["--widths", "4,4,4,4,4", "--steps", "6", "--batch", "4", "--size", "32", "--rivals", "1"]
SMALL += ["--seed", "1"]
TINY = [*WORDS, "-o", "small.safetensors", *SMALL]
TRAINING = Training(widths=(4,) * 5, steps=6, batch=4, size=32, rivals=1, seed=1)
GIVEN = {"many", "few", "unseen", "teacher.safetensors", "other.safetensors"}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, photo: Tensor, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with three folders of pictures and two teachers."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    made = {"many/a": photo, "many/b": 1 - photo, "few/c": photo.flip(1)}
    made |= {"unseen/d": photo.mT, "unseen/e": photo.square(), "unseen/f": photo / 2}
    for name, picture in made.items():
        Path(name).parent.mkdir(exist_ok=True)
        save_picture(picture, f"{name}.png")
    for seed, name in enumerate(("teacher", "other")):
        save_file(random_weights("lite", seed, (4, 5, 6, 7, 8)), f"{name}.safetensors")
    return folder


def files(folder: Path) -> set[str]:
    return {each.name for each in folder.iterdir()} - GIVEN


def error(capsys: pytest.CaptureFixture[str]) -> str:
    """The one line of an error message."""
    said = capsys.readouterr()
    assert said.out == ""
    assert "Traceback" not in said.err
    return said.err.splitlines()[-1]


def lessons() -> list[Lesson]:
    return [Lesson(load_teacher("teacher.safetensors"), ("relu1_1", "relu2_1"))]


def test_the_command_makes_what_the_function_makes(folder, capsys):
    assert main([*TINY, "--held-out", "unseen"]) == 0
    unseen = pictures_in(["unseen"])[0]
    result = distill(lessons(), pictures_in(["many", "few"]), TRAINING, held_out=unseen)
    saved = load_file("small.safetensors")
    for name, tensor in result.encoder.state_dict().items():
        assert torch.equal(saved[name], tensor.half()), name
    record = json.loads(Path("small.json").read_text())
    expected = json.loads(json.dumps(result.record))
    assert {**record, "seconds": 0} == {**expected, "seconds": 0}
    said = capsys.readouterr()
    assert said.out.startswith("small.safetensors: 6 steps in ")
    assert said.out.endswith("; small.json has the settings and errors\n")
    assert "step 6, agreement on pictures held out: relu1_1 " in said.err
    assert files(folder) == {"small.safetensors", "small.json"}
    assert load_encoder("small.safetensors").channels("relu5_1") == 4


def test_several_teachers_and_a_start(folder):
    words = [*TINY, "--teacher", "other.safetensors=relu3_1", "--start-from", "other.safetensors"]
    place = words.index("--widths")
    del words[place : place + 2]
    assert main([*words, "--keep", "relu1_2", "--learning-rate", "0", "--quiet"]) == 0
    record = json.loads(Path("small.json").read_text())
    taught = {each["weights"]: each["layers"] for each in record["lessons"]}
    assert taught == {
        "teacher.safetensors": ["relu1_1", "relu2_1"],
        "other.safetensors": ["relu3_1"],
    }
    assert record["start"][0] == "other.safetensors"
    assert record["training"]["kept"] == "relu1_2"
    for name, tensor in load_file("other.safetensors").items():
        assert torch.equal(load_file("small.safetensors")[name], tensor.half()), name


def test_every_number_can_be_given_and_defaults_are_those_of_training():
    words = ["distill", "a", "--teacher", "b=relu1_1", "-o", "c.safetensors"]
    usual = parse(words)
    for name, value in vars(Training()).items():
        if name in ("widths", "kept"):
            continue
        assert getattr(usual, name) == value, name
        given = parse([*words, f"--{name.replace('_', '-')}", "7"])
        assert getattr(given, name) == 7, name
        assert type(getattr(given, name)) is type(value), name


def test_help_names_all_options_and_the_defaults(capsys):
    assert main(["distill", "--help"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert said.startswith(
        "usage: nstlab distill FOLDER [FOLDER ...] --teacher NAME=LAYERS -o FILE"
    )
    for word in ("--held-out", "--start-from", "--keep", "--resume", "--overwrite", "--quiet"):
        assert word in said, word
    assert f"(default: {Training().steps})" in said
    assert f"(default: {Training().learning_rate})" in said
    assert "(default: 32,64,128,192,192)" in said


def test_quiet_prints_nothing(capsys):
    assert main([*TINY, "--held-out", "unseen", "--quiet"]) == 0
    assert capsys.readouterr() == ("", "")


def test_a_log_gets_the_error_and_the_time_left(monkeypatch):
    log = io.StringIO()
    monkeypatch.setattr(sys, "stderr", log)
    assert main(TINY) == 0
    lines = log.getvalue().splitlines()
    assert len(lines) == 5
    assert re.fullmatch(r"step 2 of 6, error \d\.\d{3}, \d\.\d s left", lines[0])
    assert re.fullmatch(r"step 6 of 6, error \d\.\d{3}, 0\.0 s left", lines[-1])


def test_progress_shows_any_words(monkeypatch):
    log = io.StringIO()
    monkeypatch.setattr(sys, "stderr", log)
    with Progress() as progress:
        progress.show(1, 20, "early")
        progress.show(2, 20, "halfway", "measured")
        progress.show(3, 20, "late")
    assert log.getvalue().splitlines() == ["measured", "step 2 of 20, halfway"]


# --- what is refused ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--teacher", "vgg17=relu1_1"], "no encoder 'vgg17' .did you mean"),
        (["--teacher", "none.safetensors=relu1_1"], "no weight file 'none.safetensors'"),
        (["--teacher", "lite"], "--teacher is 'lite'; give an encoder and its layers, such as"),
        (["--teacher", "=relu1_1"], "--teacher is '=relu1_1'"),
        (["--teacher", "lite="], "--teacher is 'lite='"),
        (["--teacher", "other.safetensors=relu9_9"], "no layer 'relu9_9'"),
        (["--teacher", "other.safetensors=relu1_1"], "layer 'relu1_1' is taught twice"),
        (["--held-out", "none"], "there is no folder 'none'"),
        (["--held-out", "few"], "1 pictures held out are too few to rank"),
        (["--start-from", "none.safetensors"], "no weight file 'none.safetensors'"),
        (["--start-from", "other.safetensors"], "--widths and --start-from both say how wide"),
        (["--widths", "4,4,x,4,4"], "--widths is '4,4,x,4,4'; give five whole numbers"),
        (["--widths", "4,4"], "widths is .4, 4.; it must be five numbers"),
        (["--keep", "relu2_1"], "no taught layer lies below 'relu2_1'"),
        (["--steps", "0"], "steps is 0; it must be at least 1"),
        (["--learning-rate", "nan"], "learning_rate is nan"),
        (["--device", "tpu"], "no device 'tpu' on this machine"),
        (["-o", "small.pth"], "'small.pth' does not end in .safetensors"),
        (["-o", "none/small.safetensors"], "there is no folder 'none'"),
        (["-o", "teacher.safetensors"], "'teacher.safetensors' is there already"),
        (["--resume"], "there is no checkpoint 'small.safetensors.checkpoint'; leave --resume"),
        (["--learning-rate", "1e30"], "errors are not finite any more .* below 1e.30"),
    ],
)
def test_what_does_not_work_is_said_in_one_line(folder, capsys, words, message):
    before = Path("teacher.safetensors").read_bytes()
    assert main([*TINY, *words]) == 1
    said = error(capsys)
    assert said.startswith("nstlab: error: ")
    assert re.search(message, said), said
    assert files(folder) == set()
    assert Path("teacher.safetensors").read_bytes() == before


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["distill", "many", "-o", "a.safetensors"], "arguments are required: --teacher"),
        (["distill", "many", "--teacher", "lite=relu1_1"], "arguments are required: -o/--output"),
        (["distill", "--teacher", "lite=relu1_1", "-o", "a.safetensors"], "required: FOLDER"),
        ([*TINY, "--resume", "--overwrite"], "not allowed with argument"),
        ([*TINY, "--steps", "many"], "invalid int value: 'many'"),
        ([*TINY, "--step", "3"], "no option --step (did you mean '--steps'?)"),
    ],
)
def test_senseless_words_are_refused_with_code_2(folder, capsys, words, message):
    assert main(words) == 2
    assert message in error(capsys)
    assert files(folder) == set()


def test_nothing_is_overwritten_unless_asked(folder, capsys):
    for name in ("small.json", "small.safetensors"):
        Path(name).write_bytes(b"mine")
        assert main(TINY) == 1
        assert f"'{name}' is there already; save under another name" in error(capsys)
        assert Path(name).read_bytes() == b"mine"
    assert main([*TINY, "--overwrite", "--quiet"]) == 0
    assert load_encoder("small.safetensors").name == "lite"
    assert files(folder) == {"small.safetensors", "small.json"}


# --- interrupting and going on -----------------------------------------------------------------


@pytest.fixture
def interrupting(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """A list of steps after which Ctrl-C is pressed, one for each training."""
    steps: list[int] = []
    show = Progress.show

    def press(self: Progress, step: int, *shown: object) -> None:
        show(self, step, *shown)  # pyright: ignore[reportArgumentType]
        if steps and step == steps[0]:
            steps.pop()
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(Progress, "show", press)
    return steps


def test_ctrl_c_and_resume_give_the_same_weights(folder, interrupting, capsys):
    words = [*TINY, "--held-out", "unseen"]
    assert main([*words, "--quiet"]) == 0
    whole = load_file("small.safetensors")
    record = json.loads(Path("small.json").read_text())
    for name in ("small.safetensors", "small.json"):
        Path(name).unlink()
    interrupting.append(4)
    assert main(words) == 130
    assert (
        "nstlab: interrupted after 4 of 6 steps; the same command with --resume goes on"
        in error(capsys)
    )
    assert files(folder) == {"small.safetensors.checkpoint"}
    assert main([*words, "--resume"]) == 0
    assert files(folder) == {"small.safetensors", "small.json"}
    resumed = load_file("small.safetensors")
    assert all(torch.equal(resumed[name], whole[name]) for name in whole)
    again = json.loads(Path("small.json").read_text())
    assert {**again, "seconds": 0} == {**record, "seconds": 0}


def test_a_leftover_checkpoint_is_not_passed_over(folder, interrupting, capsys):
    interrupting.append(2)
    assert main([*TINY, "--quiet"]) == 130
    capsys.readouterr()
    assert main(TINY) == 1
    assert "--resume goes on with it, --overwrite starts anew" in error(capsys)
    assert main([*TINY, "--resume", "--seed", "3"]) == 1
    assert "belongs to another run (training.seed: was 1, is 3)" in error(capsys)
    assert files(folder) == {"small.safetensors.checkpoint"}
    assert main([*TINY, "--overwrite", "--seed", "3", "--quiet"]) == 0
    assert files(folder) == {"small.safetensors", "small.json"}
    record = json.loads(Path("small.json").read_text())
    assert (record["steps_done"], record["training"]["seed"]) == (6, 3)


@pytest.mark.parametrize(
    "words",
    [
        ["--teacher", "other.safetensors=relu9_9"],
        ["--teacher", "none.safetensors=relu3_1"],
        ["--held-out", "few"],
        ["--held-out", "none"],
        ["--start-from", "none.safetensors"],
        ["--steps", "0"],
        ["--widths", "4"],
    ],
)
def test_a_training_that_cannot_begin_leaves_the_checkpoint_alone(folder, words):
    Path("small.safetensors.checkpoint").write_bytes(b"of before")
    assert main([*TINY, "--overwrite", *words]) == 1
    assert files(folder) == {"small.safetensors.checkpoint"}
    assert Path("small.safetensors.checkpoint").read_bytes() == b"of before"


def test_a_training_that_has_begun_replaces_the_checkpoint_of_before(folder):
    Path("small.safetensors.checkpoint").write_bytes(b"of before")
    assert main([*TINY, "--overwrite", "--learning-rate", "1e30"]) == 1
    assert files(folder) == set()


def test_weights_that_cannot_be_saved_keep_the_checkpoint(folder, capsys):
    show = Progress.show

    def press(self: Progress, step: int, *shown: object) -> None:
        show(self, step, *shown)  # pyright: ignore[reportArgumentType]
        if step == 6:
            Path("small.json").mkdir()

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Progress, "show", press)
        assert main([*TINY, "--quiet"]) == 1
    assert "cannot write 'small.safetensors'" in error(capsys)
    assert "small.safetensors.checkpoint" in files(folder)
    Path("small.json").rmdir()
    assert main([*TINY, "--resume", "--quiet"]) == 0
    assert files(folder) == {"small.safetensors", "small.json"}


def test_ctrl_c_twice_promises_no_more_than_there_is(folder, monkeypatch, capsys):
    advance = School.advance

    def press_twice(school: School) -> dict[str, float]:
        if school.step == 2:
            signal.raise_signal(signal.SIGINT)
            signal.raise_signal(signal.SIGINT)
        return advance(school)

    monkeypatch.setattr(School, "advance", press_twice)
    assert main([*TINY, "--quiet"]) == 130
    assert error(capsys) == "nstlab: interrupted after 2 of 6 steps"
    assert files(folder) == set()


def test_ctrl_c_before_the_training(folder, monkeypatch, capsys):
    def pressed(*_args: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("nstlab.distill.school.School.measure", pressed)
    assert main(TINY) == 130
    assert error(capsys) == "nstlab: interrupted"
    assert files(folder) == set()
