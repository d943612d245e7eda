"""What gradio's environment variables do to `python app.py`, all of them set at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from conftest import START_SECONDS, app_process

SHOWN, HIDDEN = "shown.txt", "hidden.txt"


class Visited:
    """A running page, and what belongs to it."""

    def __init__(self, address: str, folder: Path) -> None:
        self._address, self.folder = address, folder
        self.config = self.get("/config").json()

    def get(self, path: str) -> requests.Response:
        return requests.get(self._address + path, timeout=START_SECONDS)

    def post(self, path: str, **content: Any) -> Any:
        return requests.post(self._address + path, timeout=START_SECONDS, **content).json()

    def file(self, name: str) -> requests.Response:
        return self.get(f"/gradio_api/file={self.folder / name}")

    def upload(self) -> Path:
        return Path(self.post("/gradio_api/upload", files={"files": b"words"})[0])

    def voices(self) -> list[str]:
        return self.post("/gradio_api/run/voices", json={"data": []})["data"][0]

    def log(self) -> str:
        return (self.folder / "log").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def visited(tiny_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Visited]:
    folder = tmp_path_factory.mktemp("served")
    for name in (SHOWN, HIDDEN):
        (folder / name).write_text("words", encoding="utf-8")
    variables = {
        "GRADIO_SERVER_NAME": "localhost",
        "GRADIO_ROOT_PATH": "/speech",
        "GRADIO_TEMP_DIR": str(folder / "cache"),
        "GRADIO_ALLOWED_PATHS": str(folder),
        "GRADIO_BLOCKED_PATHS": str(folder / HIDDEN),
        "GRADIO_ANALYTICS_ENABLED": "True",
        "HTTPS_PROXY": "http://127.0.0.1:9",  # where nobody listens: no test reports anything
        "GRADIO_DEBUG": "1",
        "GRADIO_RUN_HISTORY": "True",
    }
    with app_process(tiny_root, folder / "log", **variables) as address:
        yield Visited(address, folder)


CHECKS: dict[str, Callable[[Visited], bool]] = {
    "server name": lambda page: "http://localhost:" in page.log(),
    "root path": lambda page: page.config["root"].endswith("/speech"),
    "folder of uploads": lambda page: (page.folder / "cache") in page.upload().parents,
    "allowed paths": lambda page: page.file(SHOWN).text == "words",
    "allowed paths are told": lambda page: f"visitors can read everything in {page.folder}" in page.log(),
    "blocked paths": lambda page: page.file(HIDDEN).status_code == 403,
    "analytics": lambda page: page.config["analytics_enabled"] is True,
    "models are loaded in spite of debug": lambda page: len(page.voices()) > 1,
    "no run history all the same": lambda page: page.config["run_history"] is False,
    "no monitoring": lambda page: page.get("/monitoring").status_code == 403,
}


@pytest.mark.parametrize("check", CHECKS)
def test_variables_hold_but_for_those_of_histories(visited: Visited, check: str) -> None:
    assert CHECKS[check](visited), visited.log()
