"""What a run is expected to need: memory by closed form and as measured, time, what would fit."""

import json
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

import nstlab.estimate
from nstlab import winograd
from nstlab.cli import main
from nstlab.encoders import Encoder, load_encoder
from nstlab.estimate import Estimate, RoomError, estimate, in_bytes, memory, require_room
from nstlab.estimate import timing as timing_module
from nstlab.estimate.available import available_memory, control_groups
from nstlab.estimate.work import Work
from nstlab.fitting import random_weights
from nstlab.objective import Objective, blend_grams, content_term, style_term
from nstlab.runtime import multiplies_bfloat16
from nstlab.settings import Settings
from nstlab.transfer import stylize

TINY = (4, 5, 6, 7, 8)
GB = 10**9


@pytest.fixture(autouse=True)
def nothing_timed(monkeypatch: pytest.MonkeyPatch) -> dict[tuple[object, ...], tuple[float, float]]:
    """An empty store of measured times."""
    store: dict[tuple[object, ...], tuple[float, float]] = {}
    monkeypatch.setattr(timing_module, "_measured", store)
    return store


def work(encoder: Encoder, **changes: Any) -> Work:
    settings = {"size": 32, "precision": "float32", **changes}
    own = {name: settings.pop(name) for name in ("loaded", "kind") if name in settings}
    return Work(settings=Settings(**settings), encoder=encoder, **{"loaded": True, **own})


def gigabytes_free(monkeypatch: pytest.MonkeyPatch, count: float) -> None:
    monkeypatch.setattr(nstlab.estimate, "available_memory", lambda device: int(count * GB))


def test_outputs_have_the_shapes_that_the_encoder_puts_out():
    for encoder, shape in (
        (load_encoder("alexnet", weights="random"), (75, 98)),
        (load_encoder("lite"), (37, 50)),
    ):
        layers = encoder.layers[-2:]
        settings = Settings(size=max(shape), content_layers=layers[:1], style_layers=layers)
        outputs = Work(settings=settings, encoder=encoder, shape=shape).outputs
        features = encoder(torch.rand(1, 3, *shape), encoder.layers[: len(outputs)])
        for output in outputs:
            got = (1, output.layer.channels, output.height, output.width)
            assert features[output.layer.name].shape == got


def test_what_autograd_keeps_by_hand(tiny_encoder: Encoder):
    layers = {"content_layers": ("conv2_1",), "style_layers": ("relu1_1",)}
    # 32 x 32: the normalised picture, relu1_1 and relu1_2 of 4 channels; 16 x 16: pool1, and
    # conv2_1 of 5 channels, the last layer, with F - P in float32.
    whole, half = 32 * 32 * 4, 16 * 16 * 4
    by_layer = {"image": 3 * whole, "relu1_1": 4 * whole, "relu1_2": 4 * whole}
    by_layer |= {"pool1": 4 * half, "conv2_1": 2 * 5 * half}
    assert memory.kept(work(tiny_encoder, **layers)) == by_layer
    assert memory.kept(work(tiny_encoder, precision="bfloat16", **layers)) == {
        name: size // 2 + (name == "conv2_1") * 5 * half // 2 for name, size in by_layer.items()
    }


def test_what_autograd_keeps_is_what_it_keeps(tiny_encoder: Encoder):
    """Against the tensors that autograd is seen to save."""
    normed = Encoder("vgg11_bn", random_weights("vgg11_bn", seed=0, widths=TINY))
    average = Encoder("vgg19", dict(tiny_encoder.state_dict()), pooling="average")
    squares = Encoder("vgg19", dict(tiny_encoder.state_dict()), pooling="l2")
    for encoder in (tiny_encoder, normed, average, squares):
        asked = work(encoder)
        saved: dict[int, int] = {}
        own = {each.data_ptr() for each in (*encoder.parameters(), *encoder.buffers())}

        def keep(tensor: torch.Tensor) -> torch.Tensor:
            small = tensor.numel() <= 64  # Gram matrices, which are counted elsewhere
            if not small and tensor.data_ptr() not in own:  # noqa: B023 (called in this turn only)
                saved[tensor.data_ptr()] = tensor.numel() * tensor.element_size()  # noqa: B023
            return tensor

        image = torch.rand(1, 3, 32, 32, requires_grad=True)
        seen = encoder(torch.rand(1, 3, 32, 32), asked.layers)
        content = content_term({name: seen[name] for name in asked.content_layers})
        style = style_term(blend_grams([{name: seen[name] for name in asked.style_layers}]))
        objective = Objective(encoder, [content, style])
        with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
            objective._losses(image)
        assert sum(memory.kept(asked).values()) == pytest.approx(sum(saved.values()), rel=0.02)


def test_the_moment_of_most_by_hand(tiny_encoder: Encoder):
    whole, half = 32 * 32 * 4, 16 * 16 * 4
    layers = {"content_layers": ("conv2_1",), "style_layers": ("relu1_1",)}
    # At pool1: all but conv2_1 is kept; its gradient, that of relu1_2, its output made again, and
    # the places of the maxima.
    features, made = memory.at_peak(work(tiny_encoder, **layers))
    assert sum(features) == (3 + 4 + 4) * whole + 4 * half
    assert sum(made) == 4 * half + 4 * whole + 4 * half + 2 * 4 * half
    # At relu2_1, where content is compared, with average pooling: F - P, and four gradients.
    average = Encoder("vgg19", dict(tiny_encoder.state_dict()), pooling="average")
    deep = {"content_layers": ("relu2_1",), "kind": "invert"}
    features, made = memory.at_peak(work(average, **deep))
    assert sum(features) == (3 + 4 + 4) * whole + (4 + 5 + 5) * half
    assert sum(made) == 4 * 5 * half


def test_what_winograd_needs_is_needed_once_for_a_batch(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(winograd, "INSTRUCTIONS", (torch.backends.cpu.get_cpu_capability(),))
    wide = Encoder("vgg11", random_weights("vgg11", seed=0, widths=(192,) * 5))
    asked = work(wide, size=64, content_layers=("relu2_1",), style_layers=("relu2_1",))
    made = {
        pictures: sum(memory._at_layer(replace(asked, pictures=pictures), 3))
        for pictures in (1, 2, 3)
    }
    transformed = 36 * 192 * 192 * 4
    assert made[3] - made[2] == made[2] - made[1] < made[1] - transformed
    monkeypatch.setattr(winograd, "INSTRUCTIONS", ())
    assert sum(memory._at_layer(asked, 3)) < made[1] - transformed


def test_other_parts_by_hand(tiny_encoder: Encoder):
    picture = 3 * 32 * 32 * 4
    parts = memory.memory_parts(work(tiny_encoder, history=7))
    assert parts["history"] == 2 * 7 * picture
    assert parts["weights"] == 0 and parts["frames"] == 0
    assert memory.memory_parts(work(tiny_encoder, history=7, optimizer="scipy"))["history"] == (
        2 * 7 * picture * 2
    )
    assert memory.memory_parts(work(tiny_encoder, optimizer="adam"))["history"] == 0
    none = memory.memory_parts(work(tiny_encoder, preconditioner="none"))["pictures"]
    assert memory.memory_parts(work(tiny_encoder))["pictures"] == none + 3 * picture
    own = sum(4 * each.numel() for each in tiny_encoder.parameters())
    assert memory.memory_parts(work(tiny_encoder, loaded=False))["weights"] == own
    halves = work(tiny_encoder, loaded=False, precision="bfloat16")
    assert memory.memory_parts(halves)["weights"] == own // 2
    assert memory.memory_parts(replace(halves, loaded=True))["weights"] == own // 2
    assert memory.memory_parts(replace(work(tiny_encoder), frames=5))["frames"] == 5 * picture // 4


def test_pictures_are_held_until_the_targets_are_known(tiny_encoder: Encoder):
    few = work(tiny_encoder)
    many = replace(few, read=10**6)
    loop = memory.memory_parts(few)
    assert loop["capture"] == 0
    held = sum(loop[name] for name in ("features", "gradients", "pictures", "history", "frames"))
    found = memory.memory_parts(many)
    assert held + found["capture"] == memory.capture_bytes(few) + 12 * 10**6
    assert found["holes"] == loop["holes"]


def test_style_pictures_count_at_their_own_size(tiny_encoder: Encoder):
    base = work(tiny_encoder, size=64)
    known = replace(base, shape=(40, 80), styles=((100, 200), (300, 100)))
    assert base.style_shapes() == [(64, 64)]
    assert known.result == (32, 64)
    assert known.style_shapes() == [(32, 64), (64, 21)]
    original = known.at(known.settings.change(style_fit="original", style_scale=0.5))
    assert original.style_shapes() == [(50, 100), (150, 50)]
    cover = known.at(known.settings.change(style_fit="cover", style_scale=2.0))
    assert cover.style_shapes() == [(64, 128), (64, 128)]
    assert memory.memory_parts(known)["capture"] == 0
    large = replace(original, styles=((4000, 4000),))
    assert sum(memory.memory_parts(large).values()) > memory.capture_bytes(large)


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_more_of_anything_needs_more(tiny_encoder: Encoder, precision: str):
    base = work(tiny_encoder, precision=precision)

    def peak(changed: Work) -> int:
        return sum(memory.memory_parts(changed).values())

    for larger in (
        base.at(base.settings.change(size=48)),
        base.at(base.settings.change(history=11)),
        replace(base, pictures=2),
        replace(base, frames=1),
        replace(base, read=10**7),
        replace(base.at(base.settings.change(style_fit="original")), styles=((3000, 3000),)),
    ):
        assert peak(larger) > peak(base)
    read_first = peak(replace(base, loaded=False))
    assert read_first > peak(base) if precision == "float32" else read_first == peak(base)
    assert peak(replace(base, shape=(16, 32))) < peak(base)
    assert peak(replace(base, kind="invert")) < peak(base)


MEASURE = """
import ctypes, json, sys, torch
from pathlib import Path
from nstlab import Settings, load_encoder, stylize
from nstlab.encoders import Encoder
from nstlab.fitting import random_weights

def kibibytes(name):
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(name))

torch.set_num_threads(1)
size, steps = 320, 12
tiny = Encoder("vgg19", random_weights("vgg19", seed=0, widths=(4, 5, 6, 7, 8)))
encoder, picture = load_encoder("lite"), torch.rand(1, 3, size, size)
settings = Settings(size=size, steps=steps, precision=sys.argv[1])
small = picture[..., :48, :48]
stylize(small, small, settings.change(size=48), encoder=tiny, device="cpu")  # loads torch's code
ctypes.CDLL(None).malloc_trim(0)
before = kibibytes("VmRSS")
stylize(picture, picture, settings, encoder=encoder, device="cpu")
print(json.dumps(1024 * (kibibytes("VmHWM") - before)))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_prediction_against_a_measured_peak(precision: str):
    if precision == "bfloat16" and not multiplies_bfloat16(torch.device("cpu")):
        pytest.skip("this processor has no bfloat16; torch's imitation needs memory of its own")
    command = [sys.executable, "-c", MEASURE, precision]
    found = []
    for _ in range(3):  # glibc's heap loses another part each time; the most counts
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        found.append(json.loads(done.stdout))
    measured = max(found)
    lite = load_encoder("lite")
    predicted = sum(memory.memory_parts(work(lite, size=320, precision=precision)).values())
    assert 0.75 < predicted / measured < 1.35


def test_time_is_a_fixed_cost_and_one_for_each_operation(
    monkeypatch: pytest.MonkeyPatch,
    tiny_encoder: Encoder,
    nothing_timed: dict[tuple[object, ...], tuple[float, float]],
):
    sizes: list[int] = []

    def probe(asked: Work) -> float:
        sizes.append(asked.settings.size)
        return 0.02 + 1e-9 * asked.operations

    monkeypatch.setattr(timing_module, "_probe", probe)
    found = estimate(Settings(size=320, steps=9), encoder=tiny_encoder)
    operations = found.work.operations
    assert found.seconds_per_evaluation == pytest.approx(0.02 + 1e-9 * operations)
    two = estimate(Settings(size=320, steps=9), encoder=tiny_encoder, pictures=2)
    assert two.seconds_per_evaluation == pytest.approx(0.02 + 2e-9 * operations)
    assert sizes == [96, 160]  # measured once
    # Ten evaluations, and two passes forward, which are half an evaluation each (that of the
    # content picture goes less deep).
    assert 10.5 < found.seconds / found.seconds_per_evaluation < 11
    estimate(Settings(size=64, content_layers=("relu2_1",)), encoder=tiny_encoder)
    assert len(sizes) == 4


@pytest.mark.parametrize(
    ("short", "fixed"), [(1.5, 1.0), (1.0, 0.0), (0.2, 0.0), (1.9, 1.0), (1.25, 0.5)]
)
def test_fixed_cost_is_at_most_half(short: float, fixed: float):
    """Two seconds for two operations, and one less of them."""
    found = timing_module._line(1, short, 2, 2.0)
    assert found == pytest.approx((fixed, (2 - fixed) / 2))


def test_time_is_that_of_evaluations():
    encoder = load_encoder("lite")
    found = estimate(Settings(size=192, steps=4, precision="float32"), encoder=encoder)
    image = torch.rand(1, 3, 192, 192)
    started = time.perf_counter()
    stylize(image, image.flip(3).square(), found.work.settings, encoder=encoder)
    assert 0.2 < found.seconds / (time.perf_counter() - started) < 5


def test_operations_by_hand(tiny_encoder: Encoder):
    layers = {"content_layers": ("conv1_2",), "style_layers": ("relu1_1",)}
    # 9 weights between each pair of channels, 32 x 32 positions, multiplied and added, both ways.
    assert work(tiny_encoder, **layers).operations == 2 * 2 * 9 * (3 * 4 + 4 * 4) * 32 * 32


def test_a_run_that_fits_is_let_through(monkeypatch: pytest.MonkeyPatch, tiny_encoder: Encoder):
    found = estimate(Settings(size=64), encoder=tiny_encoder)
    assert found.fits and found.available_bytes == pytest.approx(
        available_memory(torch.device("cpu")), rel=0.2
    )
    require_room(found)
    require_room(replace(found, peak_bytes=10**18, available_bytes=None))
    gigabytes_free(monkeypatch, found.peak_bytes / GB)
    assert estimate(Settings(size=64), encoder=tiny_encoder).fits
    gigabytes_free(monkeypatch, (found.peak_bytes - 1) / GB)
    assert not estimate(Settings(size=64), encoder=tiny_encoder).fits


@pytest.mark.parametrize(
    ("changes", "free", "expected"),
    [
        ({"size": 1024}, 1.6, {("size",), ("encoder",)}),
        ({"size": 1024, "history": 200}, 4.0, {("size",), ("history",)}),
        ({"size": 1024, "history": 200}, 6.8, {("size",), ("history",), ("encoder",)}),
        ({"size": 3000}, 0.1, {("encoder", "size")}),
    ],
)
def test_settings_that_are_named_do_fit(
    monkeypatch: pytest.MonkeyPatch,
    changes: dict[str, Any],
    free: float,
    expected: set[tuple[str, ...]],
):
    gigabytes_free(monkeypatch, free)
    monkeypatch.setattr(nstlab.estimate, "seconds_per_evaluation", lambda work: 1.0)
    settings = Settings(encoder="vgg19", weights="random", **changes)
    found = estimate(settings, styles=2)
    with pytest.raises(RoomError, match=r"this run needs about .* GB, .* are free") as caught:
        require_room(found)
    assert {tuple(way) for way in caught.value.ways} == expected
    for way in caught.value.ways:
        more = {"weights": None} if "encoder" in way else {}
        assert estimate(settings.change(**way, **more), styles=2).fits, way
        for name, value in way.items():
            assert f"{name}={value!r}" in str(caught.value)
    sizes = [way["size"] for way in caught.value.ways if tuple(way) == ("size",)]
    for size in sizes:  # and it is the largest, but for rounding and a margin of 5 %
        peak = estimate(settings.change(size=size + 16), styles=2).peak_bytes
        assert peak > 0.95 * free * GB


def test_precision_is_named_where_the_device_has_it(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("NSTLAB_PRECISION", "bfloat16")
    monkeypatch.setattr(nstlab.estimate, "seconds_per_evaluation", lambda work: 1.0)
    gigabytes_free(monkeypatch, 1.1)
    found = estimate(Settings(size=1024, precision="float32"))
    with pytest.raises(RoomError, match="with precision='bfloat16'"):
        require_room(found)


def test_nothing_helps(monkeypatch: pytest.MonkeyPatch):
    gigabytes_free(monkeypatch, 1e-6)
    monkeypatch.setattr(nstlab.estimate, "seconds_per_evaluation", lambda work: 1.0)
    with pytest.raises(RoomError, match="no smaller settings would fit"):
        require_room(estimate(Settings(size=256)))


def test_numbers_out_of_range(tiny_encoder: Encoder):
    with pytest.raises(ValueError, match="pictures is 0"):
        estimate(Settings(), encoder=tiny_encoder, pictures=0)
    with pytest.raises(ValueError, match="relu9_1"):
        estimate(Settings(style_layers=("relu9_1",)), encoder=tiny_encoder)


def groups(root: Path, lines: str, files: dict[str, str]) -> list[int]:
    (root / "proc/self").mkdir(parents=True)
    (root / "proc/self/cgroup").write_text(lines)
    for name, text in files.items():
        file = root / "sys/fs/cgroup" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return list(control_groups(root))


def test_control_groups_of_version_2(tmp_path: Path):
    found = groups(
        tmp_path,
        "0::/shop/job\n",
        {
            "shop/job/memory.max": "max\n",
            "shop/job/memory.current": "5\n",
            "shop/memory.max": "1000\n",
            "shop/memory.current": "700\n",
            "shop/memory.stat": "anon 500\ninactive_file 100\n",
        },
    )
    assert found == [400]


def test_control_groups_of_version_1(tmp_path: Path):
    """As in a container, which sees its own group at the top."""
    found = groups(
        tmp_path,
        "4:cpu,cpuacct:/docker/1\n3:memory:/docker/1\n",
        {
            "memory/memory.limit_in_bytes": "1000\n",
            "memory/memory.usage_in_bytes": "1200\n",
            "memory/memory.stat": "inactive_file 7\ntotal_inactive_file 50\n",
        },
    )
    assert found == [0]


def test_no_control_groups(tmp_path: Path):
    assert list(control_groups(tmp_path)) == []
    assert groups(tmp_path, "0::/\n", {}) == []


def test_available_memory():
    free = available_memory(torch.device("cpu"))
    assert free is not None and 10**6 < free < 10**15
    assert available_memory(torch.device("meta")) is None


def test_bytes_in_words():
    words = [in_bytes(count) for count in (0, 999.4e6, 999.6e6, 1.26e10)]
    assert words == ["0 MB", "999 MB", "1.0 GB", "12.6 GB"]


RUN = ["stylize", "china", "swirls_1", "--size", "64", "--steps", "2", "--device", "cpu"]


def test_command_line_says_what_is_expected(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    assert main(RUN) == 0
    assert "for 2 steps at 64 × 43 px, " in capsys.readouterr().err.splitlines()[0]
    assert main([*RUN, "--quiet", "--overwrite"]) == 0
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("command", ["stylize", "invert", "texture"])
def test_command_line_estimates_and_stops(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    command: str,
):
    seen: list[Estimate] = []
    monkeypatch.setattr(
        "nstlab.cli.forecast.estimate",
        lambda *args, **options: seen.append(estimate(*args, **options)) or seen[-1],
    )
    monkeypatch.chdir(tmp_path)
    words = {"stylize": ["china", "swirls_1", "swirls_2"], "invert": ["china"]}
    named = words.get(command, ["swirls_1", "swirls_2"])
    assert main([command, *named, "--size", "64", "--estimate", "--gif"]) == 0
    said = capsys.readouterr()
    assert said.out.startswith("expected: ") and said.err == ""
    assert not list(tmp_path.glob("*.png"))
    found = seen[0].work
    assert found.kind == command and found.loaded
    assert len(found.style_shapes()) == {"stylize": 2, "invert": 0, "texture": 2}[command]
    assert found.frames >= 11


def test_command_line_refuses_what_cannot_fit(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    gigabytes_free(monkeypatch, 0.5)
    large = ["stylize", "china", "swirls_1", "--size", "2000", "--steps", "2"]
    assert main([*large, "-o", "large.png"]) == 1
    said = capsys.readouterr().err
    assert "nstlab: error: this run needs about " in said and "0.5 GB" not in said
    assert "500 MB are free; it would fit with --size " in said and "--anyway" in said
    assert main([*large, "--estimate"]) == 1
    gigabytes_free(monkeypatch, 0.001)
    assert main([*RUN, "--anyway", "-o", "small.png"]) == 0
    assert [file.name for file in tmp_path.iterdir() if file.suffix == ".png"] == ["small.png"]
