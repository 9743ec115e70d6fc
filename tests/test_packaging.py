"""Installed as a stranger would: the wheel elsewhere, the conda file, the README's example."""

import re
import subprocess
import sys
import sysconfig
import tomllib
import venv
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement

ROOT = Path(__file__).parent.parent
CONDA_NAMES = {"pytorch": "torch"}


def bounds(lines: list[str]) -> dict[str, str]:
    found = [Requirement(line) for line in lines]
    return {CONDA_NAMES.get(each.name, each.name): str(each.specifier) for each in found}


def test_conda_and_pip_name_the_same_packages() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    conda = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]
    plain = [line for line in conda if isinstance(line, str) and line != "pip"]
    wanted = bounds([*project["dependencies"], "python" + project["requires-python"]])
    assert bounds(plain) == wanted
    assert {"pip": ["-e ."]} in conda


def test_the_citation_has_the_projects_version() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert citation["version"] == project["version"]
    assert citation["license"] == project["license"]
    assert any("Artistic Style" in each["title"] for each in citation["references"])


@pytest.mark.slow
def test_the_wheel_works_outside_the_checkout(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", tmp_path, ROOT]
    done = subprocess.run(build, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    (wheel,) = tmp_path.glob("*.whl")
    home = tmp_path / "env"
    venv.create(home, with_pip=False)
    python = home / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    install = [sys.executable, "-m", "pip", "--python", python, "install", "-q", "--no-deps", wheel]
    subprocess.run(install, check=True)
    # What nstlab needs is taken from here, by a path file; nstlab itself cannot be (an editable
    # install is a path file too, and those are not read from a folder that a path file names).
    (site,) = home.rglob("site-packages")
    (site / "needs.pth").write_text(sysconfig.get_path("purelib") + "\n")
    command = [python.parent / "nstlab", "stylize", "china", "swirls_1", "-o", "first.png"]
    done = subprocess.run(
        [*command, "--size", "96", "--steps", "5"], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "first.png").stat().st_size > 1000
    where = "import nstlab; print(nstlab.__file__)"
    done = subprocess.run([python, "-c", where], cwd=tmp_path, capture_output=True, text=True)
    assert done.stdout.startswith(str(site))


SHORTER = {
    "steps=200": "steps=2",
    "steps=50": "steps=2",
    "size=384": "size=64",
    "size=256": "size=64",
}


def test_the_readmes_examples_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    examples = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.S)
    assert len(examples) == 3
    assert len(examples[0].splitlines()) <= 8
    monkeypatch.chdir(tmp_path)
    for example in examples:
        assert any(long in example for long in SHORTER)
        for long, short in SHORTER.items():
            example = example.replace(long, short)
        names: dict = {}
        exec(example, names)
        assert names["run"].curve()[-1] < names["run"].curve()[0]
    assert [each.name for each in tmp_path.glob("*.png")] == ["china_swirls.png"]


def test_the_readmes_links_and_pictures_are_there() -> None:
    text = (ROOT / "README.md").read_text()
    places = re.findall(r"(?:\]\(|src=\")([^)\"#]+)", text)
    local = [place for place in places if "://" not in place]
    assert local
    for place in local:
        assert (ROOT / place).exists(), place
