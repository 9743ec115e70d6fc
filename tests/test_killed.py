"""A run that is killed at random moments, while it writes too, ends with the same bits."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

STEPS, KILLS = 400, 20

# Forks its runs instead of starting Python anew for each, which would take most of the time.
SCRIPT = """
import os, random, signal, sys, time
from pathlib import Path
import torch
torch.set_num_threads(1)
from nstlab import Settings, load_encoder, stylize

folder, steps, kills = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
checkpoint = folder / "run.checkpoint"
part = folder / "run.checkpoint.part"
chance = random.Random(0)


def run(name, **options):
    settings = Settings(size=48, steps=steps)
    done = stylize("china", "swirls_1", settings, frame_every=50, device="cpu", **options)
    kept = {"image": done.image, "losses": done.losses, "frames": done.frames}
    torch.save(kept, folder / name)


def forked():
    pid = os.fork()
    if pid == 0:
        told = []

        def tell(step):
            if not told:  # where this run began
                told.append(step.step)
                with open(folder / "began", "a") as file:
                    file.write(f"{step.step}\\n")

        run("resumed.pt", checkpoint=checkpoint, checkpoint_every=10, on_step=tell)
        os._exit(0)
    return pid


def ended(pid):
    return os.waitpid(pid, os.WNOHANG)[0] != 0


began = time.monotonic()
run("whole.pt")
seconds = time.monotonic() - began
mid_write = 0
for kill in range(kills):
    part.unlink(missing_ok=True)
    pid = forked()
    until = time.monotonic() + seconds * (1 if kill % 2 else chance.uniform(0.005, 0.04))
    writes, writing = 0, False
    while time.monotonic() < until:
        writes += part.exists() and not writing
        writing = part.exists()
        if kill % 2 and writes == 2:  # every second time while a checkpoint is being written
            break
        if ended(pid):
            sys.exit(f"the run ended before kill {kill}")
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    mid_write += part.exists()
code = os.waitstatus_to_exitcode(os.waitpid(forked(), 0)[1])
left = [each.name for each in (checkpoint, part) if each.exists()]
print(f"kills {kills} mid_write {mid_write} exit {code} left {left}")
"""


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork and SIGKILL")
def test_killed_twenty_times_and_resumed(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(tmp_path), str(STEPS), str(KILLS)],
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    print(done.stdout)
    words = done.stdout.split()
    assert int(words[words.index("mid_write") + 1]) >= 3
    began = [int(step) for step in (tmp_path / "began").read_text().split()]
    print(f"began at steps {began}")
    assert began == sorted(began)
    assert len(set(began)) >= 5
    assert done.stdout.endswith("exit 0 left []\n")
    whole, resumed = (torch.load(tmp_path / name) for name in ("whole.pt", "resumed.pt"))
    assert torch.equal(whole["image"], resumed["image"])
    for kept in ("losses", "frames"):
        assert whole[kept].keys() == resumed[kept].keys()
        for key in whole[kept]:
            assert torch.equal(whole[kept][key], resumed[kept][key]), (kept, key)
