"""Every control that the page has, used with the mouse on a desk and on a phone, over the stand-in."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from conftest import LONG_WAIT
from visits import DESK, PHONE, Visit, record_a_second, recorded_request, tab_to, wait_for_sounds, written_clip

from latent_edit.request import RANGES, EditRequest
from latent_edit.ui.compare import MOST_TAKES

desk_and_phone = pytest.mark.parametrize("stand_in", [DESK, PHONE], indirect=True, ids=["desk", "phone"])
HANDLE = """(slider) => {
  const { left, top, width, height } = slider.getBoundingClientRect();
  const [low, high] = [Number(slider.min), Number(slider.max)];
  const inset = 8; // half a handle
  const at = (share) => left + inset + share * (width - 2 * inset);
  return { from: at((slider.value - low) / (high - low)), to: at(0.25), y: top + height / 2 };
}"""


def drag_to_a_quarter(page: Any, slider: str) -> None:
    """Take the handle of a slider with the mouse and hold it at a quarter of its way."""
    page.locator(slider).scroll_into_view_if_needed()
    place = page.eval_on_selector(slider, HANDLE)
    page.mouse.move(place["from"], place["y"])
    page.mouse.down()
    page.mouse.move(place["to"], place["y"], steps=5)


@desk_and_phone
def test_sliders_are_dragged_by_their_handles_and_set_back(stand_in: Visit) -> None:
    page = stand_in.page
    page.click("#fine-tune > button")
    page.click("#pace-source label:has-text('By hand')")
    first, dragged = {}, {}
    for name in ("strength", "pace", "guidance", "steps"):
        beside = f"#{name} input[type=number]"
        first[name] = page.input_value(beside)
        drag_to_a_quarter(page, f"#{name} input[type=range]")
        changed = "([beside, old]) => document.querySelector(beside).value !== old"
        page.wait_for_function(changed, arg=[beside, first[name]])  # while the handle is held
        page.mouse.up()
        low, high = RANGES[name]
        dragged[name] = float(page.input_value(beside))
        assert dragged[name] == pytest.approx(low + (high - low) / 4, abs=0.03 * (high - low))
    stand_in.edit()
    made = recorded_request(stand_in)
    assert {name: made[name] for name in dragged} == dragged
    for name, value in first.items():
        page.click(f"#{name} [aria-label*=eset]")
        page.wait_for_function(
            "([name, value]) => document.querySelector(`#${name} input[type=number]`).value === value",
            arg=[name, value],
        )


SOUGHT = """(name) => {
  const clip = document.querySelector(`[data-clip=${name}]`);
  const audio = clip.querySelector("audio");
  const told = clip.querySelector("[data-clock]").textContent === audio.currentTime.toFixed(1);
  return told && Math.abs(audio.currentTime / audio.duration - 0.25) < 0.05;
}"""


@desk_and_phone
def test_places_in_a_clip_and_on_the_bridge_are_dragged(stand_in: Visit) -> None:
    page = stand_in.page
    stand_in.edit()
    for name in ("before", "after"):
        drag_to_a_quarter(page, f"[data-clip={name}] [data-action=seek]")
        page.wait_for_function(SOUGHT, arg=name)
        page.mouse.up()
    page.click("#bridge [data-action=ask]")
    page.wait_for_selector("#bridge [data-action=stop]")
    last = page.get_attribute("#bridge img", "src")
    drag_to_a_quarter(page, "#bridge [data-action=stop]")
    page.wait_for_selector("[data-stop]:has-text('Step')")
    page.mouse.up()
    assert page.get_attribute("#bridge img", "src") != last


@desk_and_phone
def test_all_of_about_opens_and_every_sound_of_it_plays(stand_in: Visit) -> None:
    page = stand_in.page
    page.click("#about-tab-button")
    sounds, figures = page.locator("#about audio"), page.locator("#about .figures")
    wait_for_sounds(page)
    assert sounds.count() > 10
    assert figures.count() > 2
    for sound in sounds.all():
        sound.click(position={"x": 20, "y": 20})
        page.wait_for_function("(audio) => audio.currentTime > 0 && !audio.paused", arg=sound.element_handle())
    assert page.locator("#about audio").evaluate_all("(all) => all.filter((one) => !one.paused).length") <= 1
    for figure in figures.all():
        tables = figure.locator("tbody")
        figure.locator("button").click()
        tables.first.wait_for()
        for table in tables.all():
            table.wait_for()
            assert table.locator("tr").count() > 2
        assert stand_in.sideways() <= 0
        figure.locator("button").click()
        for table in tables.all():
            table.wait_for(state="hidden")


@desk_and_phone
def test_every_preset_fills_in_its_words(stand_in: Visit) -> None:
    page = stand_in.page
    for chip in page.locator("#presets label").all():
        chip.click()
        words = chip.inner_text()
        page.wait_for_function("(words) => document.querySelector('#prompt textarea').value === words", arg=words)
        page.wait_for_function("(words) => document.querySelector('#presets input:checked').value === words", arg=words)


def test_choices_can_be_taken_back(stand_in: Visit) -> None:
    page = stand_in.page
    page.click("#fine-tune > button")
    for choice, state in (("By hand", "visible"), ("From the style", "detached")):
        page.click(f"#pace-source label:has-text('{choice}')")
        page.wait_for_selector("#pace input[type=range]", state=state)
    for voice in ("kate", "The same voice"):
        page.click("#decode-voice input")
        page.click(f"#decode-voice [role=option]:has-text('{voice}')")
        page.wait_for_function("(voice) => document.querySelector('#decode-voice input').value === voice", arg=voice)
    stand_in.edit()
    made = recorded_request(stand_in)
    assert (made["pace"], made["decode_voice"]) == (None, None)


def test_a_voice_can_be_typed_and_one_that_is_not_there_is_told(stand_in: Visit) -> None:
    page = stand_in.page
    page.click("#voice input")
    page.keyboard.press("Control+A")
    page.keyboard.type("kat")  # leaves one choice
    page.wait_for_function("document.querySelectorAll('#voice [role=option]').length === 1")
    page.click("#voice [role=option]")
    stand_in.edit()
    assert recorded_request(stand_in)["voice"] == "kate"
    page.fill("#voice input", "nobody")
    page.keyboard.press("Enter")
    page.click("#edit")
    page.wait_for_selector(".toast-body:has-text('nobody'):has-text('sam_a')")
    page.click("[data-testid=toast-close]")
    page.wait_for_selector(".toast-body", state="detached")


def test_a_link_lies_in_the_clipboard(stand_in: Visit) -> None:
    page = stand_in.page
    stand_in.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.fill("#prompt textarea", "calm & deep")
    page.click("#copy-link")
    page.wait_for_selector("#settings-told :text('Link copied.')")
    assert page.evaluate("navigator.clipboard.readText()") == page.url
    assert "calm+%26+deep" in page.url


def test_what_a_record_cannot_bring_is_told(stand_in: Visit, tmp_path: Path) -> None:
    """At once, while an edit runs."""
    page = stand_in.page
    page.fill("#prompt textarea", LONG_WAIT)
    page.click("#edit")
    page.wait_for_selector(".to-come")
    page.on("filechooser", lambda _: None)  # the browser tells of them from now on
    request = EditRequest("", "lj", reference=Path("reference.wav"), recording=Path("recording.wav")).to_dict()
    for content, told in (
        ({}, "Edit.json is not the record of an edit"),
        ({"request": request, "provenance": {}}, "This edit used a recording and a reference clip"),
    ):
        (tmp_path / "edit.json").write_text(json.dumps(content), encoding="utf-8")
        with page.expect_file_chooser() as chosen:
            page.click("#open-record")
        chosen.value.set_files(tmp_path / "edit.json")
        page.wait_for_selector(f".toast-body:has-text('{told}')")
    for name in ("recording", "reference"):
        page.wait_for_selector(f"#{name} [data-testid=upload-text]")
    page.click("#cancel")
    page.wait_for_selector("#cancel", state="hidden")


def test_the_microphone_is_chosen_and_a_file_takes_its_place(stand_in: Visit, tmp_path: Path) -> None:
    page = stand_in.page
    page.click("#source label:has-text('Your recording')")
    record_a_second(page, "recording")
    page.click("#recording .stop-button")
    page.wait_for_selector("#recording audio", state="attached")
    page.click("#recording [aria-label=Clear]")
    page.select_option("#recording .mic-select", label="Fake Audio Input 2")
    page.click("#recording .record-button")
    page.wait_for_selector("#recording time:has-text('0:01')")
    page.click("#recording .stop-button")
    page.wait_for_selector("#recording audio", state="attached")
    page.click("#recording [aria-label=Clear]")
    page.click("#recording [aria-label='Upload file']")
    page.set_input_files("#recording input[type=file]", written_clip(tmp_path))
    page.wait_for_selector("#recording audio[src*='said.wav']", state="attached")


def test_the_oldest_take_makes_room(stand_in: Visit) -> None:
    page = stand_in.page
    stand_in.edit()
    for kept in range(1, MOST_TAKES + 1):
        page.click("#keep")
        page.wait_for_selector(f"#settings-told :text('Kept under Compare: {kept} of at most {MOST_TAKES}.')")
    page.fill("#prompt textarea", "calm")
    page.click("#edit")
    stand_in.wait_for_manner("calm")
    page.click("#keep")
    page.wait_for_selector("#settings-told :text('the oldest made room')")
    page.click("#compare-tab-button")
    assert page.locator("#takes .take").count() == MOST_TAKES
    assert page.locator("#takes h3").last.inner_text() == "calm"


@desk_and_phone
def test_a_speaker_grid_plays_pauses_and_is_cancelled(stand_in: Visit) -> None:
    page = stand_in.page
    page.fill("#prompt textarea", "calm")
    page.click("#compare-tab-button")
    page.click("#run-speakers")
    page.wait_for_function("document.querySelectorAll('#compare-grid .take').length === 4")
    for cell in page.locator("#compare-grid .take").all():
        sound = cell.locator("audio").element_handle()
        cell.locator(".play").click()
        page.wait_for_function("(audio) => audio.currentTime > 0", arg=sound)
        cell.locator(".play[aria-label^=Pause]").click()
        page.wait_for_function("(audio) => audio.paused", arg=sound)
    page.click("#edit-tab-button")
    page.fill("#prompt textarea", LONG_WAIT)
    page.click("#compare-tab-button")
    page.click("#run-speakers")
    page.click("#cancel-compare")
    page.wait_for_selector("#cancel-compare", state="hidden")


@pytest.mark.parametrize("stand_in", [PHONE], indirect=True)
def test_pictures_that_are_wider_than_a_phone_are_moved_by_the_arrows(stand_in: Visit) -> None:
    page = stand_in.page
    page.fill(
        "#text textarea", "A sentence that is long enough to be wider than a phone, even a wide one, is this one."
    )
    stand_in.edit()
    tab_to(page, ".latents")
    page.keyboard.press("ArrowRight")
    page.wait_for_function("document.querySelector('.latents').scrollLeft > 0")
    assert stand_in.sideways() <= 0
