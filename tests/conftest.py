"""What all tests share: one thread, no network, nothing of the user's cache, small fixtures."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import jaxtyping
import pytest
import torch
from torch import Tensor

from nstlab import runtime

if TYPE_CHECKING:
    from nstlab.encoders import Encoder

torch.set_num_threads(1)  # sums in one order: the same bits every time
LOOPBACK = ("127.0.0.1", "localhost", "::1")


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Point caches into the test's folder, unset `NSTLAB_*`, and leave only the loopback."""
    ours = {name for name in os.environ if name.startswith("NSTLAB_")} - {"NSTLAB_TEST_FILES"}
    for name in (*ours, "http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NSTLAB_DEVICE", "cpu")  # pictures are compared with those made here
    monkeypatch.setenv("NSTLAB_PRECISION", "float32")  # or figures would depend on the processor
    monkeypatch.setenv("NSTLAB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    connect = socket.socket.connect

    def only_loopback(self: socket.socket, address: object) -> None:
        if isinstance(address, tuple) and address[0] not in LOOPBACK:
            raise OSError(f"tests use no network, but something wanted to reach {address[0]}")
        connect(self, address)  # pyright: ignore[reportArgumentType]

    monkeypatch.setattr(socket.socket, "connect", only_loopback)


@pytest.fixture
def tiny_encoder() -> "Encoder":
    """VGG-19's layers with 4 to 8 channels and seeded random weights."""
    from nstlab.encoders import Encoder
    from nstlab.fitting import random_weights

    weights = random_weights("vgg19", seed=0, widths=(4, 5, 6, 7, 8))
    return Encoder("vgg19", weights, weights_name="tiny")


@pytest.fixture
def photo() -> Tensor:
    """A picture (1, 3, 48, 64) in [0, 1]: smooth colour ramps, one edge, a little noise."""
    down, across = torch.linspace(0, 1, 48)[:, None], torch.linspace(0, 1, 64)[None, :]
    ramps = torch.stack([down.expand(48, 64), across.expand(48, 64), (down - across).abs()])
    noise = torch.rand(3, 48, 64, generator=runtime.generator(1))
    edge = (across > 0.5).float().expand(3, 48, 64)
    return (0.6 * ramps + 0.2 * edge + 0.2 * noise)[None]


@pytest.fixture
def shared_files() -> Path:
    """The folder of large files that some tests need; without it they skip."""
    folder = runtime.files_for_tests()
    if folder is None or not folder.is_dir():
        pytest.skip("set NSTLAB_TEST_FILES to the folder with the weights and pictures to test on")
    return folder


@pytest.fixture
def unchecked_types() -> Iterator[None]:
    """Switch off the type checks that only tests have, to see what a user gets."""
    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", False)
