"""Clips beside each other: what they are called, what is held fixed, going on at the same moment, and their files."""

from __future__ import annotations

from typing import Any

import pytest
from test_browser_controls import desk_and_phone
from visits import Visit, tab_to

LONG = "A sentence that is long enough for going on with another clip in the middle of it."


def keep(visit: Visit, **settings: str) -> None:
    """Make an edit with these settings and keep it."""
    page = visit.page
    for name, value in settings.items():
        page.fill(f"#{name} textarea" if name in ("text", "prompt") else f"#{name} input[type=number]", value)
        page.keyboard.press("Tab")
    page.click("#edit")
    page.wait_for_selector("#stale p", state="detached")
    page.wait_for_selector("[data-clip=after] audio", state="attached")
    page.wait_for_selector("#settings-told p", state="detached")
    page.click("#keep")
    page.wait_for_selector("#settings-told p")


def titles(page: Any) -> list[str]:
    page.wait_for_function(
        "[...document.querySelectorAll('#takes h3')].every((title) => title.textContent)", timeout=20_000
    )
    found: list[str] = page.eval_on_selector_all("#takes h3", "(all) => all.map((title) => title.textContent)")
    return found


def test_takes_are_called_by_what_differs_among_them(stand_in: Visit) -> None:
    page = stand_in.page
    page.click("#fine-tune > button")
    keep(stand_in)
    page.click("#compare-tab-button")  # what a tab holds is drawn when it is opened
    assert titles(page) == ["an angry shout"]
    page.click("#edit-tab-button")
    keep(stand_in, seed="1")
    assert titles(page) == ["seed 0", "seed 1"]
    keep(stand_in, strength="0.5")
    assert titles(page) == ["strength 1, seed 0", "strength 1, seed 1", "strength 0.5, seed 1"]
    keep(stand_in, text="It rains.", prompt="calm")
    assert titles(page)[-1] == "\u201cIt rains.\u201d, calm, strength 0.5, seed 1"
    page.click("#compare-tab-button")
    page.locator("#takes [data-action=remove]").last.click()
    page.wait_for_function("document.querySelectorAll('#takes h3').length === 3")
    assert titles(page) == ["strength 1, seed 0", "strength 1, seed 1", "strength 0.5, seed 1"]
    page.locator("#takes [data-action=remove]").last.click()
    page.wait_for_function("document.querySelectorAll('#takes h3').length === 2")
    assert titles(page) == ["seed 0", "seed 1"]


def test_the_same_take_twice_is_numbered(stand_in: Visit) -> None:
    page = stand_in.page
    keep(stand_in)
    page.click("#keep")
    page.wait_for_selector("#settings-told :text('2 of at most')")
    page.click("#compare-tab-button")
    page.wait_for_selector("#takes h3")
    assert titles(page) == ["an angry shout", "an angry shout (2)"]


MOMENT = """(place) => {
  const [heard, next] = [0, place].map((at) => document.querySelectorAll("#compare-grid audio")[at]);
  const tell = () => { window.begun = [heard, next].map((audio) => audio.currentTime / audio.duration); };
  next.addEventListener("playing", tell, { once: true });
}"""


@desk_and_phone
def test_cells_go_on_at_the_same_moment_and_are_downloaded(stand_in: Visit) -> None:
    page = stand_in.page
    page.fill("#text textarea", LONG)
    page.click("#compare-tab-button")
    tab_to(page, "#kind input")
    page.keyboard.press("ArrowRight")
    tab_to(page, "#run-compare")
    page.keyboard.press("Enter")
    page.wait_for_function("document.querySelectorAll('#compare-grid .take').length === 5")
    names = page.locator("#compare-grid h3").all_inner_texts()
    assert names == ["Before", "strength 0.25", "strength 0.5", "strength 1", "strength 1.5"]
    fixed = page.inner_text("#compare-grid .fixed")
    assert fixed.startswith("Held fixed: \u201cA sentence that") and "guidance 1" in fixed and "strength" not in fixed
    play = page.locator("#compare-grid .play")
    play.first.click()
    page.wait_for_function("document.querySelector('#compare-grid audio').currentTime > 1")
    page.evaluate(MOMENT, 2)
    play.nth(2).focus()
    page.keyboard.press("Space")
    page.wait_for_function("window.begun")
    before, after = page.evaluate("begun")
    assert after == pytest.approx(before, abs=0.08) and before > 0.15  # after is a quarter longer there
    page.wait_for_function("document.querySelector('#compare-grid audio').paused")
    with page.expect_download() as started:
        page.locator("#compare-grid [data-download]").nth(2).click()
    assert started.value.suggested_filename == "strength-0.5.wav"
    assert stand_in.sideways() <= 0


@desk_and_phone
def test_the_grid_of_the_paper_says_what_it_is_and_seeds_are_takes_of_one_request(stand_in: Visit) -> None:
    page = stand_in.page
    page.click("#compare-tab-button")
    page.click("#run-speakers")
    page.wait_for_selector("#compare-grid .about:has-text('arXiv 2311.10804')")
    assert "decoder" in page.inner_text("#compare-grid .about")
    page.wait_for_function("document.querySelectorAll('#compare-grid .take').length === 4")
    page.click("#kind label:has-text('Seed')")
    page.click("#run-compare")
    page.wait_for_selector("#compare-grid h3:has-text('seed 3')")
    assert page.locator("#compare-grid h3").all_inner_texts() == ["seed 0", "seed 1", "seed 2", "seed 3"]
    assert not page.is_visible("#compare-grid .about")
    assert "an angry shout" in page.inner_text("#compare-grid .fixed")
    assert stand_in.sideways() <= 0
