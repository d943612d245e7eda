"""What a score depends on follows from imports, not from a list."""

from __future__ import annotations

from pathlib import Path

import pytest

from latent_edit.evaluation.code_hash import _graph, code_hash, package_versions

SOURCES = {
    "__init__.py": "",
    "speak.py": "import numpy\n\n\ndef speak():\n    from latent_edit.models import voice\n\n    return voice.SOUND\n",
    "models/__init__.py": "",
    "models/voice.py": "from typing import TYPE_CHECKING\n\nfrom ..audio import RATE\n\nif TYPE_CHECKING:\n"
    "    from latent_edit.page import Page\n\nSOUND = RATE\n",
    "audio.py": "RATE = 16_000\n",
    "page.py": "import latent_edit.speak\n",
}


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("latent_edit.__file__", str(tmp_path / "__init__.py"))
    (tmp_path / "models").mkdir()
    for name, source in SOURCES.items():
        (tmp_path / name).write_text(source)
    forget()
    yield tmp_path
    forget()


def forget() -> None:
    for cached in (_graph, code_hash, package_versions):
        cached.cache_clear()


def hash_with(package: Path, name: str, source: str) -> str:
    (package / name).write_text(source)
    forget()
    return code_hash("latent_edit.speak")


@pytest.mark.usefixtures("package")
def test_imports_are_followed_wherever_they_stand() -> None:
    assert _graph("latent_edit.speak")[0] == {f"latent_edit.{name}" for name in ("speak", "models.voice", "audio")}
    assert package_versions("latent_edit.speak").keys() == {"numpy"}
    assert package_versions("latent_edit.audio") == {}


def test_what_code_does_counts_and_not_how_it_is_explained(package: Path) -> None:
    known = code_hash("latent_edit.speak")
    assert hash_with(package, "audio.py", '"""Words."""\nRATE = 16_000  # why\n') == known
    assert hash_with(package, "page.py", "changed = True\n") == known  # imported for type checkers only
    assert hash_with(package, "audio.py", "RATE = 8_000\n") != known
    assert hash_with(package, "audio.py", SOURCES["audio.py"]) == known


def test_what_is_left_out_is_so_with_what_it_alone_imports(package: Path) -> None:
    (package / "speak.py").write_text("from latent_edit import audio, page, reader\n")
    (package / "reader.py").write_text("from latent_edit import audio, models\n")

    def known() -> str:
        forget()
        return code_hash("latent_edit.speak", "latent_edit.reader")

    before = known()
    (package / "models" / "__init__.py").write_text("CHANGED = True\n")
    (package / "reader.py").write_text("from latent_edit import audio, models, page\n")
    assert known() == before
    (package / "audio.py").write_text("RATE = 8_000\n")
    assert known() != before


def test_the_measures_count_where_they_are_used() -> None:
    assert "latent_edit.measures" in _graph("latent_edit.data.world")[0]
    assert "latent_edit.measures" in _graph("latent_edit.editor")[0]
    assert "latent_edit.ui" not in {name.rpartition(".")[0] for name in _graph("latent_edit.editor")[0]}
    assert "praat-parselmouth" in package_versions("latent_edit.measures")


def test_another_project_has_no_code_here() -> None:
    with pytest.raises(ValueError, match="numpy"):
        code_hash("numpy")
