"""What was understood, Strength that is applied when it is let go, and settings that are opened and saved."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from conftest import LONG_WAIT
from test_browser_controls import HANDLE, desk_and_phone
from visits import DESK, PHONE, Visit, recorded_request, tab_to

from latent_edit.request import EditRequest

PAUSE = 1500  # milliseconds in which an edit would begin


def understood(page: Any) -> str:
    return " ".join(page.inner_text(".understood").split())


def edits_of(page: Any) -> Callable[[], int]:
    """How many edits were asked for from now on."""
    asked: list[str] = []
    page.on("request", lambda request: "/queue/join" in request.url and asked.append(request.url))
    return lambda: len(asked)


@desk_and_phone
def test_what_was_understood_is_seen_under_the_prompt_without_a_click(stand_in: Visit) -> None:
    page = stand_in.page
    assert re.match(r"Emotion: anger\. Pitch \+5\.0 st \(.*angry.*\)", understood(page))
    prompt, panel, strength, button = (
        page.locator(f"#{name}").bounding_box() for name in ("prompt", "prompt-panel", "strength", "edit")
    )
    assert prompt["y"] < panel["y"] < strength["y"] < button["y"]
    assert not page.is_visible(".prompt-panel input")
    page.fill("#prompt textarea", "agnry and zqxv")
    page.wait_for_selector(".understood:has-text('Not understood: zqxv.')")
    assert "agnry: read as angry." in understood(page)
    page.click(".prompt-panel summary")
    assert page.locator(".prompt-panel input:visible").count() == 7
    assert stand_in.sideways() <= 0


def test_of_a_clip_only_what_is_set_by_hand_counts(stand_in: Visit) -> None:
    page = stand_in.page
    page.click("#style-source label:has-text('Like a clip')")
    page.wait_for_selector("#like-a-clip")
    assert not page.is_visible(".understood")
    page.click(".prompt-panel summary")
    page.focus(".axes input[name=level_db]")
    page.keyboard.press("ArrowLeft")
    assert page.locator(".axes output:visible").all_inner_texts() == ["+7.0 dB"]


def test_axes_are_set_with_the_keyboard_until_other_words_stand_there(stand_in: Visit) -> None:
    page = stand_in.page
    tab_to(page, ".prompt-panel summary")
    page.keyboard.press("Enter")
    tab_to(page, ".axes input[name=level_db]")
    page.keyboard.press("ArrowLeft")
    assert "Level +7.0 dB (by hand)" in understood(page)
    stand_in.edit()
    assert recorded_request(stand_in)["axes"] == {"level_db": 7}
    page.focus(".axes input[name=level_db]")
    page.keyboard.press("ArrowLeft")
    page.wait_for_selector("#stale p")
    tab_to(page, ".prompt-panel button")
    page.keyboard.press("Enter")
    assert "Level +8.0 dB" in understood(page) and "by hand" not in understood(page)
    assert page.evaluate("document.activeElement.tagName") == "SUMMARY"
    page.focus(".axes input[name=breathiness]")
    page.keyboard.press("End")
    assert "Breath 100 % (by hand)" in understood(page)
    page.fill("#prompt textarea", "calm")
    page.wait_for_selector(".understood:has-text('calm')")
    assert "by hand" not in understood(page)
    page.click("#edit")
    stand_in.wait_for_manner("calm")
    assert recorded_request(stand_in)["axes"] is None


@desk_and_phone
def test_strength_is_applied_when_it_is_let_go(stand_in: Visit) -> None:
    page = stand_in.page
    edits = edits_of(page)
    page.focus("#strength input[type=range]")
    page.keyboard.press("ArrowLeft")
    page.wait_for_timeout(PAUSE)
    assert edits() == 0  # there is no edit yet
    stand_in.edit()
    assert edits() == 1
    first = page.get_attribute("[data-clip=after] audio", "src")
    page.locator("#strength").scroll_into_view_if_needed()
    place = page.eval_on_selector("#strength input[type=range]", HANDLE)
    page.mouse.move(place["from"], place["y"])
    page.mouse.down()
    page.mouse.move(place["to"], place["y"], steps=5)
    page.wait_for_timeout(PAUSE)
    assert edits() == 1  # still held
    page.mouse.up()
    page.wait_for_function("(old) => document.querySelector('[data-clip=after] audio')?.src !== old", arg=first)
    page.wait_for_selector("[data-clip=after] audio", state="attached")
    page.wait_for_selector("#stale p", state="detached")
    assert edits() == 2
    assert recorded_request(stand_in)["strength"] == pytest.approx(0.4, abs=0.1)


def test_several_keys_make_one_edit_and_none_while_one_runs(stand_in: Visit) -> None:
    page = stand_in.page
    stand_in.edit()
    edits = edits_of(page)
    page.focus("#strength input[type=range]")
    for _ in range(3):
        page.keyboard.press("ArrowLeft")
    page.wait_for_selector("#stale p")
    page.wait_for_selector("#stale p", state="detached")
    assert edits() == 1
    assert recorded_request(stand_in)["strength"] == 0.85
    page.fill("#prompt textarea", LONG_WAIT)
    page.click("#edit")
    page.wait_for_selector(".to-come")
    page.focus("#strength input[type=range]")
    page.keyboard.press("ArrowRight")
    page.wait_for_timeout(PAUSE)
    assert edits() == 2
    page.click("#cancel")
    page.wait_for_selector("#cancel", state="hidden")


def test_an_opened_record_starts_no_edit(stand_in: Visit, tmp_path: Path) -> None:
    page = stand_in.page
    stand_in.edit()
    edits = edits_of(page)
    request = EditRequest("It rains.", "lj", "calm", strength=0.5, axes={"tremor_semitones": 1.0}).to_dict()
    (tmp_path / "edit.json").write_text(json.dumps({"request": request, "provenance": {}}), encoding="utf-8")
    page.set_input_files("#settings input[type=file]", tmp_path / "edit.json")
    page.wait_for_selector(".understood:has-text('Tremor +1.0 st (by hand)')")
    page.wait_for_selector("#stale p")
    page.wait_for_timeout(PAUSE)
    assert edits() == 1  # the file itself
    assert page.input_value("#strength input[type=number]") == "0.5"
    assert "by hand" in understood(page)  # also when the reading of its prompt has arrived
    page.click("#edit")
    stand_in.wait_for_manner("calm")
    assert recorded_request(stand_in) == request


def test_settings_are_opened_and_saved_in_one_place(stand_in: Visit) -> None:
    page = stand_in.page
    shown = "#settings button:visible"
    assert page.locator(shown).all_inner_texts() == ["Copy a link", "Open settings"]
    stand_in.edit()
    assert page.locator(shown).all_inner_texts() == [
        "Keep this take", "Copy a link", "Open settings", "Save settings", "Download everything"
    ]  # fmt: skip
    assert len({box["y"] for box in (button.bounding_box() for button in page.locator(shown).all())}) == 1


LINKED = {"text": "It rains.", "prompt": "calm", "strength": "0.5", "axes": '{"level_db": 3.0}'}
REFUSED = """HTMLMediaElement.prototype.play = () => {
  window.refused = (window.refused ?? 0) + 1;
  return Promise.reject(new DOMException("press first", "NotAllowedError"));
}"""


@pytest.mark.parametrize("window", [DESK, PHONE], ids=["desk", "phone"])
def test_a_link_makes_its_edit_on_arrival_and_plays_it(
    chromium: Any, stand_in_address: str, window: dict[str, int]
) -> None:
    visit = Visit(chromium, stand_in_address, window, f"/?{urlencode(LINKED)}")
    page = visit.page
    visit.wait_for_manner("calm")
    page.wait_for_function("document.querySelector('[data-clip=after] audio').currentTime > 0")
    assert page.inner_text("[data-flip-label]") == "Switch to before"
    made = recorded_request(visit)
    assert (made["text"], made["strength"], made["axes"]) == ("It rains.", 0.5, {"level_db": 3.0})
    page.wait_for_selector(".understood:has-text('Level +3.0 dB (by hand)')")
    assert page.query_selector("#stale p") is None
    page.click("#copy-link")
    page.wait_for_selector("#settings-told p")
    assert json.loads(page.evaluate("new URL(location).searchParams.get('axes')")) == {"level_db": 3}
    page.fill("#prompt textarea", "sad")
    page.click("#edit")
    visit.wait_for_manner("sad")
    page.wait_for_timeout(PAUSE)
    assert page.eval_on_selector_all("#player audio", "(all) => all.every((audio) => audio.paused)")  # only on arrival
    visit.context.close()
    assert visit.problems == []


def test_a_browser_that_wants_a_press_first_shows_the_edit_all_the_same(chromium: Any, stand_in_address: str) -> None:
    visit = Visit(chromium, stand_in_address, DESK)
    visit.page.add_init_script(REFUSED)
    visit.page.goto(f"{stand_in_address}/?{urlencode(LINKED)}")
    visit.wait_for_manner("calm")
    visit.page.wait_for_function("window.refused === 1")
    assert visit.page.is_visible("[data-clip=after] .play[aria-label='Play after']")
    visit.context.close()
    assert visit.problems == []


def test_a_wrong_link_says_so_and_changes_nothing(chromium: Any, stand_in_address: str) -> None:
    wrong = {**LINKED, "axes": '{"loudness": 3}'}
    visit = Visit(chromium, stand_in_address, DESK, f"/?{urlencode(wrong)}")
    page = visit.page
    page.wait_for_selector(".toast-body:has-text('This link is wrong, and nothing was changed'):has-text('loudness')")
    assert page.input_value("#prompt textarea") == "an angry shout"
    assert page.input_value("#text textarea") == "Good morning to you."
    page.wait_for_timeout(PAUSE)
    assert page.is_visible(".nothing-yet")
    visit.context.close()
    assert visit.problems == []


def test_a_link_to_an_edit_of_a_recording_asks_for_it(chromium: Any, stand_in_address: str) -> None:
    values = {"source": "Your recording", "text": "", "prompt": "calm"}
    visit = Visit(chromium, stand_in_address, DESK, f"/?{urlencode(values)}")
    visit.page.wait_for_selector(".toast-body:has-text('This edit used a recording clip')")
    visit.page.wait_for_selector("#recording")
    visit.page.wait_for_timeout(PAUSE)
    assert visit.page.is_visible(".nothing-yet")
    visit.context.close()
    assert visit.problems == []


@desk_and_phone
def test_only_the_words_that_are_marked_are_changed(stand_in: Visit) -> None:
    page = stand_in.page
    page.fill("#text textarea", "It costs $5, alas. It rains.")
    page.click(".marked-words summary")
    page.wait_for_selector(".marked-words button:has-text('dollars,')")
    words = page.locator(".marked-words div button")
    assert words.all_inner_texts() == ["It", "costs", "five", "dollars,", "alas.", "It", "rains."]
    words.nth(2).click()
    words.nth(4).click()
    pressed = page.locator(".marked-words [aria-pressed=true]")
    assert pressed.all_inner_texts() == ["five", "dollars,", "alas."]
    stand_in.edit()
    assert recorded_request(stand_in)["words"] == [3, 5]
    words.nth(3).click()  # inside: from here anew
    assert pressed.all_inner_texts() == ["dollars,"]
    page.wait_for_selector("#stale p")
    words.nth(3).focus()
    page.keyboard.press("Enter")  # the only one: none
    assert pressed.count() == 0
    words.nth(1).focus()
    page.keyboard.press("Space")
    page.fill("#text textarea", "Rain.")  # has no second word
    page.wait_for_selector(".marked-words button:has-text('Rain.')")
    assert pressed.count() == 0
    page.click("#edit")
    page.wait_for_selector("#stale p", state="detached")
    assert recorded_request(stand_in)["words"] is None
    assert stand_in.sideways() <= 0


def test_a_link_marks_words(chromium: Any, stand_in_address: str) -> None:
    visit = Visit(chromium, stand_in_address, DESK, "?" + urlencode({"text": "It rains today.", "words": "2-3"}))
    visit.page.wait_for_selector("[data-clip=after]")
    assert visit.page.locator(".marked-words [aria-pressed=true]").all_inner_texts() == ["rains", "today."]
    assert recorded_request(visit)["words"] == [2, 3]
    visit.context.close()
    assert visit.problems == []
