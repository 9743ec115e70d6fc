"""The shape of the project: imports that only point down, and what importing costs."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import nstlab

PACKAGE = Path(nstlab.__file__).parent
LEVELS = (
    ("idle", "interrupts", "masks", "runtime", "words"),
    (
        *("checkpoints", "gram", "guards", "hooks", "images", "layers"),
        *("losses", "preconditioner", "steppers", "winograd"),
    ),
    ("fitting", "lbfgs", "weights"),
    ("encoders", "runs", "samples"),
    ("descent", "distill", "objective"),
    ("optimize",),
    ("settings",),
    ("job", "stock"),
    ("task",),
    ("transfer",),
    ("bench", "estimate", "plots", "published", "rerun"),
    ("animate", "sweep"),
    ("cli", "widgets"),
)
LEVEL = {name: level for level, names in enumerate(LEVELS) for name in names}


def module_of(path: Path) -> str:
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


def imported(path: Path) -> set[str]:
    """Names of the modules of this package that a file imports, wherever in the file."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            parts = node.module.split(".")
            if parts[0] == "nstlab":
                found |= {parts[1]} if parts[1:] else {alias.name for alias in node.names}
        elif isinstance(node, ast.Import):
            names = [alias.name.split(".") for alias in node.names]
            found |= {parts[1] for parts in names if parts[0] == "nstlab" and parts[1:]}
        assert not (isinstance(node, ast.ImportFrom) and node.level), f"relative import in {path}"
    return found


FILES = [path for path in PACKAGE.rglob("*.py") if module_of(path) not in ("__init__", "__main__")]


def test_every_module_has_a_level() -> None:
    assert {module_of(path) for path in FILES} == set(LEVEL)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_point_down(path: Path) -> None:
    own = module_of(path)
    for other in imported(path) - {own}:
        assert LEVEL[other] < LEVEL[own], f"{own} imports {other}, which is not below it"


def test_only_images_uses_pillow_and_only_runtime_reads_variables() -> None:
    for path in FILES:
        text = path.read_text()
        if module_of(path) != "images":
            assert "PIL" not in {line.split()[1].split(".")[0] for line in import_lines(text)}, path
        if module_of(path) != "runtime":
            assert "os.environ" not in text, path


def import_lines(text: str) -> list[str]:
    return [
        line.strip() for line in text.splitlines() if line.strip().startswith(("import ", "from "))
    ]


def test_importing_the_package_is_light() -> None:
    heavy = ("matplotlib", "ipywidgets", "pooch", "skimage", "imageio", "IPython")
    code = f"import sys, nstlab; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout == "[]\n", done.stderr


def test_everything_public_has_a_docstring_and_is_importable() -> None:
    for name in nstlab.__all__:
        assert getattr(nstlab, name).__doc__, name


def test_files_keep_to_one_idea() -> None:
    long = {path.name: n for path in FILES if (n := len(path.read_text().splitlines())) > 280}
    assert not long
