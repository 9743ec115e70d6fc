"""Devices, seeds, folders and the variables that move them."""

from pathlib import Path

import pytest
import torch

from nstlab import runtime


@pytest.mark.parametrize(("value", "fast"), [(None, False), ("", False), ("0", False), ("1", True)])
def test_quick_follows_the_variable(monkeypatch, value, fast):
    if value is not None:
        monkeypatch.setenv("NSTLAB_FAST", value)
    assert runtime.quick(512, 96) == (96 if fast else 512)


def test_progress_is_wanted_unless_said_otherwise(monkeypatch):
    assert runtime.progress_wanted()
    monkeypatch.setenv("NSTLAB_NO_PROGRESS", "1")
    assert not runtime.progress_wanted()


def test_default_encoder_can_be_named(monkeypatch):
    assert runtime.default_encoder() == "lite"
    monkeypatch.setenv("NSTLAB_ENCODER", "vgg19")
    assert runtime.default_encoder() == "vgg19"
    monkeypatch.setenv("NSTLAB_ENCODER", "")
    assert runtime.default_encoder() == "lite"


def test_the_cpu_is_always_there_and_comes_last():
    assert runtime.available_devices()[-1] == "cpu"
    assert runtime.choose_device("cpu") == torch.device("cpu")
    assert runtime.choose_device(torch.device("cpu")) == torch.device("cpu")
    assert str(runtime.choose_device()) == "cpu"


def test_devices_in_order_of_speed(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    monkeypatch.delenv("NSTLAB_DEVICE")
    assert runtime.available_devices() == ["cuda", "cuda:1", "mps", "cpu"]
    assert runtime.choose_device() == torch.device("cuda")
    assert runtime.choose_device("cuda:0") == torch.device("cuda:0")


def test_the_device_can_be_set_by_the_variable_and_overruled(monkeypatch):
    monkeypatch.setenv("NSTLAB_DEVICE", "abacus")
    with pytest.raises(ValueError, match=r"no device 'abacus' on this machine; there is: .*cpu"):
        runtime.choose_device()
    assert runtime.choose_device("cpu") == torch.device("cpu")


def test_a_device_that_is_not_here_is_refused(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ValueError, match="no device 'cuda:0' on this machine"):
        runtime.choose_device("cuda:0")


def test_a_seed_means_the_same_numbers_and_leaves_torchs_own_alone():
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    first = torch.rand(4, generator=runtime.generator(7))
    assert torch.equal(torch.rand(3), expected)
    assert torch.equal(first, torch.rand(4, generator=runtime.generator(7)))
    assert not torch.equal(first, torch.rand(4, generator=runtime.generator(8)))


def test_cache_folder_follows_the_variable(monkeypatch, tmp_path):
    monkeypatch.setenv("NSTLAB_CACHE", str(tmp_path / "here"))
    assert runtime.cache_folder() == tmp_path / "here"
    assert not runtime.cache_folder().exists()


@pytest.mark.parametrize(
    ("platform", "variable", "tail"),
    [
        ("linux", "XDG_CACHE_HOME", ("place", "nstlab")),
        ("win32", "LOCALAPPDATA", ("place", "nstlab")),
        ("linux", None, (".cache", "nstlab")),
        ("darwin", None, ("Library", "Caches", "nstlab")),
        ("win32", None, ("AppData", "Local", "nstlab")),
    ],
)
def test_cache_folder_of_each_system(monkeypatch, tmp_path, platform, variable, tail):
    monkeypatch.setattr(runtime.sys, "platform", platform)
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    for name in ("NSTLAB_CACHE", "XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    if variable:
        monkeypatch.setenv(variable, str(tmp_path / "place"))
    assert runtime.cache_folder() == tmp_path.joinpath(*tail)


def test_bundled_folders_hold_what_they_should():
    assert (runtime.bundled_weights_folder() / "lite.safetensors").is_file()
    assert (runtime.data_folder() / "photographs").is_dir()


def test_installed_data_come_before_a_checkouts(monkeypatch, tmp_path):
    package = tmp_path / "nstlab"
    package.mkdir()
    monkeypatch.setattr(runtime, "__file__", str(package / "runtime.py"))
    assert runtime.data_folder() == tmp_path / "data"
    (package / "data").mkdir()
    assert runtime.data_folder() == package / "data"


def test_files_for_tests_are_only_there_where_named(monkeypatch, tmp_path):
    monkeypatch.delenv("NSTLAB_TEST_FILES", raising=False)
    assert runtime.files_for_tests() is None
    monkeypatch.setenv("NSTLAB_TEST_FILES", str(tmp_path))
    assert runtime.files_for_tests() == tmp_path


def test_versions_name_what_a_result_depends_on(monkeypatch):
    found = runtime.versions()
    assert set(found) == {"python", "system", "nstlab", "torch", "torchvision"}
    assert found["torch"].split("+")[0] == torch.__version__.split("+")[0]
    assert not any("/" in value for value in found.values())

    def missing(name: str) -> str:
        raise runtime.PackageNotFoundError(name)

    monkeypatch.setattr(runtime, "version", missing)
    assert runtime.versions()["torchvision"] == "not installed"


def test_machine_adds_the_device_and_the_threads():
    found = runtime.machine(torch.device("cpu"))
    assert found.items() >= runtime.versions().items()
    assert (found["device"], found["threads"]) == ("cpu", torch.get_num_threads())
    assert found["device_name"] == runtime.platform.machine()


def test_precision_is_what_was_named_or_what_the_device_multiplies(monkeypatch):
    cpu, cuda = torch.device("cpu"), torch.device("cuda")
    assert runtime.choose_precision("auto", cpu) == "float32"  # as the variable says in tests
    assert runtime.choose_precision("bfloat16", cpu) == "bfloat16"
    monkeypatch.delenv("NSTLAB_PRECISION")
    for name in ("_is_amx_tile_supported", "_is_avx512_bf16_supported"):
        monkeypatch.setattr(torch.cpu, name, lambda: False)
    assert runtime.choose_precision("auto", cpu) == "float32"
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: True)
    assert runtime.choose_precision("auto", cpu) == "bfloat16"
    assert runtime.choose_precision("auto", torch.device("mps")) == "float32"
    for capability, expected in (((7, 5), "float32"), ((8, 0), "bfloat16"), ((9, 0), "bfloat16")):
        monkeypatch.setattr(torch.cuda, "get_device_capability", lambda _, c=capability: c)
        assert runtime.choose_precision("auto", cuda) == expected
    assert runtime.choose_precision("tf32", cuda) == "tf32"


def test_precisions_that_cannot_be_are_refused(monkeypatch):
    with pytest.raises(ValueError, match="tf32 is for NVIDIA's GPUs, and the device is cpu"):
        runtime.choose_precision("tf32", torch.device("cpu"))
    with pytest.raises(ValueError, match="unknown precision 'float8'; it can be auto, float32"):
        runtime.choose_precision("float8", torch.device("cpu"))
    monkeypatch.setenv("NSTLAB_PRECISION", "double")
    with pytest.raises(ValueError, match="'double' in the variable NSTLAB_PRECISION; it can be"):
        runtime.choose_precision("auto", torch.device("cpu"))


@pytest.mark.parametrize(("precision", "allowed"), [("float32", "ieee"), ("tf32", "tf32")])
def test_tf32_is_allowed_within_and_the_switch_is_put_back(precision, allowed, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_initialized", lambda: True)
    switch = torch.backends.cudnn.conv  # pyright: ignore[reportAttributeAccessIssue]
    before, matmul = switch.fp32_precision, torch.backends.cuda.matmul.fp32_precision
    with pytest.raises(KeyError), runtime.convolutions(precision):
        assert switch.fp32_precision == allowed
        assert torch.backends.cuda.matmul.fp32_precision == matmul
        raise KeyError
    assert switch.fp32_precision == before


@pytest.mark.parametrize("precision", ["float32", "tf32"])
def test_before_torch_2_9_the_switch_has_another_name(precision, monkeypatch):
    class Cudnn:
        allow_tf32 = "as it was"

    monkeypatch.setattr(torch.cuda, "is_initialized", lambda: True)
    monkeypatch.setattr(torch.backends, "cudnn", Cudnn)
    with runtime.convolutions(precision):
        assert Cudnn.allow_tf32 is (precision == "tf32")
    assert Cudnn.allow_tf32 == "as it was"


def test_no_switch_is_touched_where_cuda_is_not_in_use(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_initialized", lambda: False)
    switch = torch.backends.cudnn.conv  # pyright: ignore[reportAttributeAccessIssue]
    before = switch.fp32_precision
    with runtime.convolutions("float32"):
        assert switch.fp32_precision == before


def test_apples_gpus_have_no_double_precision():
    assert runtime.widest(torch.device("mps")) == torch.float32
    assert runtime.widest(torch.device("cuda")) == runtime.widest(torch.device("cpu"))
