"""The page for everybody: what is written can be read, and what is there can be used without a mouse."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from conftest import LONG_WAIT
from visits import (
    DESK,
    PHONE,
    Visit,
    record_a_second,
    recorded_request,
    tab_to,
    wait_for_recording,
    wait_for_sounds,
    written_clip,
)

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


NAMELESS = """() => {
  const named = (node) => [node.ariaLabel, node.title, node.alt, node.textContent, ...[...(node.labels ?? [])].map(
    (label) => label.textContent), ...(node.getAttribute("aria-labelledby") ?? "").split(" ").map(
    (id) => document.getElementById(id)?.textContent)].some((words) => words?.trim());
  const decoration = (node) => node.closest("[aria-hidden=true]") || node.getAttribute("alt") === "";
  return [...document.querySelectorAll("input, button, textarea, audio, img, a, [role=tab], [role=group]")]
    .filter((node) => node.checkVisibility({ visibilityProperty: true }) && !decoration(node) && !named(node))
    .map((node) => node.outerHTML.slice(0, 300));
}"""


@pytest.mark.parametrize("stand_in", [DESK, PHONE], indirect=True, ids=["desk", "phone"])
def test_everything_that_can_be_used_or_looked_at_has_a_name(stand_in: Visit) -> None:
    page = stand_in.page
    page.click("#fine-tune > button")
    page.click("#pace-source label:has-text('By hand')")
    stand_in.edit()
    page.click("#bridge [data-action=ask]")
    page.wait_for_selector("#bridge [data-stop]")
    page.click("#keep")
    assert page.evaluate(NAMELESS) == []
    page.click("#source label:has-text('Your recording')")
    page.click("#style-source label:has-text('Like a clip')")
    page.wait_for_selector("#reference button")
    assert page.evaluate(NAMELESS) == []
    page.click("#source label:has-text('Sentence')")
    page.click("#compare-tab-button")
    page.click("#kind label:has-text('Prompts')")
    page.fill("#prompts textarea", "calm\nsad")
    page.click("#run-compare")
    page.wait_for_function("document.querySelectorAll('#compare-grid .take').length === 3")
    assert page.evaluate(NAMELESS) == []
    page.click("#about-tab-button")
    page.wait_for_selector("#about h2")
    assert page.evaluate(NAMELESS) == []


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
    for button, told in (("#copy-link", "#settings-told p"), ("#keep", "#settings-told p")):
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
    record_a_second(page, "reference")
    assert faint_text(page) == []
    page.click("#reference .pause-button")
    page.click("#voice input")
    page.wait_for_selector("#voice [role=option]")
    assert faint_text(page) == []
    page.click("#reference .stop-button-paused")
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


def test_every_setting_is_chosen_with_the_keyboard_alone(stand_in: Visit) -> None:
    page = stand_in.page
    choose(page, "voice", 2)
    tab_to(page, "#presets input")
    page.keyboard.press("ArrowRight")
    page.wait_for_function("document.querySelector('#prompt textarea').value === 'sad and slow'")
    tab_to(page, "#strength input[type=range]")
    page.keyboard.press("ArrowLeft")
    tab_to(page, "#fine-tune > button")
    page.keyboard.press("Enter")
    page.wait_for_selector("#seed input")
    tab_to(page, "#pace-source input")
    page.keyboard.press("ArrowRight")
    page.wait_for_selector("#pace input[type=range]")  # it appears by way of the server
    for name in ("pace", "guidance", "steps"):
        tab_to(page, f"#{name} input[type=range]")
        page.keyboard.press("ArrowRight")
    tab_to(page, "#seed input")
    page.keyboard.press("ArrowUp")
    for name in ("decode-voice", "method"):
        choose(page, name, 1)
    tab_to(page, "#edit")
    page.keyboard.press("Space")
    stand_in.wait_for_manner("sad and slow")
    expected = {
        "voice": "lj", "prompt": "sad and slow", "strength": 0.95, "pace": 1.05, "guidance": 1.1, "steps": 11,
        "seed": 1, "decode_voice": "sam_a", "method": "palette",
    }  # fmt: skip
    made = recorded_request(stand_in)
    assert {name: made[name] for name in expected} == expected


def choose(page: Any, name: str, further: int) -> None:
    """In a dropdown that shows its first choice, the one so many places further down."""
    tab_to(page, f"#{name} input")
    for place in range(further + 1):
        page.wait_for_selector(f"#{name} [role=option].active:nth-of-type({place + 1})")
        page.keyboard.press("ArrowDown" if place < further else "Enter")
    page.wait_for_selector(f"#{name} [role=option]", state="detached")


def test_an_edit_is_cancelled_with_the_keyboard_alone(stand_in: Visit) -> None:
    page = stand_in.page
    tab_to(page, "#prompt textarea")
    page.keyboard.press("Control+A")
    page.keyboard.type(LONG_WAIT)
    page.keyboard.press("Enter")
    page.wait_for_selector(".to-come")
    tab_to(page, "#cancel")
    page.keyboard.press("Enter")
    page.wait_for_selector("#cancel", state="hidden")
    page.wait_for_selector(".nothing-yet")
    assert page.evaluate("document.activeElement.id") == "edit"


def test_clips_and_files_are_given_with_the_keyboard_alone(stand_in: Visit, tmp_path: Path) -> None:
    page = stand_in.page
    page.on("filechooser", lambda _: None)  # the browser tells of them from now on
    tab_to(page, "#style-source input")
    page.keyboard.press("ArrowRight")
    tab_to(page, "#reference button")
    with page.expect_file_chooser() as chosen:
        page.keyboard.press("Enter")
    chosen.value.set_files(written_clip(tmp_path))
    page.wait_for_selector("#reference audio", state="attached")
    tab_to(page, "#reference [aria-label=Clear]")
    page.keyboard.press("Enter")
    page.wait_for_selector("#reference audio", state="detached")
    tab_to(page, "#reference [aria-label='Record audio']")
    page.keyboard.press("Enter")
    tab_to(page, "#reference .record-button")
    page.keyboard.press("Enter")
    page.wait_for_selector("#reference time:has-text('0:01')")
    tab_to(page, "#reference .stop-button")
    page.keyboard.press("Enter")
    wait_for_recording(page, "reference")
    tab_to(page, "#edit")
    page.keyboard.press("Enter")
    stand_in.wait_for_manner("like the clip")
    tab_to(page, "#copy-link")
    page.keyboard.press("Enter")
    page.wait_for_selector("#settings-told p")
    tab_to(page, "#open-record")
    with page.expect_file_chooser() as chosen:
        page.keyboard.press("Enter")


def test_about_opens_and_plays_with_the_keyboard_alone(stand_in: Visit) -> None:
    page = stand_in.page
    tab_to(page, "#about-tab-button")
    page.keyboard.press("Enter")
    wait_for_sounds(page)
    tab_to(page, "#about audio")
    page.keyboard.press("Space")
    page.wait_for_function("document.activeElement.currentTime > 0")
    tab_to(page, "#about .figures > button")
    page.keyboard.press("Enter")
    page.wait_for_selector("#about .figures tbody")


# The controls that lie unseen over a picture or a chip show the place beside them.
UNSEEN_FOCUS = """() => {
  const place = document.activeElement;
  const shown = [place, place.matches(".chips input") ? place.nextElementSibling : place].some((node) => {
    const { outlineStyle, outlineWidth } = getComputedStyle(node);
    return outlineStyle === "solid" && parseFloat(outlineWidth) >= 2;
  });
  return shown || place === document.body ? "" : place.outerHTML.slice(0, 200);
}"""


def test_the_place_of_the_keyboard_is_always_seen(stand_in: Visit) -> None:
    page = stand_in.page
    stand_in.edit()
    tab_to(page, "#edit-tab-button")
    places = 0
    while not page.evaluate("document.activeElement.id === 'edit-tab-button'") or not places:
        assert page.evaluate(UNSEEN_FOCUS) == ""
        page.keyboard.press("Tab")
        places += 1
    assert places > 30


def test_nothing_is_told_by_colour_alone(stand_in: Visit) -> None:
    """What is chosen has a tick, a line or a heavier weight; after has the heavier line; links are underlined."""
    page = stand_in.page
    styles = "(nodes, [name, pseudo]) => nodes.map((node) => getComputedStyle(node, pseudo)[name])"

    def styled(selector: str, name: str, pseudo: str | None = None) -> set[str]:
        found = page.eval_on_selector_all(selector, styles, [name, pseudo])
        assert found, selector
        return set(found)

    stand_in.edit()
    assert all("\u2713" in tick for tick in styled("#presets input:checked + span", "content", "::before"))
    assert styled("#presets input:not(:checked) + span", "content", "::before") == {"none"}
    clear = "rgba(0, 0, 0, 0)"
    assert clear not in styled("#source input:checked + span", "borderBottomColor")
    assert styled("#source input:not(:checked) + span", "borderBottomColor") == {clear}
    assert "none" not in styled("[role=tab][aria-selected=true]", "content", "::after")
    assert styled("[role=tab][aria-selected=false]", "content", "::after") == {"none"}
    assert styled(".curve path.before", "strokeWidth") != styled(".curve path.after", "strokeWidth")
    assert styled("a, button.quiet, .quiet-link", "textDecorationLine") == {"underline"}
    page.click("#about-tab-button")
    page.wait_for_selector("#about a")
    assert styled("#about a", "textDecorationLine") == {"underline"}
