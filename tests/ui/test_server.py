"""What the server of `python app.py` takes and from whom, and what it leaves behind."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from conftest import START_SECONDS, app_process

MEBIBYTE, UPLOADED = 2**20, "clip.wav"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of the server: its accounts, log and cache."""
    return tmp_path_factory.mktemp("server")


@pytest.fixture(scope="module")
def visitor(tiny_root: Path, folder: Path) -> Iterator[tuple[str, requests.Session]]:
    """A visitor who is asked for a name, and the address."""
    (folder / "accounts").write_text("ana:one\n", encoding="utf-8")
    flags = ["--auth-file", str(folder / "accounts")]
    with (
        app_process(tiny_root, folder / "log", *flags, GRADIO_TEMP_DIR=str(folder / "cache")) as address,
        requests.Session() as session,
    ):
        yield address, session
        assert list(folder.rglob(UPLOADED)) != []
    assert list(folder.rglob(UPLOADED)) == []  # it was asked to end, and cleaned up


def upload(session: requests.Session, address: str, size: int) -> requests.Response:
    url = f"{address}/gradio_api/upload"
    return session.post(url, files={"files": (UPLOADED, bytes(size))}, timeout=START_SECONDS)


def test_strangers_are_refused_and_large_files_too(visitor: tuple[str, requests.Session]) -> None:
    address, session = visitor
    assert upload(session, address, 10).status_code == 401
    wrong = session.post(f"{address}/login", data={"username": "ana", "password": "two"}, timeout=START_SECONDS)
    assert wrong.status_code == 400
    assert upload(session, address, 10).status_code == 401
    right = session.post(f"{address}/login", data={"username": "ana", "password": "one"}, timeout=START_SECONDS)
    assert right.ok
    assert upload(session, address, 65 * MEBIBYTE).status_code == 413
    uploaded = upload(session, address, 9 * MEBIBYTE)
    assert uploaded.ok
    assert Path(uploaded.json()[0]).stat().st_size == 9 * MEBIBYTE


def test_the_server_passes_nothing_on(visitor: tuple[str, requests.Session]) -> None:
    address, session = visitor
    answer = session.get(f"{address}/gradio_api/file=https://example.org/large.wav", timeout=START_SECONDS)
    assert answer.status_code == 403
    assert "addresses are not fetched" in answer.text
