"""A visit to the page with a real browser, and what a visitor does there."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from synthetic_speech import speech_like

EDIT_SECONDS = 300  # generous: the machine may be busy with other things
DESK, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}


class Visit:
    """A page that keeps what must not happen: console errors, failed scripts, requests that leave the machine."""

    def __init__(
        self, browser: Any, address: str, viewport: dict[str, int], query: str = "", loaded: bool = True
    ) -> None:
        touched = viewport == PHONE  # by fingers, which are coarse
        self.context = browser.new_context(
            viewport=viewport, accept_downloads=True, has_touch=touched, is_mobile=touched
        )
        self.page = self.context.new_page()
        self.page.set_default_timeout(1000 * EDIT_SECONDS)
        self.problems: list[str] = []
        self.page.on("console", lambda message: message.type == "error" and self.problems.append(message.text))
        self.page.on("pageerror", lambda error: self.problems.append(str(error)))
        self.page.on("request", lambda request: self._check(request.url, urlsplit(address).netloc))
        self.page.goto(address + query)
        if loaded:
            self.wait_for_models()

    def wait_for_models(self) -> None:
        """Wait until the voices are known."""
        self.page.wait_for_function("document.querySelector('#voice input')?.value")

    def _check(self, url: str, own: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("data", "blob") and parts.netloc != own:
            self.problems.append(f"request to {url}")

    def edit(self) -> None:
        """Press the button and wait until everything of the result is drawn."""
        self.page.click("#edit")
        self.page.wait_for_function(
            "document.querySelectorAll('#heatmaps img').length === 3"
            " && [...document.querySelectorAll('#heatmaps img')].every((image) => image.naturalWidth > 0)"
            " && [...document.querySelectorAll('#player audio')].every((audio) => audio.duration > 0)"
        )

    def wait_for_manner(self, manner: str) -> None:
        """Wait until the after of this prompt is there."""
        shown = "(manner) => document.querySelector('[data-clip=after] .manner')?.textContent === manner"
        self.page.wait_for_function(shown, arg=manner)

    def fetch(self, selector: str, attribute: str) -> bytes:
        """What the server sends for the address in an attribute."""
        url = self.page.eval_on_selector(selector, f"(node) => node.{attribute}")
        return self.page.request.get(url).body()

    def record(self) -> dict[str, Any]:
        """The edit.json of what is shown."""
        with self.page.expect_download() as started:
            self.page.click("#save-record")
        content = json.loads(Path(started.value.path()).read_text(encoding="utf-8"))
        assert isinstance(content, dict)
        return content

    def sideways(self) -> int:
        """By how many pixels the page is wider than the window."""
        return self.page.evaluate("document.documentElement.scrollWidth - window.innerWidth")  # nothing clips it


def recorded_request(visit: Visit) -> dict[str, Any]:
    request = visit.record()["request"]
    assert isinstance(request, dict)
    return request


def written_clip(folder: Path, seconds: float = 1.5, name: str = "said.wav") -> Path:
    import soundfile

    soundfile.write(folder / name, speech_like(seconds, 22_050), 22_050)
    return folder / name


def record_a_second(page: Any, name: str) -> None:
    """Begin to record with the microphone of a clip's control, until its clock shows a second."""
    page.click(f"#{name} [aria-label='Record audio']")
    page.click(f"#{name} .record-button")
    page.wait_for_selector(f"#{name} time:has-text('0:01')")


def wait_for_recording(page: Any, name: str) -> None:
    """Wait until the server has what a microphone recorded: the browser shows it before that."""
    page.wait_for_function("(name) => document.querySelector(`#${name} audio`)?.src.includes('/file=')", arg=name)


def wait_for_sounds(page: Any) -> None:
    """Wait until the sounds of About know their files: what is played before that stops again."""
    page.wait_for_function(
        "() => { const all = [...document.querySelectorAll('#about audio')];"
        " return all.length && all.every((audio) => audio.networkState === HTMLMediaElement.NETWORK_IDLE); }"
    )


def tab_to(page: Any, selector: str) -> None:
    """Press Tab until the keyboard is there; past the end of the page it begins anew."""
    passed = []
    for _ in range(200):
        page.keyboard.press("Tab")
        if page.evaluate("(selector) => document.activeElement.matches(selector)", selector):
            return
        passed.append(page.evaluate("() => document.activeElement.outerHTML.slice(0, 100)"))
    pytest.fail(f"Tab does not reach {selector}, but these:\n" + "\n".join(passed))
