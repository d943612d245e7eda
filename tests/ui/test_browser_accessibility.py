"""The page for everybody: what is written can be read, and what is there can be used without a mouse."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from conftest import LONG_WAIT
from visits import DESK, PHONE, Visit

FAINT_TEXT = Path(__file__).with_name("contrast.js").read_text(encoding="utf-8")
# What pulses or counts down goes on; the others come to an end.
AT_REST = """document.getAnimations().every(({ playState, effect }) =>
  playState !== "running" || effect.getComputedTiming().endTime > 2000)"""


def faint_text(page: Any) -> list[str]:
    """What is seen with too little contrast, once nothing fades in or out any more."""
    page.wait_for_function(AT_REST)
    found = page.evaluate(FAINT_TEXT)
    assert isinstance(found, list)
    return found


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("stand_in", [DESK, PHONE], indirect=True, ids=["desk", "phone"])
def test_all_text_has_contrast_to_what_is_behind_it(stand_in: Visit, scheme: str) -> None:
    page = stand_in.page
    page.emulate_media(color_scheme=scheme)
    page.wait_for_function("(dark) => !!document.querySelector('.dark') === dark", arg=scheme == "dark")
    page.click("#fine-tune > button")
    page.click("#pace-source label:has-text('By hand')")
    assert faint_text(page) == []
    page.fill("#prompt textarea", LONG_WAIT)
    page.click("#edit")
    page.wait_for_selector(".to-come")
    page.wait_for_selector("#cancel", state="visible")
    assert faint_text(page) == []
    page.click("#cancel")
    page.wait_for_selector("#cancel", state="hidden")
    page.fill("#prompt textarea", "calm blorp")  # one word is not known
    stand_in.edit()
    stand_in.wait_for_manner("calm blorp")
    page.click("#bridge [data-action=ask]")
    page.wait_for_selector("#bridge [data-stop]")
    page.click("#judged [data-action=ask]")
    page.wait_for_selector(".judged .remark")
    for button, told in (("#copy-link", "#link-told p"), ("#keep", "#kept-told p")):
        page.click(button)
        page.wait_for_selector(told)
    assert faint_text(page) == []
    for field in ("text", "prompt"):
        page.fill(f"#{field} textarea", "")
    page.click("#edit")
    page.wait_for_selector(".toast-body")
    assert faint_text(page) == []
    page.click("#source label:has-text('Your recording')")
    page.click("#style-source label:has-text('Like a clip')")
    page.click("#voice input")
    page.wait_for_selector("#voice [role=option]")
    assert faint_text(page) == []
    for words in ("Sentence", "In words"):
        page.click(f"#controls label:has-text('{words}')")
    for field in ("text", "prompt"):
        page.fill(f"#{field} textarea", "calm")
    page.click("#compare-tab-button")
    page.click("#kind label:has-text('Prompts')")
    page.click("#run-compare")
    page.wait_for_selector("#compare-grid .take")
    page.wait_for_selector("#takes .take")
    assert faint_text(page) == []
    page.click("#about-tab-button")
    for button in page.locator("#about .figures > button").all():
        button.click()
    assert faint_text(page) == []


def test_text_that_is_faint_is_found(stand_in: Visit) -> None:
    """By its colour, by the opacity of what holds it, and in a field or a placeholder."""
    page = stand_in.page
    assert faint_text(page) == []
    page.fill("#prompt textarea", "")
    page.add_style_tag(
        content="#header p { color: #888 !important } #go { opacity: .5 } #text textarea { color: #888 !important }"
        "#prompt textarea::placeholder { color: #888 !important } .nothing-yet li::before { color: #888 !important }"
    )
    found = "\n".join(faint_text(page))
    for words in ("Type a sentence", "Change how it sounds", "Good morning to you.", "a tired whisper", "counter"):
        assert words in found
