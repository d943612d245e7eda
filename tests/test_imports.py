"""Who may import whom, what stays light, and that everything imported is in the requirements."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "latent_edit"
HEAVY = {"torch", "gradio", "transformers", "diffusers", "laion_clap", "matplotlib", "parselmouth", "scipy", "librosa"}
SLOW_TO_LOAD = HEAVY - {"torch", "scipy"}
ONE_FILE_MODULES = {"parselmouth": ["praat-parselmouth"]}  # a bare extension module, which Python 3.11 does not list
# What these import may be in requirements-dev.txt; the page asks the judges only where they are installed.
DEVELOPMENT_ROOMS = ("training", "data", "evaluation", "judges.py")


def sources() -> list[Path]:
    return [*sorted(PACKAGE.rglob("*.py")), *ROOT.glob("app.py")]


def imported_roots(path: Path) -> set[str]:
    """First parts of the absolute imports anywhere in a file, lazy ones included."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names.add(str(node.module).split(".")[0])
    return names


def lint_imports(folder: Path) -> subprocess.CompletedProcess[str]:
    command = shutil.which("lint-imports", path=str(Path(sys.executable).parent)) or "lint-imports"
    return subprocess.run([command, "--no-cache"], cwd=folder, capture_output=True, text=True, timeout=600)


def test_import_rules_hold() -> None:
    result = lint_imports(ROOT)
    assert result.returncode == 0, result.stdout + result.stderr


def test_import_rules_notice_a_trespass(tmp_path: Path) -> None:
    """Guards the contract itself: a room that is missing from it would let everything pass."""
    trespasses = {
        "models/trespass.py": "latent_edit.diffusion",
        "diffusion/trespass.py": "latent_edit.models",
        "checkpoint.py": "latent_edit.bridge",
        "editor.py": "latent_edit.data",
        "ui/trespass.py": "latent_edit.training",
        "synthesis.py": "gradio",
    }
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    shutil.copytree(PACKAGE, tmp_path / "latent_edit", ignore=shutil.ignore_patterns("__pycache__"))
    for file, imported in trespasses.items():
        with (tmp_path / "latent_edit" / file).open("a", encoding="utf-8") as opened:
            opened.write(f"\nimport {imported}\n")
    result = lint_imports(tmp_path)
    assert result.returncode == 1
    assert "0 kept, 3 broken" in result.stdout
    found = " ".join(result.stdout.split())
    for file, imported in trespasses.items():
        importer = f"latent_edit.{file.removesuffix('.py').replace('/', '.')}"
        assert f"{importer} -> {imported}" in found


def test_only_the_page_imports_gradio() -> None:
    allowed = {ROOT / "app.py", *(PACKAGE / "ui").rglob("*.py")}
    assert [str(path) for path in sources() if "gradio" in imported_roots(path) and path not in allowed] == []


def loaded_by(*arguments: str) -> set[str]:
    """Top-level modules that `python <arguments>` loads, from CPython's own import log."""
    command = [sys.executable, "-X", "importtime", *arguments]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600)
    assert result.returncode == 0, result.stderr[-2000:]
    return {name.split(".")[0] for name in re.findall(r"^import time:.*\|\s+([\w.]+)$", result.stderr, re.MULTILINE)}


@pytest.mark.parametrize(
    "arguments",
    [
        ("-c", "import latent_edit"),
        ("-c", "import latent_edit.config, latent_edit.errors; latent_edit.config.preset_prompts()"),
        ("-m", "latent_edit", "--help"),
        ("-m", "latent_edit", "edit", "--help"),
        ("-m", "latent_edit", "train", "--help"),
        ("-m", "latent_edit", "train", "breath", "--dry-run"),
    ],
)
def test_help_and_the_bare_package_stay_light(arguments: tuple[str, ...]) -> None:
    loaded = loaded_by(*arguments)
    assert "latent_edit" in loaded
    assert loaded & HEAVY == set()


def test_the_editor_loads_slow_libraries_only_when_used() -> None:
    loaded = loaded_by("-c", "import latent_edit.editor")
    assert "torch" in loaded
    assert loaded & SLOW_TO_LOAD == set()


def declared(*files: str) -> set[str]:
    """Normalised names of the distributions in requirements files."""
    lines = [line for file in files for line in (ROOT / file).read_text(encoding="utf-8").splitlines()]
    names = [match[0] for line in lines if (match := re.match(r"[A-Za-z][\w.-]*", line))]
    return {re.sub(r"[-_.]+", "-", name).lower() for name in names}


def undeclared(paths: list[Path], *files: str) -> dict[str, set[str]]:
    """File -> imports that no requirement gives."""
    distributions, known = {**packages_distributions(), **ONE_FILE_MODULES}, declared(*files)
    helpers = {path.stem for path in (ROOT / "tests").rglob("*.py")}
    own = {"latent_edit", "app", "__future__"} | helpers | sys.stdlib_module_names

    def given(name: str) -> bool:
        return any(re.sub(r"[-_.]+", "-", found).lower() in known for found in distributions.get(name, []))

    found = {path.relative_to(ROOT).as_posix(): imported_roots(path) - own for path in paths}
    return {path: missing for path, names in found.items() if (missing := {name for name in names if not given(name)})}


def test_run_time_imports_are_in_requirements() -> None:
    paths = [path for path in sources() if path.relative_to(ROOT).parts[1:2] not in [(x,) for x in DEVELOPMENT_ROOMS]]
    assert len(paths) > 10
    assert undeclared(paths, "requirements.txt") == {}


def test_development_imports_are_in_requirements() -> None:
    paths = [*sources(), *(ROOT / "tests").rglob("*.py")]
    assert undeclared(paths, "requirements.txt", "requirements-dev.txt") == {}
