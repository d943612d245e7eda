"""What the repository promises as a whole: sizes, front matter, licences, public names, links."""

from __future__ import annotations

import ast
import dataclasses
import json
import re
import subprocess
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "latent_edit"
MEGABYTE = 1_000_000
LARGEST_FILE = 25 * MEGABYTE
ALL_WEIGHTS = 80 * MEGABYTE
PICKLED = {".pt", ".pth", ".ckpt", ".pkl", ".pickle", ".bin", ".npy", ".npz"}


def shipped() -> list[Path]:
    """Files that git has or would take."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if listed.returncode != 0:
        pytest.skip("not a git checkout")
    return [path for name in listed.stdout.split("\0") if name and (path := ROOT / name).is_file()]


def test_sizes() -> None:
    files = shipped()
    assert [(str(path), path.stat().st_size) for path in files if path.stat().st_size > LARGEST_FILE] == []
    weights = [path for path in files if path.is_relative_to(ROOT / "checkpoints")]
    assert sum(path.stat().st_size for path in weights) < ALL_WEIGHTS


def test_nothing_pickled_is_shipped_or_loaded() -> None:
    assert [str(path) for path in shipped() if path.suffix in PICKLED] == []
    unsafe = re.compile(r"\b(pickle|joblib|dill)\.loads?\(|weights_only\s*=\s*False|allow_pickle\s*=\s*True")
    assert [str(path) for path in PACKAGE.rglob("*.py") if unsafe.search(path.read_text(encoding="utf-8"))] == []


@pytest.mark.shipped
def test_every_checkpoint_has_a_card_and_is_in_the_manifest() -> None:
    folders = [path.parent for path in (ROOT / "checkpoints").glob("*/config.json")]
    assert {"vits-mini", "clap-mini"} <= {folder.name for folder in folders}
    listed = json.loads((ROOT / "checkpoints" / "manifest.json").read_text(encoding="utf-8"))["files"]
    for folder in folders:
        assert (folder / "CARD.md").is_file(), folder
        assert f"{folder.name}/model.safetensors" in listed


def test_everything_public_says_what_it_is() -> None:
    silent: list[str] = []
    for path in PACKAGE.rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        if tree.body and ast.get_docstring(tree) is None:
            silent.append(path.name)
        for node in tree.body:
            if not isinstance(node, ast.FunctionDef | ast.ClassDef) or node.name.startswith("_"):
                continue
            if ast.get_docstring(node) is None:
                silent.append(f"{path.name}, {node.name}")
    assert silent == []


def front_matter() -> dict[str, object]:
    content = yaml.safe_load((ROOT / "README.md").read_text(encoding="utf-8").split("---\n")[1])
    assert isinstance(content, dict)
    return content


def test_the_front_matter_makes_a_space() -> None:
    """Keys and limits of https://huggingface.co/docs/hub/spaces-config-reference."""
    matter = front_matter()
    colours = {"red", "yellow", "green", "blue", "indigo", "purple", "pink", "gray"}
    assert matter["sdk"] == "gradio"
    assert {matter["colorFrom"], matter["colorTo"]} <= colours
    assert (ROOT / str(matter["app_file"])).is_file()
    assert len(str(matter["short_description"])) <= 60
    assert matter["license"] == "mit"
    assert (ROOT / "LICENSE").read_text(encoding="utf-8").startswith("MIT License")
    assert str(matter["python_version"]) in {"3.10", "3.11", "3.12"}
    requirement = re.search(r"^gradio>=(\S+),<7", (ROOT / "requirements.txt").read_text(encoding="utf-8"), re.M)
    assert requirement is not None

    def numbers(version: object) -> list[int]:
        return [int(part) for part in str(version).split(".")]

    assert numbers(requirement[1]) <= numbers(matter["sdk_version"]) < [7]


@pytest.mark.parametrize(
    "words",
    [
        ("kathleen", "CC0 1.0", "rhasspy/dataset-voice-kathleen"),
        ("sam_a", "sam_b", "Apache-2.0", "Accenture Labs", "Mel Murphy", "human-rights"),
        ("robotutor", "CC BY 4.0", "Carnegie Mellon University and RoboTutor LLC", "Changes:", "endorses"),
        ("phonemizer", "espeak-ng", "praat-parselmouth", "GPL-3.0-or-later"),
    ],
)
def test_credits_are_given(words: tuple[str, ...]) -> None:
    notice = (ROOT / "NOTICE.md").read_text(encoding="utf-8")
    assert [word for word in words if word not in notice] == []


def headings(page: Path) -> set[str]:
    """What a link to a part of a page may name, as GitHub makes it of its headings."""
    lines = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.S | re.M).splitlines()
    return {re.sub(r"[^\w -]", "", x.lstrip("# ").lower()).replace(" ", "-") for x in lines if x.startswith("#")}


@pytest.mark.parametrize("page", ["README.md", "NOTICE.md", "checkpoints/README.md", "docs"])
def test_links_within_the_repository_lead_somewhere(page: str) -> None:
    for path in sorted((ROOT / page).glob("*.md")) if (ROOT / page).is_dir() else [ROOT / page]:
        text = re.sub(r"<!--.*?-->|^```.*?^```", "", path.read_text(encoding="utf-8"), flags=re.S | re.M)
        for target in re.findall(r"\]\(([^)\s]+)\)", text):
            if target.startswith(("http://", "https://")):
                continue
            name, _, part = target.partition("#")
            other = path.parent / name if name else path
            assert other.exists(), f"{path.name}: {target}"
            assert not part or part in headings(other), f"{path.name}: {target}"


def test_public_names_are_pinned() -> None:
    """Scripts and saved edit.json files rely on these: a change here is a change for users."""
    from latent_edit import EditRequest, EditResult, LatentEditor

    assert {
        field.name: field.default for field in dataclasses.fields(EditRequest) if field.name not in ("text", "voice")
    } == {
        "prompt": "",
        "reference": None,
        "decode_voice": None,
        "method": "i2sb",
        "guidance": 1.0,
        "strength": 1.0,
        "steps": 10,
        "pace": None,
        "seed": 0,
        "prior_noise": 0.333,
        "duration_noise": 0.8,
        "correction": True,
        "recording": None,
        "axes": None,
        "words": None,
    }
    results = {
        "request",
        "z_text",
        "z_source",
        "z_edit",
        "before",
        "after",
        "gain",
        "unknown_words",
        "dropped_symbols",
        "notes",
    }
    measured = {"measurements_before", "measurements_after", "style_similarity_before", "style_similarity_after"}
    assert results | measured | {"seconds", "provenance"} <= {field.name for field in dataclasses.fields(EditResult)}
    assert all(callable(getattr(LatentEditor, name)) for name in ("load", "edit", "edit_many", "say", "nearest_voice"))
