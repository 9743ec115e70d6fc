"""The parts of a training: crops, what is asked for, heads, rivals, teachers, and padding."""

import io
import math
import re
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import Tensor, nn

from nstlab.distill import Crops, Projected, Teacher, compressed_encoder, load_teacher, pictures_in
from nstlab.distill.crops import SUFFIXES
from nstlab.distill.matching import feature_error, gram_distance_error, log_distance_ratio
from nstlab.distill.rivals import Rivals
from nstlab.distill.student import Student
from nstlab.encoders import Encoder, load_encoder
from nstlab.fitting import random_weights
from nstlab.gram import gram_matrix
from nstlab.images import PictureError, save_picture
from nstlab.runtime import generator
from nstlab.weights import WeightsError, file_sha256


def random(*shape: int, seed: int = 0) -> Tensor:
    return torch.rand(*shape, generator=generator(seed))


# --- crops -------------------------------------------------------------------------------------


@pytest.fixture
def files(tmp_path: Path, photo: Tensor) -> list[Path]:
    """Three pictures of different sizes."""
    made = {"a.png": photo, "b.png": 1 - photo.mT, "c.png": random(1, 3, 80, 70)}
    return [save_picture(picture, tmp_path / name) for name, picture in made.items()]


@pytest.fixture
def undisturbed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave colours as they are."""
    monkeypatch.setattr("nstlab.distill.crops._disturb", lambda crop, *_: crop)


def test_crops_depend_on_seed_and_step_alone(files):
    expected = Crops([files], size=32, seed=3).batch(7, 5)
    other = Crops([files], size=32, seed=3)
    torch.manual_seed(99)
    other.batch(2, 5)
    assert torch.equal(other.batch(7, 5), expected)
    assert not torch.equal(other.batch(8, 5), expected)
    assert not torch.equal(other.batch(-7, 5), expected)
    assert not torch.equal(Crops([files], size=32, seed=4).batch(7, 5), expected)
    assert not any(torch.equal(expected[0], each) for each in expected[1:])


def test_crops_leave_torchs_own_random_numbers_alone(files):
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    Crops([files], size=32).batch(0, 20)
    assert torch.equal(torch.rand(1), expected)


@pytest.mark.parametrize("size", [16, 33, 64])
def test_crops_are_pictures(files, size):
    crops = Crops([files], size=size)
    batches = torch.cat([crops.batch(step, 8) for step in range(10)])
    assert batches.shape == (80, 3, size, size)
    assert batches.dtype == torch.float32
    assert batches.isfinite().all()
    assert batches.min() >= 0 and batches.max() <= 1
    assert batches.std() > 0.1


@pytest.mark.parametrize("shape", [(1, 1), (1, 50), (9, 20), (20, 9), (33, 32)])
def test_pictures_smaller_than_a_crop_are_enlarged(shape, tmp_path):
    path = save_picture(random(1, 3, *shape), tmp_path / "small.png")
    crops = Crops([[path]], size=32).batch(0, 12)
    assert crops.shape == (12, 3, 32, 32)
    assert crops.min() >= 0 and crops.max() <= 1


def test_a_crop_shows_a_third_of_the_shorter_side_up_to_all_of_it(tmp_path, undisturbed):
    ramp = torch.linspace(0, 1, 120).expand(1, 3, 120, 120)
    path = save_picture(ramp, tmp_path / "ramp.png")
    crops = Crops([[path]], size=32).batch(0, 400)
    spans = (crops.flatten(1).max(1).values - crops.flatten(1).min(1).values) * 32 / 31
    assert 0.32 < spans.min() < 0.35
    assert 0.95 < spans.max() < 1
    # All ratios alike: half of the crops show less than 1 / √(1.02 · 3) of the side.
    assert (spans < 1 / math.sqrt(1.02 * 3)).float().mean() == pytest.approx(0.5, abs=0.06)


def test_crops_are_turned_in_all_three_ways_and_most_not_at_all(tmp_path, undisturbed):
    rows, columns = torch.linspace(0, 0.3, 64)[:, None], torch.linspace(0, 0.7, 64)[None, :]
    path = save_picture((rows + columns).expand(1, 3, 64, 64), tmp_path / "slope.png")
    seen = {"as it is": 0, "left and right": 0, "up and down": 0, "across the diagonal": 0}
    for crop in Crops([[path]], size=32).batch(0, 400)[:, 0]:
        down = (crop[-1] - crop[0]).mean().item()
        right = (crop[:, -1] - crop[:, 0]).mean().item()
        if right < 0 or down < 0:
            seen["left and right" if right < 0 else "up and down"] += 1
        else:
            seen["across the diagonal" if down > right else "as it is"] += 1
    expected = {"as it is": 0.36125, "left and right": 0.5, "up and down": 0.075}
    expected["across the diagonal"] = 0.06375
    for name, share in expected.items():
        assert seen[name] / 400 == pytest.approx(share, abs=0.06), name


def test_groups_are_drawn_by_the_root_of_their_size(tmp_path, monkeypatch):
    drawn: list[Path] = []

    def reading(path: Path) -> Tensor:
        drawn.append(path)
        return torch.zeros(3, 16, 16, dtype=torch.uint8)

    few, many = [tmp_path / "a"], [tmp_path / str(k) for k in range(9)]
    crops = Crops([few, many], size=16)
    monkeypatch.setattr(crops, "_read", reading)
    crops.batch(0, 600)
    assert sum(path in few for path in drawn) / 600 == pytest.approx(1 / 4, abs=0.06)
    for path in many:
        assert drawn.count(path) / 600 == pytest.approx(3 / 4 / 9, abs=0.04)


def test_a_picture_is_read_once_and_not_before_it_is_drawn(files, tmp_path):
    crops = Crops([files[:1]], size=16)
    files[0].rename(tmp_path / "away.png")
    with pytest.raises(PictureError, match=r"'.*a\.png'"):
        crops.batch(0, 1)
    (tmp_path / "away.png").rename(files[0])
    crops.batch(0, 1)
    files[0].unlink()
    assert crops.batch(1, 4).shape == (4, 3, 16, 16)


def test_pictures_in_folders_are_found_by_name(tmp_path, photo):
    first, second = tmp_path / "first", tmp_path / "second"
    for folder in (first, second, first / "below"):
        folder.mkdir()
    for name in ("b.png", "a.JPG", "c.webp"):
        save_picture(photo, first / name)
    save_picture(photo, second / "z.tif")
    save_picture(photo, first / "below" / "d.png")
    (first / "notes.txt").write_text("no picture")
    found = pictures_in([first, str(second)])
    assert [[path.name for path in group] for group in found] == [
        ["a.JPG", "b.png", "c.webp"],
        ["z.tif"],
    ]
    assert Crops(found, size=32).batch(0, 8).shape == (8, 3, 32, 32)


def test_folders_without_pictures_are_refused(tmp_path):
    with pytest.raises(PictureError, match=r"there is no folder '.*none' with pictures"):
        pictures_in([tmp_path / "none"])
    (tmp_path / "notes.txt").write_text("no picture")
    with pytest.raises(PictureError, match=re.escape(f"end in {', '.join(SUFFIXES)}")):
        pictures_in([tmp_path])
    with pytest.raises(PictureError, match=r"no folder '.*notes\.txt'"):
        pictures_in([tmp_path / "notes.txt"])
    for nothing in ([], [[]], [[tmp_path / "a.png"], []]):
        with pytest.raises(PictureError, match="no picture to train on"):
            Crops(nothing)
    with pytest.raises(ValueError, match="size is 15; crops need at least 16 px"):
        Crops([[tmp_path / "a.png"]], size=15)


# --- what is asked for -------------------------------------------------------------------------


def grams(count: int, channels: int, seed: int = 0) -> Tensor:
    features = torch.randn(count, channels, 6, 6, generator=generator(seed)).double()
    return gram_matrix(features.relu())


ZERO = torch.zeros((), dtype=torch.float64)


def test_features_equal_to_the_teachers_have_no_error_and_their_means_have_one():
    target = random(50, 6, 4, 4, seed=3) * torch.arange(1, 7).view(1, 6, 1, 1)
    target = target / target.var(dim=(0, 2, 3)).mean().sqrt()
    means = target.mean(dim=(0, 2, 3), keepdim=True).expand(target.shape)
    assert feature_error(target, target) == 0
    assert feature_error(means, target).item() == pytest.approx(1, rel=1e-2)


@pytest.mark.parametrize("factor", [1e-3, 1.0, 40.0])
def test_grams_alike_up_to_a_factor_have_no_error(factor):
    ours = grams(5, 6)
    offset = torch.tensor(2 * math.log(factor), dtype=torch.float64)
    assert gram_distance_error(factor * ours, ours, offset).item() == pytest.approx(0, abs=1e-10)
    assert log_distance_ratio(factor * ours, ours).item() == pytest.approx(offset.item())


def test_which_channel_is_which_does_not_matter():
    ours, theirs = grams(5, 6), grams(5, 9, seed=1)
    expected = gram_distance_error(ours, theirs, ZERO).item()
    order = torch.randperm(6, generator=generator(2))
    rotation, _ = torch.linalg.qr(torch.randn(6, 6, generator=generator(3)).double())
    assert expected > 0.1
    for turned in (ours[:, order][:, :, order], rotation @ ours @ rotation.mT):
        assert gram_distance_error(turned, theirs, ZERO).item() == pytest.approx(expected, rel=1e-9)
        assert gram_distance_error(turned, ours, ZERO).item() == pytest.approx(0, abs=1e-10)


def test_channels_of_zeros_do_not_matter():
    ours = grams(5, 6)
    wider = F.pad(ours, (0, 3, 0, 3))
    assert gram_distance_error(wider, ours, ZERO).item() == pytest.approx(0, abs=1e-10)


def test_an_error_known_by_hand():
    """One channel: Grams 1 and 3 against 1 and 2, so that d is 4 against 1; no shape differs."""
    ours, theirs = (torch.tensor([[[1.0]], [[each]]]).double() for each in (3.0, 2.0))
    same = 1e-4  # of the product of the norms, below which nothing counts
    ratio = math.log((4 + same * 3) / (1 + same * 2))
    whole = gram_distance_error(ours, theirs, ZERO).item()
    assert whole == pytest.approx((ratio - 0.25) / 2, rel=1e-9)  # |x| - 1/4 far from zero
    near = gram_distance_error(ours, theirs, torch.tensor(ratio - 0.3, dtype=torch.float64)).item()
    assert near == pytest.approx(0.3**2 / 2, rel=1e-9)  # x² near zero
    assert log_distance_ratio(ours, theirs).item() == pytest.approx(ratio)


def test_offsets_start_at_the_median_of_all_pairs():
    ours, theirs = (
        torch.tensor(values).double().view(3, 1, 1) for values in ((1.0, 2.0, 4.0), (1.0, 2.0, 3.0))
    )
    ratios = (1 / 1, 9 / 4, 4 / 1)  # of squared distances, pair by pair
    expected = math.log(sorted(ratios)[1])
    assert log_distance_ratio(ours, theirs).item() == pytest.approx(expected, abs=1e-3)


def test_the_shapes_of_grams_count_without_the_offset():
    """Each matrix is scaled for itself, which only distances between whole matrices see."""
    ours = grams(4, 5)
    scaled = ours * torch.tensor([1.0, 2.0, 3.0, 4.0])[:, None, None]
    whole = gram_distance_error(scaled, ours, ZERO).item()
    away = gram_distance_error(scaled, ours, torch.tensor(1000.0).double()).item()
    assert whole > 0.1
    assert away == pytest.approx(500, rel=0.01)  # only the first of both parts


def test_the_gradient_is_the_slope():
    theirs = grams(4, 5, seed=1)
    ours = grams(4, 3).requires_grad_()
    assert torch.autograd.gradcheck(lambda g: gram_distance_error(g, theirs, ZERO), ours)


def slope(ours: Tensor, theirs: Tensor) -> Tensor:
    ours = ours.clone().requires_grad_()
    error = gram_distance_error(ours, theirs, torch.zeros(()))
    assert error.isfinite()
    (gradient,) = torch.autograd.grad(error, ours)
    return gradient


def test_identical_pictures_do_no_harm():
    ours, theirs = grams(4, 5).float(), grams(4, 3, seed=1).float()
    ours[1], theirs[1] = ours[0], theirs[0]
    assert slope(ours, theirs).isfinite().all()
    all_alike = slope(ours[:1].expand(4, 5, 5), theirs[:1].expand(4, 3, 3))
    assert all_alike.isfinite().all()


@pytest.mark.parametrize("dead", [[2], [0, 1, 2, 3]])
def test_grams_of_zeros_do_no_harm(dead):
    ours, theirs = grams(4, 5).float(), grams(4, 3, seed=1).float()
    ours[dead] = 0
    assert slope(ours, theirs).isfinite().all()


def test_a_teacher_that_sees_nothing_does_no_harm():
    ours, theirs = grams(4, 5).float(), grams(4, 3, seed=1).float()
    theirs[2] = 0
    assert slope(ours, theirs).isfinite().all()


# --- the student -------------------------------------------------------------------------------


def test_fitted_heads_recover_a_linear_map():
    encoder = Encoder("lite", random_weights("lite", 0, (4, 5, 6, 7, 8)))
    student = Student(encoder, {"relu2_1": 9})
    weight = torch.randn(9, 5, generator=generator(1))
    shift = torch.randn(9, generator=generator(2))
    features = [{"relu2_1": random(4, 5, 16, 16, seed=k)} for k in range(3)]
    targets = [
        {"relu2_1": F.conv2d(each["relu2_1"], weight[:, :, None, None], shift)} for each in features
    ]
    student.fit_heads(features, targets)
    head = student.heads["relu2_1"]
    assert isinstance(head, nn.Conv2d) and head.bias is not None
    assert torch.allclose(head.weight[:, :, 0, 0], weight, rtol=2e-3, atol=2e-3)  # the ridge
    assert torch.allclose(head.bias, shift, rtol=2e-3, atol=2e-3)
    new = random(1, 5, 3, 3, seed=9)
    expected = F.relu(F.conv2d(new, weight[:, :, None, None], shift))
    assert torch.allclose(student.led("relu2_1", new), expected, atol=5e-3)
    assert (expected == 0).any() and (expected > 0.1).any()


def test_no_head_is_better_than_the_fitted_one():
    student = Student(Encoder("lite", random_weights("lite", 0, (4,) * 5)), {"relu1_1": 3})
    features, target = random(4, 4, 16, 16), random(4, 3, 16, 16, seed=1)
    student.fit_heads([{"relu1_1": features}], [{"relu1_1": target}])
    head = student.heads["relu1_1"]
    assert isinstance(head, nn.Conv2d) and head.bias is not None

    def error() -> float:
        return F.mse_loss(head(features), target).item()

    best = error()
    with torch.no_grad():
        for part in (head.weight, head.bias):
            for _ in range(10):
                change = 0.05 * torch.randn(part.shape, generator=generator(4))
                part += change
                assert error() > best
                part -= change


def test_channels_that_are_dead_do_not_hinder_the_fit():
    student = Student(Encoder("lite", random_weights("lite", 0, (4,) * 5)), {"relu1_1": 3})
    features, target = random(2, 4, 8, 8), random(2, 3, 8, 8, seed=1)
    for count in (2, 4):
        features[:, :count] = 0
        student.fit_heads([{"relu1_1": features}], [{"relu1_1": target}])
        led = student.led("relu1_1", features)
        assert led.isfinite().all()
    means = target.mean(dim=(0, 2, 3))  # all that can be said where nothing is seen
    assert torch.allclose(led.mean(dim=(0, 2, 3)), means, atol=1e-5)


def test_a_student_gives_its_encoders_features_and_all_of_it_learns(photo):
    encoder = Encoder("lite", random_weights("lite", 0, (4,) * 5))
    expected = encoder(photo, ["relu1_1", "relu3_1"])
    student = Student(encoder, {"relu1_1": 3, "relu3_1": 7})
    found = student(photo)
    assert all(torch.equal(found[name], each) for name, each in expected.items())
    assert student.led("relu3_1", found["relu3_1"]).shape == (1, 7, 12, 16)
    assert all(each.requires_grad for each in student.parameters())
    with pytest.raises(ValueError, match="no layer 'relu5_2'"):
        Student(encoder, {"relu5_2": 3})


# --- rivals ------------------------------------------------------------------------------------


@pytest.fixture
def student() -> Encoder:
    """As in training: its weights would take gradients."""
    return Encoder("lite", random_weights("lite", 2, (6, 6, 6, 6, 6))).requires_grad_(True)


@pytest.fixture
def lasting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rivals that are never replaced."""
    monkeypatch.setattr("nstlab.distill.rivals.LAST_USE", 0.0)


def style_distance(student: Encoder, pair: Tensor, layers: list[str]) -> float:
    with torch.no_grad():
        found = student(pair, layers)
    total = 0.0
    for features in found.values():
        rival, target = gram_matrix(features)
        total += ((rival - target).square().sum() / target.square().sum()).item()
    return total


def test_a_rival_nears_the_style_of_its_target(student, lasting):
    rivals = Rivals(1, ("relu1_1", "relu2_1", "relu3_1"), seed=0)
    fresh = random(2, 3, 32, 32) * torch.tensor([1.0, 0.4])[:, None, None, None]
    pairs = [rivals.next(student, step, fresh) for step in range(12)]
    place = rivals.places[0]
    assert place is not None
    distances = [style_distance(student, pair, place["layers"]) for pair in (fresh, *pairs)]
    assert distances[-1] < 0.2 * distances[0]
    assert all(later < earlier for earlier, later in pairwise(distances[:5]))
    for pair in pairs:
        assert pair.shape == fresh.shape
        assert torch.equal(pair[1], fresh[1])
        assert pair.min() >= 0 and pair.max() <= 1
    assert not torch.equal(pairs[-1][0], fresh[0])


def test_the_fresh_pictures_and_the_student_are_left_alone(student, lasting):
    fresh = random(2, 3, 32, 32)
    before = fresh.clone(), {name: t.clone() for name, t in student.state_dict().items()}
    pair = Rivals(2, ("relu1_1", "relu2_1"), seed=0).next(student, 0, fresh)
    assert torch.equal(fresh, before[0])
    assert all(torch.equal(t, before[1][name]) for name, t in student.state_dict().items())
    assert all(each.grad is None for each in student.parameters())
    assert not pair.requires_grad


def test_a_rival_that_was_used_up_makes_room(student, monkeypatch):
    monkeypatch.setattr("nstlab.distill.rivals.LAST_USE", 1.0)
    rivals = Rivals(1, ("relu1_1",), seed=0)
    for step in range(3):
        fresh = random(2, 3, 32, 32, seed=step)
        assert torch.equal(rivals.next(student, step, fresh)[1], fresh[1])
        assert rivals.places == [None]


def test_rivals_descend_on_neighbouring_layers_of_those_taught(student, lasting):
    layers = ("relu1_1", "relu2_1", "relu3_1")
    rivals, fresh = Rivals(60, layers, seed=0), random(2, 3, 8, 8)
    for step in range(90):
        rivals.next(student, step, fresh)
    runs = {layers[i:j] for i in range(3) for j in range(i + 1, 4)}
    seen = {tuple(place["layers"]) for place in rivals.places if place is not None}
    assert seen == runs


def test_going_on_from_a_state_gives_the_same_rivals(student):
    def pairs(rivals: Rivals, steps: range) -> list[Tensor]:
        return [
            rivals.next(student, step, random(2, 3, 32, 32, seed=step)).clone() for step in steps
        ]

    whole = Rivals(2, ("relu1_1", "relu2_1"), seed=4)
    expected = pairs(whole, range(9))
    first = Rivals(2, ("relu1_1", "relu2_1"), seed=4)
    pairs(first, range(5))
    file = io.BytesIO()
    torch.save(first.state_dict(), file)
    file.seek(0)
    second = Rivals(2, ("relu1_1", "relu2_1"), seed=4)
    second.load_state_dict(torch.load(file, weights_only=True))
    found = pairs(second, range(5, 9))
    assert all(torch.equal(one, other) for one, other in zip(found, expected[5:], strict=True))
    other = pairs(Rivals(2, ("relu1_1", "relu2_1"), seed=5), range(9))
    assert not all(torch.equal(one, two) for one, two in zip(other, expected, strict=True))


def test_a_rival_of_a_flat_picture_is_finite(student):
    flat = torch.zeros(2, 3, 32, 32)
    rivals = Rivals(1, ("relu1_1", "relu3_1"), seed=0)
    for step in range(4):
        assert rivals.next(student, step, flat).isfinite().all()


def test_a_target_that_the_student_does_not_see_is_approached_all_the_same(student, lasting):
    with torch.no_grad():
        kernel = student.get_parameter("conv1_1.weight").zero_()
        kernel[:, :, 1, 1] = 1.0  # black is below ImageNet's mean, and the ReLU cuts it off
    fresh = torch.stack([random(3, 32, 32), torch.zeros(3, 32, 32)])
    assert not student(fresh[1:], ["relu1_1"])["relu1_1"].any()
    rivals = Rivals(1, ("relu1_1",), seed=0)
    pairs = [rivals.next(student, step, fresh) for step in range(4)]
    assert all(pair.isfinite().all() for pair in pairs)
    assert pairs[-1][0].mean() < fresh[0].mean() - 0.01


# --- teachers ----------------------------------------------------------------------------------

BLOCKS = {1: (2, 4), 2: (2, 5), 3: (4, 6), 4: (4, 7), 5: (1, 8)}  # convolutions and channels
LED_TO = {1: 9, 2: 10, 3: 11, 4: 12, 5: 13}


def compressed_state() -> dict[str, Tensor]:
    """Random weights with the keys of a compressed VGG-19."""
    numbers = generator(7)

    def normal(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=numbers) / math.sqrt(max(1, math.prod(shape[1:])) / 2)

    state = {"conv0.weight": normal(3, 3, 1, 1), "conv0.bias": normal(3)}
    before = 3
    for block, (count, width) in BLOCKS.items():
        for i in range(1, count + 1):
            state[f"conv{block}{i}.weight"] = normal(width, before, 3, 3)
            state[f"conv{block}{i}.bias"] = normal(width)
            before = width
        state[f"conv{block}1_aux.weight"] = normal(LED_TO[block], width, 1, 1)
        state[f"conv{block}1_aux.bias"] = normal(LED_TO[block])
    return state


def by_hand(state: Mapping[str, Tensor], image: Tensor) -> tuple[dict[str, Tensor], ...]:
    """All features of a compressed VGG-19 and its aux maps, layer by layer."""

    def convolve(key: str, features: Tensor) -> Tensor:
        return F.conv2d(features, state[f"{key}.weight"], state[f"{key}.bias"])

    own, led = {}, {}
    features = convolve("conv0", image)
    for block, (count, _) in BLOCKS.items():
        if block > 1:
            features = F.max_pool2d(features, 2)
        for i in range(1, count + 1):
            padded = F.pad(features, (1, 1, 1, 1), mode="reflect")
            features = F.relu(convolve(f"conv{block}{i}", padded))
            own[f"relu{block}_{i}"] = features
        led[f"relu{block}_1"] = F.relu(convolve(f"conv{block}1_aux", own[f"relu{block}_1"]))
    return own, led


@pytest.fixture
def compressed(tmp_path: Path) -> Path:
    save_file(compressed_state(), tmp_path / "compressed.safetensors")
    return tmp_path / "compressed.safetensors"


def nearly(one: Tensor, other: Tensor) -> bool:
    assert other.abs().max() > 0.01  # so that the comparison says something
    return one.shape == other.shape and bool((one - other).abs().max() < 1e-4 * other.abs().max())


def test_a_compressed_file_gives_what_the_network_gives(compressed):
    image = random(2, 3, 48, 64, seed=1)
    own, led = by_hand(compressed_state(), image)
    encoder = compressed_encoder(compressed)
    found = encoder(image, list(own))
    for name, expected in own.items():
        assert nearly(found[name], expected), name
    teacher = load_teacher(compressed)
    assert isinstance(teacher, Projected)
    assert teacher.layers == tuple(led)
    assert [teacher.channels(name) for name in led] == list(LED_TO.values())
    found = teacher(image, list(led))
    for name, expected in led.items():
        assert nearly(found[name], expected), name


def test_a_compressed_file_in_half_precision_is_a_teacher_too(tmp_path):
    halves = {key: tensor.half() for key, tensor in compressed_state().items()}
    save_file(halves, tmp_path / "half.safetensors")
    image = random(1, 3, 32, 32, seed=1)
    _, led = by_hand({key: tensor.float() for key, tensor in halves.items()}, image)
    found = load_teacher(tmp_path / "half.safetensors")(image, ["relu2_1"])
    assert nearly(found["relu2_1"], led["relu2_1"])


def test_a_compressed_encoder_knows_its_file_and_is_frozen(compressed):
    encoder = compressed_encoder(compressed)
    assert (encoder.weights_name, encoder.weights_sha256) == (
        "compressed.safetensors",
        file_sha256(compressed),
    )
    assert encoder.layers[-1] == "relu5_1"
    teacher = load_teacher(str(compressed), device="cpu")
    assert teacher.weights_sha256 == encoder.weights_sha256
    assert not any(each.requires_grad for each in teacher.parameters())
    assert isinstance(teacher, Teacher) and isinstance(encoder, Teacher)


@pytest.mark.parametrize(
    ("missing", "message"),
    [
        ("conv0.bias", r"needs 'conv0\.bias'"),
        ("conv11.weight", r"needs 'conv11\.weight'"),
        ("conv11.bias", r"needs 'conv11\.bias'"),
        ("conv34.bias", r"needs conv3_4\.bias, which the weights lack"),
        ("conv31_aux.bias", r"needs 'conv31_aux\.bias'"),
    ],
)
def test_parts_that_a_compressed_file_lacks_are_named(missing, message, tmp_path):
    state = compressed_state()
    del state[missing]
    save_file(state, tmp_path / "cut.safetensors")
    with pytest.raises(WeightsError, match=message):
        load_teacher(tmp_path / "cut.safetensors")


def test_files_of_another_kind_are_no_compressed_network(tmp_path):
    for state in ({"a": torch.zeros(1)}, random_weights("lite", 0, (4,) * 5)):
        save_file(state, tmp_path / "other.safetensors")
        with pytest.raises(WeightsError, match=r"needs 'conv0\.weight'"):
            compressed_encoder(tmp_path / "other.safetensors")
    save_file(compressed_state() | {"a": torch.zeros(1)}, tmp_path / "more.safetensors")
    with pytest.raises(WeightsError, match="no place for"):
        compressed_encoder(tmp_path / "more.safetensors")


def test_any_encoder_is_a_teacher(tmp_path, photo):
    save_file(random_weights("lite", 3, (4, 5, 6, 7, 8)), tmp_path / "own.safetensors")
    teacher = load_teacher(tmp_path / "own.safetensors")
    same = load_encoder(tmp_path / "own.safetensors")
    assert isinstance(teacher, Encoder)
    layers = ["relu3_1", "relu1_1"]
    for name, features in teacher(photo, layers).items():
        assert torch.equal(features, same(photo, layers)[name])
    assert load_teacher("lite").weights_sha256 == load_encoder("lite").weights_sha256
    with pytest.raises(ValueError, match="no encoder 'vgg17'"):
        load_teacher("vgg17")
    with pytest.raises(WeightsError, match="no weight file"):
        load_teacher(tmp_path / "none.safetensors")


def test_projected_features_are_a_convolution_and_a_relu(tiny_encoder, photo):
    heads = {
        "relu1_1": (torch.randn(3, 4, 1, 1, generator=generator(1)), torch.zeros(3)),
        "relu2_1": (torch.zeros(2, 5, 1, 1), torch.tensor([1.5, -1.0])),
    }
    teacher = Projected(tiny_encoder, heads)
    found = teacher(photo, ["relu2_1", "relu1_1"])
    assert list(found) == ["relu2_1", "relu1_1"]
    own = tiny_encoder(photo, ["relu1_1"])["relu1_1"]
    expected = torch.einsum("oi,bihw->bohw", heads["relu1_1"][0][:, :, 0, 0], own).clamp_min(0)
    assert torch.allclose(found["relu1_1"], expected, atol=1e-5)
    assert found["relu2_1"][0].mean(dim=(1, 2)).tolist() == [1.5, 0.0]
    assert (teacher.channels("relu1_1"), teacher.channels("relu2_1")) == (3, 2)
    assert teacher.weights_name == "tiny"
    for ask in (lambda: teacher(photo, ["relu3_1"]), lambda: teacher.channels("relu3_1")):
        with pytest.raises(ValueError, match=r"no layer 'relu3_1'.*relu1_1, relu2_1"):
            ask()
    assert teacher.to(torch.float64)(photo.double(), ["relu1_1"])["relu1_1"].dtype == torch.float64


def test_the_compressed_vgg19_that_is_shared(shared_files):
    path = shared_files / "weights" / "vgg19_compressed16x.safetensors"
    layers = [f"relu{block}_1" for block in range(1, 6)]
    teacher, encoder = load_teacher(path), compressed_encoder(path)
    assert [teacher.channels(name) for name in layers] == [64, 128, 256, 512, 512]
    assert [encoder.channels(name) for name in layers] == [16, 32, 64, 128, 128]
    found = teacher(random(1, 3, 32, 32), layers)
    assert all(each.isfinite().all() and each.max() > 0 for each in found.values())


# --- padding -----------------------------------------------------------------------------------


def test_reflected_edges_keep_a_flat_picture_flat():
    weights, flat = random_weights("lite", 0, (4, 5, 6, 7, 8)), torch.full((1, 3, 48, 64), 0.8)
    layers = ["conv1_1", "relu3_1", "relu5_1"]
    reflected = Encoder("lite", weights, padding="reflect")(flat, layers)
    for name, features in reflected.items():
        middle = features[:, :, 1:2, 1:2]
        assert torch.allclose(features, middle.expand(features.shape), atol=1e-5), name
        assert features.abs().max() > 0.01, name
    dark_edges = Encoder("lite", weights)(flat, layers)["conv1_1"]
    assert (dark_edges[..., 0, 0] - dark_edges[..., 9, 9]).abs().max() > 0.1


def test_padding_only_matters_at_the_edge(photo):
    weights = random_weights("lite", 0, (4, 5, 6, 7, 8))
    zeros = Encoder("lite", weights)(photo, ["conv1_1"])["conv1_1"]
    reflected = Encoder("lite", weights, padding="reflect")(photo, ["conv1_1"])["conv1_1"]
    assert torch.allclose(zeros[..., 1:-1, 1:-1], reflected[..., 1:-1, 1:-1], atol=1e-6)
    assert not torch.allclose(zeros, reflected, atol=1e-2)
    explicit = Encoder("lite", weights, padding="zeros")(photo, ["conv1_1"])["conv1_1"]
    assert torch.equal(explicit, zeros)


def test_the_smallest_picture_for_reflected_edges():
    encoder = Encoder("lite", random_weights("lite", 0, (4,) * 5), padding="reflect")
    side = encoder.smallest_side("relu5_1")
    features = encoder(torch.zeros(1, 3, side, side), ["relu5_1"])
    assert features["relu5_1"].numel() > 0
