"""The files of a training: half precision, a record without paths, nothing lost."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from nstlab.distill import Distilled, Lesson, Training, distill, save_student
from nstlab.distill.files import check_student_path
from nstlab.encoders import Encoder, load_encoder
from nstlab.fitting import random_weights
from nstlab.images import save_picture
from nstlab.weights import WeightsError

RECORD: dict[str, Any] = {"steps_done": 3, "errors": {"relu1_1": [0.5, 0.25]}, "agreement": {0: {}}}


@pytest.fixture
def student() -> Encoder:
    return Encoder("lite", random_weights("lite", 0, (4, 5, 6, 7, 8)))


@pytest.fixture
def result(student: Encoder) -> Distilled:
    return Distilled(student, "done", RECORD)


def test_a_saved_student_is_the_same_to_half_precision(result, tmp_path, photo):
    path = tmp_path / "small.safetensors"
    assert save_student(result, path) == (path, tmp_path / "small.json")
    loaded = load_encoder(path)
    assert (loaded.name, loaded.layers) == ("lite", result.encoder.layers)
    own = result.encoder.state_dict()
    assert {tensor.dtype for tensor in load_file(path).values()} == {torch.float16}
    assert loaded.state_dict().keys() == own.keys()
    for name, tensor in loaded.state_dict().items():
        assert torch.equal(tensor, own[name].half().float()), name
    features, before = (
        encoder(photo, ["relu5_1"])["relu5_1"] for encoder in (loaded, result.encoder)
    )
    assert (features - before).abs().max() < 5e-3 * before.abs().max()
    assert not torch.equal(features, before)
    values = sum(tensor.numel() for tensor in own.values())
    assert path.stat().st_size < 2 * values + 10_000


def test_saving_leaves_the_student_alone(result, tmp_path):
    before = {name: tensor.clone() for name, tensor in result.encoder.state_dict().items()}
    save_student(result, tmp_path / "small.safetensors")
    for name, tensor in result.encoder.state_dict().items():
        assert tensor.dtype == torch.float32
        assert torch.equal(tensor, before[name])


def test_the_record_is_json_without_paths(tmp_path, photo):
    files = [save_picture(photo, tmp_path / f"{name}.png") for name in "abc"]
    teacher = Encoder("lite", random_weights("lite", 1, (4,) * 5), weights_name="t.safetensors")
    training = Training(widths=(4,) * 5, steps=2, batch=4, size=32, rivals=0)
    result = distill([Lesson(teacher, ("relu1_1",))], [files], training, held_out=files)
    _, record = save_student(result, str(tmp_path / "small.safetensors"))
    text = record.read_text(encoding="utf-8")
    assert str(tmp_path) not in text and "/" not in text and "\\" not in text
    found = json.loads(text)
    assert found["pictures"] == [["a.png", "b.png", "c.png"]]
    assert found["lessons"][0]["weights"] == "t.safetensors"
    assert found["errors"] == result.record["errors"]
    assert found == json.loads(json.dumps(result.record))


def test_a_second_saving_replaces_the_first_and_leaves_nothing_else(result, tmp_path):
    path = tmp_path / "small.safetensors"
    save_student(result, path)
    other = Encoder("lite", random_weights("lite", 1, (4, 5, 6, 7, 8)))
    save_student(Distilled(other, "done", {"steps_done": 4}), path)
    assert json.loads(path.with_suffix(".json").read_text()) == {"steps_done": 4}
    first = load_file(path)["conv1_1.weight"].float()
    assert torch.equal(first, other.state_dict()["conv1_1.weight"].half().float())
    assert {each.name for each in tmp_path.iterdir()} == {"small.safetensors", "small.json"}


@pytest.mark.parametrize("value", [1e5, -1e5, float("inf"), float("nan")])
def test_weights_that_half_precision_cannot_hold_are_refused(value, result, tmp_path):
    path = tmp_path / "small.safetensors"
    save_student(result, path)
    before = path.read_bytes()
    with torch.no_grad():
        result.encoder.get_parameter("conv3_2.bias")[1] = value
    with pytest.raises(WeightsError, match="too large for half precision, or not finite"):
        save_student(result, path)
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    "error", [OSError(28, "No space left on device"), SafetensorError("No space left on device")]
)
def test_a_full_disk_is_one_sentence_and_the_files_of_before_stay(
    error, result, tmp_path, monkeypatch
):
    def full(_weights: dict[str, Tensor], part: Path, _metadata: object) -> None:
        Path(part).write_bytes(b"half")
        raise error

    path = tmp_path / "small.safetensors"
    save_student(result, path)
    before = {each.name: each.read_bytes() for each in tmp_path.iterdir()}
    monkeypatch.setattr("nstlab.distill.files.save_file", full)
    with pytest.raises(WeightsError, match=r"cannot write 'small\.safetensors' with .*: No space"):
        save_student(result, path)
    assert {each.name: each.read_bytes() for each in tmp_path.iterdir()} == before


def test_paths_that_will_not_do_are_found_before(tmp_path, monkeypatch):
    check_student_path(tmp_path / "new.safetensors")
    assert not list(tmp_path.iterdir())
    with pytest.raises(WeightsError, match=r"'new\.pth' does not end in \.safetensors"):
        check_student_path(tmp_path / "new.pth")
    with pytest.raises(WeightsError, match=r"there is no folder '.*none' to save 'new"):
        check_student_path(tmp_path / "none" / "new.safetensors")
    for name in ("old.safetensors", "older.json"):
        (tmp_path / name).write_bytes(b"mine")
        path = (tmp_path / name).with_suffix(".safetensors")
        with pytest.raises(WeightsError, match=rf"'.*{name}' is there already; save under another"):
            check_student_path(str(path))
        check_student_path(path, overwrite=True)
        assert (tmp_path / name).read_bytes() == b"mine"
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(WeightsError, match="nothing can be written in the folder"):
        check_student_path(tmp_path / "new.safetensors")


def test_saving_checks_the_path_too(result, tmp_path):
    with pytest.raises(WeightsError, match=r"does not end in \.safetensors"):
        save_student(result, tmp_path / "small.json")
    assert not list(tmp_path.iterdir())
