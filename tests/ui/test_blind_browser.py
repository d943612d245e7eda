"""The blind test of kept takes in a real browser, over the stand-in for the editor."""

from __future__ import annotations

import csv
import io
import zipfile
from pathlib import Path
from typing import Any

import pyloudnorm
import pytest
import soundfile
import yaml
from conftest import QUIETLY
from visits import Visit

from latent_edit.listening.render import render
from latent_edit.listening.study import load_study


def keep_takes(page: Any, prompts: list[str]) -> None:
    page.fill("#text textarea", "It rains.")
    for prompt in prompts:
        page.fill("#prompt textarea", prompt)
        page.click("#edit")
        page.wait_for_function(
            "(p) => document.querySelector('[data-clip=after] .manner')?.textContent === p", arg=prompt
        )
        page.wait_for_selector("[data-clip=after] audio", state="attached")
        page.click("#keep")
        page.wait_for_selector("#settings-told:has-text('Kept under Compare')", state="attached")


def loudness(path: Path) -> float:
    """Integrated loudness in LUFS by another implementation than the page's."""
    samples, rate = soundfile.read(path)
    return float(pyloudnorm.Meter(rate).integrated_loudness(samples))


def downloaded(page: Any, frame: Any, words: str) -> bytes:
    with page.expect_download() as started:
        frame.click(f"text={words}")
    return Path(started.value.path()).read_bytes()


def test_takes_are_compared_blindly_and_saved_as_a_study(stand_in: Visit, tmp_path: Path) -> None:
    page = stand_in.page
    keep_takes(page, [QUIETLY, "=loud"])
    page.click("#compare-tab-button")
    page.click("#blind")
    frame = page.wait_for_selector("#blind-test iframe").content_frame()
    with zipfile.ZipFile(io.BytesIO(downloaded(page, frame, "Save as a study"))) as archive:
        archive.extractall(tmp_path)
    folder = tmp_path / "my-takes"
    study = load_study(folder)
    assert len(render(study, folder, folder, lambda: 1 / 0)) == 2  # type: ignore[arg-type, return-value]
    with zipfile.ZipFile(io.BytesIO(downloaded(page, frame, "Save for webMUSHRA"))) as archive:
        config = yaml.safe_load(archive.read("my-takes-webmushra/configs/my-takes.yaml"))
        (pair,) = config["pages"][0][1:]
        assert {f"my-takes-webmushra/{sound}" for sound in pair["stimuli"].values()} < set(archive.namelist())

    frame.click("text=Pairs")
    for trial in range(1, 7):
        frame.wait_for_selector(f"h1:has-text('{trial} of 6')")
        shown = frame.inner_text("main")
        assert QUIETLY not in shown and "=loud" not in shown
        frame.wait_for_selector("button.clip:enabled")
        page.keyboard.press("1")
        assert frame.query_selector("fieldset:disabled") and frame.is_disabled(".next")
        frame.wait_for_selector("button.clip.heard[data-place='0']")
        assert frame.query_selector("fieldset:disabled") and frame.is_disabled(".next")
        page.keyboard.press("2")
        page.keyboard.press("2")
        frame.wait_for_selector("button.clip.heard[data-place='1']")
        frame.wait_for_selector("fieldset:enabled")
        page.keyboard.press("Space")  # the first answer has the keyboard
        page.keyboard.press("Enter")
    frame.wait_for_selector("h1:has-text('What you chose')")
    line = frame.locator("tbody td").all_inner_texts()
    assert [line[0], line[2]] == [f"1: {QUIETLY}", "2: =loud"]
    assert [int(line[1]), int(line[3])] == [3, 3]  # A every time: the orders are balanced
    assert line[5] == "50 % (19 % to 81 %)"
    rows = list(csv.DictReader(io.StringIO(downloaded(page, frame, "Download answers").decode())))
    assert len(rows) == 6 and {row["answer"] for row in rows} == {f"1: {QUIETLY}", "2: =loud"}
    soft, loud = (loudness(folder / f"take-{number}" / "sentence.wav") for number in (1, 2))
    assert loud - soft > 3
    for row in rows:  # the louder one was turned down to the other
        gains = dict(zip(row["shown"].split(" | "), map(float, row["gain_db"].split(" ")), strict=True))
        assert gains == {f"1: {QUIETLY}": 0.0, "2: =loud": pytest.approx(soft - loud, abs=0.3)}
    page.click("#blind-test button")
    page.wait_for_selector("#blind-test", state="detached")
