"""Participants of a listening test in a real browser: desk, phone, keyboard alone; nothing tells them conditions."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, get_args

import pytest
from conftest import QUIET
from listening_studies import EDITED, LOW, OTHER, PLAIN, Served, write_study
from visits import DESK, EDIT_SECONDS, PHONE

from latent_edit.listening.export import read_rows
from latent_edit.listening.study import Test

SECRETS = [PLAIN, EDITED, OTHER, LOW, "zzstudy", "qqitem", "qqvoice", "blk-", "folder", "repeat_of", "sha256"]


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    write_study(tmp_path, seconds=0.6)
    with Served(tmp_path) as server:
        yield server


class Participant:
    """A browser that keeps everything it receives."""

    def __init__(self, browser: Any, address: str, pid: str, viewport: dict[str, int]) -> None:
        touched = viewport == PHONE
        self.context = browser.new_context(
            viewport=viewport, has_touch=touched, is_mobile=touched, accept_downloads=True
        )
        self.page = self.context.new_page()
        self.page.set_default_timeout(1000 * EDIT_SECONDS)
        self.problems: list[str] = []
        self.received: list[tuple[str, dict[str, str], bytes]] = []
        self.page.on("pageerror", lambda error: self.problems.append(str(error)))
        self.page.on("console", lambda m: m.type == "error" and self.problems.append(m.text))
        self.page.on("requestfinished", self._keep)
        self.page.goto(f"{address}/?pid={pid}")

    def _keep(self, request: Any) -> None:
        answer = request.response()
        if answer is not None and answer.status == 200:
            self.received.append((request.url, answer.headers, answer.body()))

    @property
    def step(self) -> int:
        return int(self.page.inner_text("#progress span").split(" ")[0])

    def screen(self) -> str:
        """What kind of screen is shown, when it is ready."""
        self.page.wait_for_selector("main form, main .next, main .code")
        if self.page.locator("main .code").count():
            return "end"
        trial = self.page.locator("form.trial")
        return str(trial.get_attribute("class")).split(" ")[1] if trial.count() else "page"

    def go(self, keyboard: bool) -> None:
        """Through the screen that is shown, by mouse, finger or keyboard."""
        page, kind, step = self.page, self.screen(), self.step
        if kind == "page":
            self._press(".next", keyboard)
        else:
            self._listen(keyboard)
            self._answer(kind, keyboard)
            if keyboard and kind not in ("volume", "transcribe"):
                page.keyboard.press("Enter") if kind not in ("multi", "mushra") else self._press(".next", True)
            else:
                self._press(".next", keyboard)
        page.wait_for_function(
            "(step) => document.querySelector('main .code') || "
            "parseInt(document.querySelector('#progress span').textContent) > step",
            arg=step,
        )

    def listen_and_choose(self, last: bool = False) -> None:
        """Everything of a trial but sending it; the first answer or the last one."""
        self._listen(keyboard=False)
        labels = self.page.locator("fieldset .choices label")
        (labels.last if last else labels.first).click()

    def wait_for_step(self, step: int) -> None:
        """Until the server has all before this step."""
        self.page.wait_for_function(
            "(step) => parseInt(document.querySelector('#progress span').textContent) === step", arg=step
        )

    def _press(self, selector: str, keyboard: bool) -> None:
        self.page.wait_for_selector(f"main {selector}:enabled")
        if not keyboard:
            self.page.click(f"main {selector}")
            return
        for _ in range(40):
            if self.page.evaluate("(s) => document.activeElement.matches(s)", selector):
                self.page.keyboard.press("Enter")
                return
            self.page.keyboard.press("Tab")
        pytest.fail(f"Tab does not reach {selector}")

    def _listen(self, keyboard: bool) -> None:
        page = self.page
        page.wait_for_selector("button.clip:enabled")
        for place in range(page.locator("button.clip").count()):
            for _ in range(1 + (place > 0)):  # a switch keeps the moment; the second time is from the beginning
                page.keyboard.press(str(place + 1)) if keyboard else page.click(f"button.clip[data-place='{place}']")
            page.wait_for_selector(f"button.clip.heard[data-place='{place}']")

    def _answer(self, kind: str, keyboard: bool) -> None:
        page = self.page
        if kind == "transcribe":
            page.keyboard.type("it rains") if keyboard else page.fill("fieldset textarea", "=1+1")
        for slider in page.locator("[data-rated]").all():
            if keyboard:
                slider.focus()
                page.keyboard.press("ArrowRight")
            else:
                slider.fill("70")
        if page.locator("fieldset [type=radio]").count():
            if keyboard:
                page.locator("fieldset [type=radio]").first.focus()
                page.keyboard.press("Space")
            else:
                page.locator("fieldset .choices label").first.click()


def whole_study(address: str, pid: str, viewport: dict[str, int], keyboard: bool) -> dict[str, Any]:
    """Take part from beginning to end, with a browser of one's own; what was received and downloaded."""
    from playwright.sync_api import sync_playwright

    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))))
    with sync_playwright() as started:
        browser = started.chromium.launch(executable_path=found, args=QUIET)
        participant = Participant(browser, address, pid, viewport)
        sideways = 0
        while participant.screen() != "end":
            sideways = max(sideways, participant.page.evaluate("document.documentElement.scrollWidth - innerWidth"))
            participant.go(keyboard)
        with participant.page.expect_download() as download:
            participant.page.click("text=Download my answers")
        own = Path(download.value.path()).read_text(encoding="utf-8")
        browser.close()
    received = [*participant.received, ("", {}, own.encode())]
    return {"received": received, "problems": participant.problems, "sideways": sideways, "own": json.loads(own)}


def test_three_participants_and_nothing_that_tells_conditions(served: Served) -> None:
    pytest.importorskip("playwright.sync_api", reason="playwright is not installed (requirements-dev.txt)")
    if not any(map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))):
        pytest.skip("no Chromium on this machine (apt-get install chromium)")
    ways = [("desk", DESK, False), ("phone", PHONE, False), ("keys", DESK, True)]
    with ThreadPoolExecutor(3) as pool:
        taken = list(pool.map(lambda way: whole_study(served.address, *way), ways))
    rows = read_rows(served.folder)
    assert {row["test"] for row in rows} == {"", *get_args(Test)}
    sounds = []
    for (pid, _, _), what in zip(ways, taken, strict=True):
        assert what["problems"] == [] and what["sideways"] <= 0
        steps = [row["step"] for row in rows if row["participant"] == pid]
        assert steps == list(range(len(what["own"]["answers"])))
        for url, headers, body in what["received"]:
            if headers.get("content-type") == "audio/wav":
                sounds.append(hashlib.sha256(body).hexdigest())
                body = b""
            told = f"{url} {headers} {body.decode()}"
            assert [word for word in SECRETS if word in told] == [], url
    assert len(sounds) >= 3 * 25
    assert len(set(sounds)) == len(sounds)  # no two clips of anybody are the same bytes


def test_no_answer_is_lost_or_doubled(chromium: Any, tmp_path: Path) -> None:
    """Offline, a server that is killed, a reload, double clicks and a second tab."""
    block = {"id": "blk", "test": "mos", "conditions": [PLAIN, EDITED], "trials": 5}
    write_study(tmp_path, seconds=0.6, blocks=[block], headphone_check=False, questionnaire=[])
    with Served(tmp_path) as server:
        one = Participant(chromium, server.address, "p", DESK)
        page = one.page
        for _ in range(3):  # consent, volume, instructions
            one.go(keyboard=False)
        assert (one.screen(), one.step) == ("mos", 3)

        one.listen_and_choose()
        one.context.set_offline(True)
        page.dblclick("main .next")
        page.wait_for_selector("#note:has-text('kept here')", state="attached")
        assert one.step == 3 and "3" not in {str(row["step"]) for row in read_rows(tmp_path)}
        one.context.set_offline(False)
        one.wait_for_step(4)

        one.listen_and_choose()
        server.kill()
        page.click("main .next")
        page.wait_for_selector("#note:has-text('kept here')", state="attached")
        server.start()
        page.reload()  # the answer waits in the browser's storage
        one.wait_for_step(5)

        other = one.context.new_page()
        other.goto(page.url)
        one.listen_and_choose()
        page.click("main .next")
        one.wait_for_step(6)
        one.page = other
        assert one.step == 5
        one.listen_and_choose(last=True)
        other.click("main .next")
        one.wait_for_step(6)
        other.close()
        one.page = page
        page.click("#pause")
        page.click("#paused .next")
        page.reload()
        one.wait_for_step(6)
        one.context.close()
    kept = [(row["step"], row["response"]) for row in read_rows(tmp_path)]
    assert kept == [(0, None), (1, None), (2, None), (3, 5), (4, 5), (5, 5)]  # what the first tab answered stays
