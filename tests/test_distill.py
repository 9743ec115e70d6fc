"""The training: what falls, what stays, what comes again, what is refused."""

import math
import os
import signal
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from nstlab.checkpoints import RecordError
from nstlab.distill import Crops, Distilled, Lecture, Lesson, Training, distill
from nstlab.distill.agreement import agreement, gram_matrices
from nstlab.distill.lessons import recipe, taught_channels
from nstlab.distill.school import MEASURED, School
from nstlab.encoders import Encoder
from nstlab.fitting import random_weights
from nstlab.images import PictureError, open_picture, resize, save_picture
from nstlab.runtime import generator
from nstlab.weights import WeightsError

LAYERS = ("relu1_1", "relu2_1")
TINY = Training(widths=(4, 4, 4, 4, 4), steps=6, batch=4, size=32, rivals=2, seed=1)
Watch = Callable[[Lecture], None]


@pytest.fixture
def pictures(tmp_path: Path, photo: Tensor) -> list[list[Path]]:
    """Two groups of pictures, one of a single one."""
    noise = torch.rand(1, 3, 40, 40, generator=generator(5))
    made = {"a.png": photo, "b.png": 1 - photo, "c.png": photo.flip(1), "noise.png": noise}
    files = [save_picture(picture, tmp_path / name) for name, picture in made.items()]
    return [files[:3], files[3:]]


@pytest.fixture
def unseen(tmp_path: Path, photo: Tensor, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Four pictures that are held out, and measured small."""
    monkeypatch.setattr("nstlab.distill.held_out.SIZE", 64)
    grey = photo.mean(1, keepdim=True).expand(photo.shape)
    made = {"u.png": photo.mT, "v.png": grey, "w.png": photo.square(), "x.png": 0.5 * photo}
    return [save_picture(picture, tmp_path / name) for name, picture in made.items()]


@pytest.fixture
def lessons(tiny_encoder: Encoder) -> list[Lesson]:
    return [Lesson(tiny_encoder, LAYERS)]


def network(seed: int, *widths: int) -> Encoder:
    return Encoder("lite", random_weights("lite", seed, widths or (4, 4, 4, 4, 4)))


def weights(encoder: nn.Module) -> dict[str, Tensor]:
    return {name: tensor.clone() for name, tensor in encoder.state_dict().items()}


def same(one: dict[str, Tensor], other: dict[str, Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


class Overheard:
    """A teacher, and what happens each time that it is asked."""

    weights_sha256: str | None = None

    def __init__(self, teacher: Encoder, heard: Callable[[Tensor], object]) -> None:
        self.teacher, self.heard = teacher, heard
        self.layers, self.weights_name = teacher.layers, "overheard"
        self.channels = teacher.channels

    def __call__(self, image: Tensor, layers: Sequence[str]) -> dict[str, Tensor]:
        self.heard(image)
        return self.teacher(image, layers)


def mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


# --- what is learned ---------------------------------------------------------------------------


def test_the_errors_of_features_and_of_distances_fall(lessons, pictures):
    training = replace(TINY, steps=50, learning_rate=2e-2, rivals=0)
    result = distill(lessons, pictures, training)
    for name, errors in result.record["errors"].items():
        assert len(errors) == 50
        assert mean(errors[-15:]) < 0.8 * mean(errors[:15]), name
    assert result.ended == "done"


def test_the_teachers_own_weights_leave_nothing_to_learn(pictures, unseen):
    teacher = network(3)
    taught = [Lesson(teacher, ("relu1_1", "relu3_1"))]
    result = distill(taught, pictures, replace(TINY, steps=1), start=teacher, held_out=unseen)
    assert set(result.record["agreement"][0].values()) == {1.0}
    for name, (error,) in result.record["errors"].items():
        # Heads are fitted with a ridge of a thousandth; Gram distances need no head.
        assert error < (1e-6 if name.endswith("gram") else 1e-3), name


def test_without_a_learning_rate_the_weights_are_those_of_the_start(lessons, pictures):
    start = network(1)
    result = distill(lessons, pictures, replace(TINY, learning_rate=0.0), start=start)
    assert same(weights(result.encoder), weights(start))


def test_neither_the_start_nor_the_teachers_change(lessons, pictures, unseen):
    start, teacher = network(1), lessons[0].teacher
    before = weights(start), weights(teacher)
    result = distill(lessons, pictures, TINY, start=start, held_out=unseen)
    assert same(weights(start), before[0]) and same(weights(teacher), before[1])
    for encoder in (start, teacher):
        assert not any(each.requires_grad for each in encoder.parameters())
        assert all(each.grad is None for each in encoder.parameters())
    assert not same(weights(result.encoder), before[0])


def test_the_student_is_an_encoder_to_use(lessons, pictures, photo):
    training = replace(TINY, widths=(4, 5, 6, 7, 8), steps=2)
    student = distill(lessons, pictures, training).encoder
    assert (student.name, student.layers[-1]) == ("lite", "relu5_1")
    assert [student.channels(f"relu{k}_1") for k in range(1, 6)] == [4, 5, 6, 7, 8]
    assert not any(each.requires_grad for each in student.parameters())
    assert not student.training
    assert student(photo, ["relu5_1"])["relu5_1"].shape == (1, 8, 3, 4)


def test_a_second_teacher_does_not_change_what_the_first_one_asks(pictures):
    first, second = network(1, 5, 5, 5, 5, 5), network(2, 4, 4, 9, 9, 9)
    training = replace(TINY, steps=1, rivals=0)
    alone = distill([Lesson(first, LAYERS)], pictures, training).record
    lessons = [Lesson(first, LAYERS), Lesson(second, ("relu3_1",))]
    both = distill(lessons, pictures, training).record
    assert list(both["errors"]) == [
        *("relu1_1", "relu1_1 gram", "relu2_1", "relu2_1 gram"),
        *("relu3_1", "relu3_1 gram"),
    ]
    for name, errors in alone["errors"].items():
        assert both["errors"][name] == pytest.approx(errors, rel=1e-5), name
    assert [each["layers"] for each in both["lessons"]] == [["relu1_1", "relu2_1"], ["relu3_1"]]


@pytest.mark.parametrize("steps", [1, 2, 3, 9, 10, 11, 30, 200])
def test_the_learning_rate_rises_in_a_tenth_of_the_steps_and_falls_to_nothing(
    lessons, pictures, steps, monkeypatch
):
    training = replace(TINY, steps=steps, learning_rate=2.0, rivals=0)
    school = School(lessons, training, Crops(pictures), None, torch.device("cpu"))
    offset, names = school.student.offsets["relu1_1"], ("", " gram")
    monkeypatch.setattr(school, "_crops", lambda _step: None)  # which would take time
    monkeypatch.setattr(
        school,
        "_errors",
        lambda _crops: {f"{name}{kind}": offset.square() for name in LAYERS for kind in names},
    )
    rates = []
    for _ in range(steps):
        rates.append(school.optimizer.param_groups[0]["lr"])
        school.advance()
    highest = rates.index(max(rates))
    assert rates[: highest + 1] == sorted(rates[: highest + 1])
    assert rates[highest:] == sorted(rates[highest:], reverse=True)
    assert rates[0] == pytest.approx(2.0 / 25)
    if steps > 1:
        assert highest == max(1, steps // 10 - 1)
    if steps > 9:
        assert rates[highest] == pytest.approx(2.0, rel=0.05)
        assert rates[-1] < 0.01


def test_each_step_sees_the_crops_of_its_number(tiny_encoder, pictures):
    seen: list[Tensor] = []
    taught = [Lesson(Overheard(tiny_encoder, lambda image: seen.append(image.clone())), LAYERS)]
    distill(taught, pictures, replace(TINY, rivals=0))
    crops, steps = Crops(pictures, size=32, seed=1), [-1, -2, -3, -4, 0, 1, 2, 3, 4, 5]
    assert len(steps) == MEASURED + 6
    for step, images in zip(steps, seen, strict=True):
        assert torch.equal(images, crops.batch(step, 4)), step


def test_rivals_take_the_first_two_places(tiny_encoder, pictures):
    seen: list[Tensor] = []
    taught = [Lesson(Overheard(tiny_encoder, lambda image: seen.append(image.clone())), LAYERS)]
    distill(taught, pictures, replace(TINY, rivals=1, steps=1))
    crops = Crops(pictures, size=32, seed=1).batch(0, 4)
    assert torch.equal(seen[-1][1:], crops[1:])  # the target and what follows
    change = (seen[-1][0] - crops[0]).abs().mean()
    assert 0 < change < 0.1


def test_how_large_a_teachers_features_are_does_not_matter(pictures):
    small = network(5)
    large = {name: 1024 * tensor for name, tensor in weights(small).items()}
    training = replace(TINY, rivals=0)
    one, other = (
        distill([Lesson(teacher, ("relu1_1",))], pictures, training).record["errors"]
        for teacher in (small, Encoder("lite", large))
    )
    for name, errors in one.items():
        assert other[name] == pytest.approx(errors, rel=1e-3), name


@pytest.mark.parametrize(
    "changed",
    [
        {"batch": 5},
        {"size": 40},
        {"rivals": 1},
        {"learning_rate": 1e-3},
        {"gram_weight": 0.0},
        {"weight_decay": 0.1},
        {"kept": "relu1_1"},
        {"seed": 2},
    ],
)
def test_every_number_counts(changed, lessons, pictures):
    few = replace(TINY, steps=2, rivals=0)
    usual = distill(lessons, pictures, few).encoder
    other = distill(lessons, pictures, replace(few, **changed)).encoder
    assert not same(weights(usual), weights(other))


def test_kept_layers_stay_as_they_are_and_deeper_ones_learn(lessons, pictures, tmp_path):
    start = network(4)
    training = replace(TINY, kept="conv1_2", steps=4)
    options = {"start": start, "checkpoint": tmp_path / "c"}
    distill(lessons, pictures, training, on_step=press(2), **options)
    after = distill(lessons, pictures, training, **options).encoder.state_dict()
    for name, tensor in start.state_dict().items():
        if name.startswith("conv1"):
            assert torch.equal(after[name], tensor), name
    assert not torch.equal(after["conv2_1.weight"], start.state_dict()["conv2_1.weight"])
    whole = distill(lessons, pictures, training, start=start).encoder
    assert same(weights(whole), after)


def test_something_must_be_left_to_learn(lessons, pictures):
    for kept in ("relu2_1", "relu5_1"):
        with pytest.raises(ValueError, match=f"no taught layer lies below '{kept}'"):
            distill(lessons, pictures, replace(TINY, kept=kept))
    with pytest.raises(ValueError, match="no layer 'relu9_9'"):
        distill(lessons, pictures, replace(TINY, kept="relu9_9"))


# --- what is told ------------------------------------------------------------------------------


def test_each_step_is_told_once(lessons, pictures, unseen):
    told: list[Lecture] = []
    options = {"held_out": unseen, "measure_every": 4, "on_step": told.append}
    result = distill(lessons, pictures, TINY, **options)
    assert [each.step for each in told] == [1, 2, 3, 4, 5, 6]
    assert {each.steps for each in told} == {6}
    for number, each in enumerate(told):
        assert each.errors == {
            name: errors[number] for name, errors in result.record["errors"].items()
        }
    assert [each.step for each in told if each.agreement] == [4, 6]
    assert told[3].agreement == result.record["agreement"][4]
    seconds = [each.seconds for each in told]
    assert seconds == sorted(seconds)
    assert told[-1].seconds_left == 0 < told[2].seconds_left
    assert told[2].seconds_left == pytest.approx(told[2].seconds)  # half of the steps


def test_the_record_says_what_was_done_without_a_path(lessons, pictures, unseen, tmp_path):
    record = distill(lessons, pictures, TINY, held_out=unseen).record
    assert record["training"]["widths"] == [4, 4, 4, 4, 4]
    assert record["training"]["gram_weight"] == Training().gram_weight
    assert record["lessons"] == [{"weights": "tiny", "sha256": None, "layers": list(LAYERS)}]
    assert record["pictures"] == [["a.png", "b.png", "c.png"], ["noise.png"]]
    assert record["held_out"] == ["u.png", "v.png", "w.png", "x.png"]
    assert record["start"] is None
    assert record["steps_done"] == 6
    assert record["machine"]["device"] == "cpu"
    assert set(record["errors"]) == {f"{name}{kind}" for name in LAYERS for kind in ("", " gram")}
    assert str(tmp_path) not in str(record)


def test_agreement_is_measured_at_the_start_between_and_at_the_end(lessons, pictures, unseen):
    result = distill(lessons, pictures, TINY, held_out=unseen, measure_every=4)
    found = result.record["agreement"]
    assert list(found) == [0, 4, 6]
    images = [resize(open_picture(path), 64) for path in unseen]
    ours = gram_matrices(result.encoder, images, LAYERS)
    theirs = gram_matrices(lessons[0].teacher, images, LAYERS)
    expected = {}
    for name in LAYERS:
        for label, normed in ((name, False), (f"{name} normed", True)):
            both = agreement(ours[name], theirs[name], normed=normed, resamples=1)
            expected[label] = both.correlation
    assert found[6] == expected
    assert found[0] != found[6]


def test_measuring_does_not_change_the_training(lessons, pictures, unseen):
    measured = distill(lessons, pictures, TINY, held_out=unseen, measure_every=1)
    blind = distill(lessons, pictures, TINY)
    assert same(weights(measured.encoder), weights(blind.encoder))
    assert not any(blind.record["agreement"].values())


# --- the same again ----------------------------------------------------------------------------


def test_the_seed_alone_decides(lessons, pictures):
    torch.manual_seed(1)
    one = distill(lessons, pictures, TINY)
    torch.manual_seed(2)
    other = distill(lessons, pictures, TINY)
    assert same(weights(one.encoder), weights(other.encoder))
    assert one.record["errors"] == other.record["errors"]
    third = distill(lessons, pictures, replace(TINY, seed=2))
    assert not same(weights(one.encoder), weights(third.encoder))


def press(at: int) -> Watch:
    """A watcher in whose hands the work stops by Ctrl-C."""

    def watch(lecture: Lecture) -> None:
        if lecture.step == at:
            os.kill(os.getpid(), signal.SIGINT)

    return watch


def raise_interrupt(at: int) -> Watch:
    """A watcher that stops the training itself."""

    def watch(lecture: Lecture) -> None:
        if lecture.step == at:
            raise KeyboardInterrupt

    return watch


def break_down(at: int) -> Watch:
    def watch(lecture: Lecture) -> None:
        if lecture.step == at:
            raise KeyError("power")

    return watch


def kept(path: Path) -> dict[str, Any]:
    """All that a checkpoint holds, but for the time."""
    state = torch.load(path, weights_only=True)["state"]
    return {name: value for name, value in state.items() if name != "seconds"}


def alike(one: object, other: object) -> bool:
    """Whether nested data are the same, to the bit."""
    if isinstance(one, Tensor):
        return isinstance(other, Tensor) and torch.equal(one, other)
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(alike(one[k], other[k]) for k in one)
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(map(alike, one, other))
    return one == other


def test_a_resumed_training_has_the_same_bits(lessons, pictures, unseen, tmp_path):
    training = replace(TINY, steps=11)
    options = {"held_out": unseen, "measure_every": 2}
    whole = distill(lessons, pictures, training, checkpoint=tmp_path / "whole", **options)
    path, done = tmp_path / "parts", []
    for watch in (press(3), raise_interrupt(7), None):
        part = distill(lessons, pictures, training, checkpoint=path, on_step=watch, **options)
        done.append((part.ended, part.record["steps_done"]))
    assert done == [("interrupted", 3), ("interrupted", 7), ("done", 11)]
    assert same(weights(part.encoder), weights(whole.encoder))
    for name in ("errors", "agreement"):
        assert part.record[name] == whole.record[name]
    assert list(part.record["agreement"]) == [0, 2, 4, 6, 8, 10, 11]
    first, second = kept(tmp_path / "whole"), kept(path)
    assert sum(each is not None for each in first["rivals"]) > 0
    assert alike(first, second)


def test_what_a_watcher_raises_reaches_the_caller_and_the_last_checkpoint_serves(
    lessons, pictures, tmp_path
):
    whole, path = distill(lessons, pictures, TINY), tmp_path / "checkpoint"
    options = {"checkpoint": path, "checkpoint_every": 2}
    with pytest.raises(KeyError, match="power"):
        distill(lessons, pictures, TINY, on_step=break_down(3), **options)
    assert kept(path)["step"] == 2
    with pytest.raises(KeyError, match="power"):
        distill(lessons, pictures, TINY, on_step=break_down(4), **options)
    assert kept(path)["step"] == 2  # two steps after the one that is there, not at once
    with pytest.raises(KeyError, match="power"):
        distill(lessons, pictures, TINY, on_step=break_down(5), **options)
    assert kept(path)["step"] == 4
    told: list[Lecture] = []
    again = distill(lessons, pictures, TINY, on_step=told.append, **options)
    assert [each.step for each in told] == [5, 6]
    assert same(weights(again.encoder), weights(whole.encoder))


def test_a_complete_training_is_not_trained_on(lessons, pictures, tmp_path):
    path, told = tmp_path / "checkpoint", []
    whole = distill(lessons, pictures, TINY, checkpoint=path)
    again = distill(lessons, pictures, TINY, checkpoint=path, on_step=told.append)
    assert (again.ended, told) == ("done", [])
    assert same(weights(again.encoder), weights(whole.encoder))
    assert again.record == whole.record


def press_in_lesson(at: int, times: int) -> Callable[[Tensor], None]:
    """Ctrl-C, some times, when a teacher is asked for the n-th time."""
    asked = []

    def heard(image: Tensor) -> None:
        asked.append(image)
        for _ in range(times if len(asked) == at else 0):
            os.kill(os.getpid(), signal.SIGINT)

    return heard


def test_ctrl_c_within_a_step_lets_it_end(tiny_encoder, lessons, pictures, tmp_path):
    before = signal.getsignal(signal.SIGINT)
    taught = [Lesson(Overheard(tiny_encoder, press_in_lesson(MEASURED + 3, 1)), LAYERS)]
    part = distill(taught, pictures, TINY, checkpoint=tmp_path / "c")
    assert (part.ended, part.record["steps_done"]) == ("interrupted", 3)
    assert kept(tmp_path / "c")["step"] == 3
    assert signal.getsignal(signal.SIGINT) is before
    whole = distill(lessons, pictures, TINY).record["errors"]
    assert part.record["errors"] == {name: errors[:3] for name, errors in whole.items()}


def test_ctrl_c_twice_ends_at_once_and_keeps_nothing_half_done(
    tiny_encoder, lessons, pictures, tmp_path
):
    path, whole = tmp_path / "c", distill(lessons, pictures, TINY)
    for times, step in ((2, 2), (0, 6)):
        taught = [Lesson(Overheard(tiny_encoder, press_in_lesson(MEASURED + 4, times)), LAYERS)]
        part = distill(taught, pictures, TINY, checkpoint=path, checkpoint_every=2)
        assert kept(path)["step"] == step
    assert same(weights(part.encoder), weights(whole.encoder))


def test_a_training_in_another_thread(lessons, pictures):
    found: list[Distilled] = []
    thread = threading.Thread(target=lambda: found.append(distill(lessons, pictures, TINY)))
    thread.start()
    thread.join()
    assert same(weights(found[0].encoder), weights(distill(lessons, pictures, TINY).encoder))


# --- where it is computed ----------------------------------------------------------------------


def test_the_device_can_be_named_in_both_ways(lessons, pictures):
    one = distill(lessons, pictures, TINY, device="cpu")
    other = distill(lessons, pictures, TINY, device=torch.device("cpu"))
    assert same(weights(one.encoder), weights(other.encoder))


def test_teachers_elsewhere_are_told(pictures):
    away = [Lesson(network(0).to("meta"), LAYERS)]
    with pytest.raises(ValueError, match=r"on cpu, the encoder .* on meta"):
        distill(away, pictures, TINY)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_training_on_a_gpu_is_resumed_there(lessons, pictures, unseen, tmp_path):
    taught = [Lesson(network(0).to("cuda"), LAYERS)]
    options = {"held_out": unseen, "checkpoint": tmp_path / "c", "device": "cuda"}
    training = replace(TINY, steps=30)
    assert distill(taught, pictures, training, on_step=press(20), **options).ended != "done"
    result = distill(taught, pictures, training, **options)
    assert result.ended == "done"
    assert {each.device.type for each in result.encoder.parameters()} == {"cpu"}
    assert result.record["machine"]["device"] == "cuda"


# --- what is refused ---------------------------------------------------------------------------


def test_a_checkpoint_of_another_training_is_refused(lessons, pictures, unseen, tmp_path):
    path = tmp_path / "c"
    distill(lessons, pictures, TINY, checkpoint=path)
    before = path.read_bytes()
    other: dict[str, Any] = {
        "lessons": lessons,
        "pictures": pictures,
        "training": TINY,
        "checkpoint": path,
    }
    changes: list[tuple[dict[str, Any], str]] = [
        ({"training": replace(TINY, seed=2)}, r"training\.seed: was 1, is 2"),
        ({"training": replace(TINY, steps=7)}, r"training\.steps: was 6, is 7"),
        ({"lessons": [Lesson(network(0), LAYERS)]}, r"lessons: was .*'tiny'"),
        ({"lessons": [Lesson(lessons[0].teacher, LAYERS[:1])]}, "lessons"),
        ({"pictures": pictures[:1]}, r"pictures: was .*'noise\.png'"),
        ({"held_out": unseen}, r"held_out: was \[\], is \['u\.png'"),
        ({"start": network(0)}, "start: was None"),
    ]
    for changed, message in changes:
        with pytest.raises(RecordError, match=f"c belongs to another run .*{message}"):
            distill(**(other | changed))
    assert path.read_bytes() == before
    path.write_bytes(b"damaged")
    with pytest.raises(RecordError, match="not a checkpoint, or it is damaged"):
        distill(**other)


def test_lessons_that_do_not_fit_are_named(tiny_encoder, pictures):
    with pytest.raises(ValueError, match="no layer 'relu9_9'"):
        distill([Lesson(tiny_encoder, ("relu9_9",))], pictures, TINY)
    with pytest.raises(ValueError, match="no layer 'relu5_4'"):  # which only the teacher has
        distill([Lesson(tiny_encoder, ("relu5_4",))], pictures, TINY)
    twice = [Lesson(tiny_encoder, LAYERS), Lesson(network(1), LAYERS[1:])]
    with pytest.raises(ValueError, match="layer 'relu2_1' is taught twice"):
        distill(twice, pictures, TINY)
    for nothing in ([], [Lesson(tiny_encoder, ())]):
        with pytest.raises(ValueError, match="no layer to learn; name at least one"):
            distill(nothing, pictures, TINY)
    once = [Lesson(tiny_encoder, ("relu3_1",)), Lesson(network(1, 3, 4, 5, 6, 7), ("relu1_1",))]
    assert taught_channels(once) == {"relu3_1": 6, "relu1_1": 3}


def test_a_start_must_have_the_layers(lessons, pictures):
    short = {k: v for k, v in random_weights("lite", 0, (4,) * 5).items() if k[4] == "1"}
    with pytest.raises(ValueError, match="no layer 'relu2_1'"):
        distill(lessons, pictures, TINY, start=Encoder("lite", short))
    deep = Encoder("vgg19", random_weights("vgg19", 0, (4,) * 5))
    with pytest.raises(WeightsError, match=r"lite has no place for 'conv5_2\.weight'"):
        distill(lessons, pictures, TINY, start=deep)


def test_too_few_or_missing_pictures(lessons, pictures, unseen, tmp_path):
    with pytest.raises(PictureError, match="2 pictures held out are too few to rank"):
        distill(lessons, pictures, TINY, held_out=unseen[:2])
    with pytest.raises(PictureError, match="no picture to train on"):
        distill(lessons, [[]], TINY)
    with pytest.raises(PictureError, match=r"'.*gone\.png'"):
        distill(lessons, [[tmp_path / "gone.png"]], TINY)
    with pytest.raises(PictureError, match=r"'.*gone\.png'"):
        distill(lessons, pictures, TINY, held_out=[*unseen, tmp_path / "gone.png"])


def test_errors_that_are_not_finite_end_it(lessons, pictures):
    wild = replace(TINY, learning_rate=1e30, steps=20)
    with pytest.raises(FloatingPointError, match=r"at step \d+; try a learning rate below 1e\+30"):
        distill(lessons, pictures, wild)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"steps": 0}, "steps is 0; it must be at least 1"),
        ({"batch": 3}, "batch is 3; it must be at least 4"),
        ({"size": 31}, "size is 31; it must be at least 32"),
        ({"rivals": -1}, "rivals is -1"),
        ({"seed": -1}, "seed is -1"),
        ({"learning_rate": math.nan}, "learning_rate is nan; it must be a number from 0 up"),
        ({"learning_rate": math.inf}, "learning_rate is inf"),
        ({"gram_weight": -0.1}, "gram_weight is -0.1"),
        ({"weight_decay": -1.0}, "weight_decay is -1.0"),
        ({"widths": (4, 4, 4, 4)}, r"widths is \(4, 4, 4, 4\); it must be five numbers"),
        ({"widths": (4, 4, 0, 4, 4)}, "widths is"),
    ],
)
def test_numbers_out_of_range_are_refused(changed, message):
    with pytest.raises(ValueError, match=message):
        replace(TINY, **changed)


def test_a_measurement_needs_a_pause(lessons, pictures):
    with pytest.raises(ValueError, match="measure_every is 0; it must be at least 1"):
        distill(lessons, pictures, TINY, measure_every=0)
    with pytest.raises(ValueError, match="checkpoint_every is 0"):
        distill(lessons, pictures, TINY, checkpoint_every=0)


def test_a_recipe_knows_its_start_by_checksum(lessons, pictures):
    start = Encoder(
        "lite", random_weights("lite", 0), weights_name="a.safetensors", weights_sha256="12ab"
    )
    found = recipe(lessons, pictures, [], TINY, start)
    assert found["start"] == ["a.safetensors", "12ab"]


def test_a_full_disk_does_not_cost_the_training(lessons, pictures, tmp_path, monkeypatch):
    def full(*_args: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("nstlab.checkpoints.write_checkpoint", full)
    result = distill(lessons, pictures, TINY, checkpoint=tmp_path / "x.checkpoint")
    assert result.ended == "done"
    assert "no checkpoints from here on: No space left" in result.record["messages"][0]


def test_a_start_of_another_kind_is_refused(lessons, pictures):
    start = Encoder("lite", random_weights("lite", 0, (4,) * 5), pooling="average")
    with pytest.raises(ValueError, match="has average pooling and zeros at its edges"):
        distill(lessons, pictures, TINY, start=start)
