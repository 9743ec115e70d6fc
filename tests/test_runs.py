"""Records: what a saved picture tells, what a checkpoint keeps, what is refused."""

import json
import os
from pathlib import Path

import pytest
import torch

from nstlab import checkpoints
from nstlab.checkpoints import RecordError, read_checkpoint, write_checkpoint
from nstlab.images import PictureError, open_picture, save_picture
from nstlab.runs import Run, Step, load_run, read_record


@pytest.fixture
def run() -> Run:
    return Run(
        image=torch.rand(2, 3, 10, 12),
        losses={"style": torch.rand(5, 2), "total": torch.rand(5, 2)},
        seconds=1.25,
        messages=("step 3: something",),
        recipe={"task": "stylize", "settings": {"size": 12}},
        machine={"device": "cpu"},
    )


def test_a_saved_run_is_loaded_again(run: Run, tmp_path: Path) -> None:
    path = run.save(tmp_path / "run.png", index=1)
    again = load_run(path)
    assert torch.equal(again.image, (run.image[1:] * 255).round() / 255)
    for name, values in run.losses.items():
        assert torch.allclose(again.losses[name][:, 0], values[:, 1].double(), rtol=1e-5)
    assert again.seconds == pytest.approx(run.seconds / 2, abs=0.01)  # its share
    for name in ("recipe", "machine", "messages", "ended", "steps"):
        assert getattr(again, name) == getattr(run, name), name


def test_a_record_is_plain_data(run: Run) -> None:
    assert json.loads(json.dumps(run.record())) == run.record()
    assert run.record()["steps_made"] == run.steps == 4


def test_a_curve_is_one_column(run: Run) -> None:
    assert run.curve("style", index=1) == run.losses["style"][:, 1].tolist()
    with pytest.raises(ValueError, match=r"'styles'.*style, total"):
        run.curve("styles")


def test_pictures_without_a_record_are_refused(tmp_path: Path) -> None:
    plain = save_picture(torch.rand(1, 3, 4, 4), tmp_path / "plain.png")
    with pytest.raises(RecordError, match=r"plain\.png carries no nstlab settings"):
        read_record(plain)
    for text, message in (
        ("{", "damaged"),
        ("{}", "damaged"),
        ('{"format": 1, "recipe": {}}', "machine"),
        ('{"format": 99}', "format 99"),
    ):
        save_picture(torch.rand(1, 3, 4, 4), tmp_path / "bad.png", {"nstlab": text})
        with pytest.raises(RecordError, match=message):
            read_record(tmp_path / "bad.png")
    with pytest.raises(PictureError):
        read_record(tmp_path / "missing.png")


def test_a_failed_save_leaves_the_file_before_it(run: Run, tmp_path: Path) -> None:
    path = run.save(tmp_path / "run.png")
    before = path.read_bytes()
    run.recipe = {"not": object()}  # cannot be written as JSON
    with pytest.raises(TypeError):
        run.save(path)
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["run.png"]


def test_a_step_sums_its_batch() -> None:
    step = Step(1, 2, {"total": (1.0, 2.5)}, torch.rand(2, 3, 4, 4), 0.0, 0.0)
    assert step.loss == 3.5


def test_a_checkpoint_keeps_tensors_exactly(tmp_path: Path) -> None:
    path = tmp_path / "run.checkpoint"
    state = {"a": torch.rand(3, dtype=torch.float64), "b": [1, {"c": torch.arange(3)}], "d": "text"}
    write_checkpoint(path, {"size": (1, 2)}, state)
    again = read_checkpoint(path, {"size": (1, 2)})
    assert torch.equal(again["a"], state["a"])
    assert torch.equal(again["b"][1]["c"], torch.arange(3))
    assert again["d"] == "text"
    assert os.listdir(tmp_path) == ["run.checkpoint"]


def test_a_write_that_dies_leaves_the_checkpoint_before_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "run.checkpoint"
    write_checkpoint(path, {}, {"step": 1})

    def die(_data: object, file: object) -> None:
        file.write(b"half")  # pyright: ignore[reportAttributeAccessIssue]
        raise OSError("disk full")

    monkeypatch.setattr(checkpoints.torch, "save", die)
    with pytest.raises(OSError, match="disk full"):
        write_checkpoint(path, {}, {"step": 2})
    assert read_checkpoint(path, {}) == {"step": 1}


def test_checkpoints_that_cannot_be_used_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "run.checkpoint"
    with pytest.raises(RecordError, match="no checkpoint"):
        read_checkpoint(path, {})
    write_checkpoint(path, {"settings": {"size": 1, "seed": 0}}, {})
    with pytest.raises(RecordError, match=r"settings\.size: was 1, is 2; settings\.seed: was 0"):
        read_checkpoint(path, {"settings": {"size": 2}})
    whole = path.read_bytes()
    for bad in (b"", b"text", whole[: len(whole) // 2]):
        path.write_bytes(bad)
        with pytest.raises(RecordError, match="damaged"):
            read_checkpoint(path, {})


def test_png_pixels_survive(run: Run, tmp_path: Path) -> None:
    path = run.save(tmp_path / "a.png")
    again = load_run(path).save(tmp_path / "b.png")
    assert torch.equal(open_picture(path), open_picture(again))
    assert read_record(path) == read_record(again)


def test_other_formats_hold_the_first_and_last_losses(run: Run, tmp_path: Path) -> None:
    run.losses = {name: torch.rand(5001, 2) for name in ("a", "b", "c", "d", "total")}
    path = run.save(tmp_path / "long.jpg")
    found = read_record(path)
    assert found["steps_made"] == 5000
    assert found["recipe"] == run.recipe
    first_last = [run.curve("a")[0], run.curve("a")[-1]]
    assert found["losses"]["a"] == pytest.approx(first_last, rel=1e-5)
    with pytest.raises(RecordError, match=r"long\.jpg holds no losses of each step"):
        load_run(path)
    assert len(load_run(run.save(tmp_path / "long.png")).losses["total"]) == 5001


def test_a_batch_is_split_into_runs_of_their_own() -> None:
    run = Run(
        torch.arange(2.0).view(2, 1, 1, 1).expand(2, 3, 4, 4),
        {"total": torch.tensor([[3.0, 5.0], [2.0, 4.0], [1.0, 4.0]], dtype=torch.float64)},
        frames={0: torch.zeros(2, 3, 4, 4, dtype=torch.uint8), 2: torch.ones(2, 3, 4, 4).byte()},
        endings=("finished", "failed"),
        lengths=(3, 2),
        seconds=10.0,
        messages=("picture 2, step 1: broken", "no checkpoints"),
    )
    first, second = run.split()
    assert (first.curve(), second.curve()) == ([3.0, 2.0, 1.0], [5.0, 4.0])
    assert (first.ended, second.ended) == ("finished", "failed")
    assert (list(first.frames), list(second.frames)) == ([0, 2], [0])
    assert first.messages == ("no checkpoints",)
    assert second.messages == ("step 1: broken", "no checkpoints")
    assert (first.seconds, second.image.mean().item()) == (5.0, 1.0)
    assert run.record(1) == second.record()
    assert run.record(1)["ended"] == "failed"


def test_a_run_made_by_hand_can_be_split_too() -> None:
    run = Run(torch.zeros(2, 3, 4, 4), {"total": torch.zeros(5, 2)}, ended="stopped")
    assert [(each.ended, each.steps) for each in run.split()] == [("stopped", 4)] * 2
