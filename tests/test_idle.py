"""What a process holds idle is given back, and is there again when it is needed."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch

from nstlab import idle
from nstlab.encoders import Encoder
from nstlab.encoders import network as network_module
from nstlab.idle import free_idle_threads


def test_idle_threads_come_back_with_the_next_operation() -> None:
    picture, before = torch.rand(64, 4096), torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        wanted = (picture @ picture.T).exp()
        free_idle_threads()
        assert torch.get_num_threads() == 2
        assert torch.equal((picture @ picture.T).exp(), wanted)
    finally:
        torch.set_num_threads(before)


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="counts threads as Linux does")
def test_idle_threads_end() -> None:
    program = (
        "import os, torch\nfrom nstlab.idle import free_idle_threads\n"
        "torch.set_num_threads(2)\n(torch.rand(10**6) + 1).exp()\n"
        "count = lambda: len(os.listdir('/proc/self/task'))\n"
        "before = count()\nfree_idle_threads()\n"
        "print(before - count(), 'libgomp' in open('/proc/self/maps').read())"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    ended, gnu = done.stdout.split()
    assert int(ended) == 1 if gnu == "True" else int(ended) == 0


HOLES = """
import sys, torch
from nstlab import idle
from nstlab.bench.memory import resident_bytes
idle.MUCH = int(sys.argv[1])
torch.ones(7 << 20).sum()  # 28 MiB: from here on what is smaller comes from the heap
pieces = [torch.ones(1 << 20) for _ in range(40)]
last = torch.ones(1 << 18)  # lies above them, so that the heap cannot shrink by itself
pieces.clear()
before = resident_bytes(highest=False)
idle.free_idle_memory()
print(before - resident_bytes(highest=False))
"""


@pytest.mark.skipif(idle._glibc() is None, reason="this system has no glibc of 2.33 or newer")
@pytest.mark.parametrize(("much", "given_back"), [(100 << 20, True), (1 << 30, False)])
def test_unused_memory_goes_back_to_the_system_where_it_is_much(much, given_back):
    command = [sys.executable, "-c", HOLES, str(much)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert (int(done.stdout) > 120 << 20) == given_back, done.stdout
    assert given_back or abs(int(done.stdout)) < 1 << 20


def test_where_there_is_no_glibc_nothing_is_done(monkeypatch):
    monkeypatch.setattr(idle, "_glibc", lambda: None)
    idle.free_idle_memory()


def test_an_encoder_frees_memory_before_the_way_back_through_its_first_block(
    monkeypatch: pytest.MonkeyPatch, tiny_encoder: Encoder
) -> None:
    layers, calls = ["relu1_2", "conv2_1"], []
    monkeypatch.setattr(network_module, "free_idle_memory", lambda: calls.append("free"))
    image = torch.rand(1, 3, 32, 32).requires_grad_()

    def go_back() -> None:
        calls.clear()
        found = tiny_encoder(image, layers)
        for name in layers:
            found[name].register_hook(lambda _, name=name: calls.append(name))
        found["conv2_1"].sum().backward()

    go_back()
    assert calls == ["conv2_1", "relu1_2"]  # the picture is small
    monkeypatch.setattr(network_module, "LARGE", 0)
    go_back()
    assert calls == ["conv2_1", "free", "relu1_2"]
    tiny_encoder(image.detach(), layers)
    assert len(calls) == 3
