"""The page in a real browser, over the real editor (a process of its own, started as the README says) or a stand-in."""

from __future__ import annotations

import json
import math
import os
import threading
import urllib.error
import urllib.request
import zipfile
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from conftest import BROKEN, LONG_WAIT, LONG_WALK, MOMENT, FakeEditor, stand_in_page
from visits import (
    DESK,
    EDIT_SECONDS,
    PHONE,
    Visit,
    record_a_second,
    recorded_request,
    tab_to,
    wait_for_recording,
    written_clip,
)

ROOT = Path(__file__).resolve().parents[2]


def test_type_edit_listen_and_see(visit: Visit, tmp_path: Path) -> None:
    import soundfile

    page = visit.page
    page.fill("#text textarea", "Good morning to you.")
    page.click("#presets label:has-text('a whisper')")
    assert page.input_value("#prompt textarea") == "a whisper"
    visit.edit()

    seconds = {}
    for name in ("before", "after"):
        file = tmp_path / f"{name}.wav"
        file.write_bytes(visit.fetch(f"[data-clip={name}] audio", "src"))
        info = soundfile.info(file)
        assert info.subtype == "PCM_16"
        seconds[name] = info.duration
        assert page.eval_on_selector(f"[data-clip={name}] audio", "(a) => a.duration") == pytest.approx(
            info.duration, abs=0.02
        )
    record = visit.record()
    assert record["request"]["text"] == "Good morning to you."
    assert record["request"]["prompt"] == "a whisper"
    stretched = seconds["before"] * math.exp(record["log_duration_ratio"])
    assert seconds["after"] == pytest.approx(stretched, rel=0.1, abs=0.1)
    assert page.locator(".measured tbody tr").count() == 10
    assert f"Seed {record['request']['seed']}" in page.inner_text("#notes")
    assert visit.sideways() <= 0


@pytest.mark.parametrize("visit", [DESK, PHONE], indirect=True, ids=["page", "page-phone"])
def test_pictures_of_the_page(visit: Visit, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """What a visitor sees after the first click. With LATENT_EDIT_PICTURES=assets they are kept for the README."""
    from PIL import Image

    visit.edit()
    path = Path(os.environ.get("LATENT_EDIT_PICTURES", tmp_path)) / f"{request.node.callspec.id}.png"
    visit.page.screenshot(path=path, full_page=True)
    picture = Image.open(path).convert("RGB")
    assert picture.width == visit.page.viewport_size["width"]
    assert picture.height >= visit.page.viewport_size["height"]
    colours = picture.getcolors(picture.width * picture.height)
    assert len(colours) > 500  # heatmaps and text, not a blank page


@pytest.mark.parametrize("visit", [DESK, PHONE], indirect=True, ids=["desk", "phone"])
def test_a_recording_is_edited_like_a_clip(visit: Visit, tmp_path: Path) -> None:
    """Both switches: words and sentence are out of sight, and out of the request."""
    page = visit.page
    page.click("#source label:has-text('Your recording')")
    page.wait_for_selector("#text", state="detached")
    page.wait_for_selector("#recording-remark")  # which a busy machine draws a moment later
    remarks = page.inner_text("#controls")
    assert "an unknown speaker becomes that voice" in remarks
    assert "a change of pace stretches all of it" in remarks
    page.set_input_files("#recording input[type=file]", written_clip(tmp_path))
    page.click("#style-source label:has-text('Like a clip')")
    page.wait_for_selector("#prompt", state="detached")
    page.set_input_files("#reference input[type=file]", written_clip(tmp_path, name="style.wav"))
    for name in ("recording", "reference"):
        page.wait_for_selector(f"#{name} audio", state="attached")
    visit.edit()
    request = recorded_request(visit)
    assert (request["text"], request["prompt"]) == ("", "")
    assert (request["recording"], request["reference"]) == ("recording.wav", "reference.wav")
    page.wait_for_function("document.querySelector('#voice input').value")  # the nearest, also asked for before
    assert request["voice"] == page.input_value("#voice input")
    page.click("#source label:has-text('Sentence')")
    page.click("#style-source label:has-text('In words')")
    page.wait_for_selector("#prompt textarea")
    page.wait_for_selector("#text textarea")


@pytest.mark.parametrize("visit", [DESK, PHONE], indirect=True, ids=["desk", "phone"])
def test_a_microphone_records(visit: Visit) -> None:
    page = visit.page
    page.click("#source label:has-text('Your recording')")
    record_a_second(page, "recording")
    page.click("#recording .stop-button")
    wait_for_recording(page, "recording")
    visit.edit()
    assert recorded_request(visit)["recording"] == "recording.wav"


def test_a_clip_is_recorded_in_two_goes(visit: Visit) -> None:
    """The clip that says how it should sound; it is heard before it is used, and the result says that it was."""
    page = visit.page
    page.click("#style-source label:has-text('Like a clip')")
    record_a_second(page, "reference")
    page.click("#reference .pause-button")
    page.click("#reference .resume-button")
    page.wait_for_selector("#reference time:has-text('0:02')")
    page.click("#reference .stop-button")
    wait_for_recording(page, "reference")
    page.wait_for_function("document.querySelector('#reference audio').duration > 1.5")
    page.focus("#reference audio")
    page.keyboard.press("Space")
    page.wait_for_function("document.querySelector('#reference audio').currentTime > 0")
    visit.edit()
    visit.wait_for_manner("like the clip")
    assert "with your clip" in page.inner_text(".measured")
    request = recorded_request(visit)
    assert (request["prompt"], request["reference"]) == ("", "reference.wav")
    page.click("#reference [aria-label=Clear]")
    page.click("#edit")
    page.wait_for_selector(".toast-body:has-text('There is no clip yet')")


def test_a_recorder_that_pauses_can_be_stopped(stand_in: Visit) -> None:
    page = stand_in.page
    page.click("#source label:has-text('Your recording')")
    record_a_second(page, "recording")
    page.click("#recording .pause-button")
    page.click("#recording .stop-button-paused")
    page.wait_for_function("document.querySelector('#recording audio')?.duration > 0.5")
    page.wait_for_function("document.querySelector('#voice input').value === 'lj'")  # the nearest


def test_a_clip_that_is_too_long_or_no_sound_is_a_short_message(visit: Visit, tmp_path: Path) -> None:
    import numpy as np
    import soundfile

    page = visit.page
    page.click("#source label:has-text('Your recording')")
    page.set_input_files("#recording input[type=file]", written_clip(tmp_path, 31.0, "long.wav"))
    message = page.wait_for_selector("#recording-note [role=alert]")
    assert "Long.wav lasts 31 seconds; the limit is 30" in message.inner_text()
    silent = tmp_path / "silent.wav"
    soundfile.write(silent, np.zeros(16_000), 16_000)
    page.set_input_files("#recording input[type=file]", silent)
    page.wait_for_selector("#recording-note [role=alert]:has-text('silent')")
    page.click("#source label:has-text('Sentence')")
    visit.edit()  # the page is as usable as before
    page.click("#style-source label:has-text('Like a clip')")
    large = tmp_path / "large.wav"
    large.write_bytes(bytes(11_000_000))
    page.set_input_files("#reference input[type=file]", large)
    page.wait_for_selector("#reference-note [role=alert]:has-text('11 MB; the limit is 10')")
    large.write_bytes(bytes(70_000_000))  # more than is sent at all
    page.set_input_files("#reference input[type=file]", large)
    page.wait_for_selector(".toast-body:has-text('64')")
    assert not any(chip.is_visible() for chip in page.query_selector_all("#reference .error"))
    visit.problems.clear()  # that refusal is one


SET = {
    "text": "Nobody told me.", "prompt": "sad `and` ${slow} & <b>", "strength": "0.5", "guidance": "3.5", "steps": "4",
    "pace_source": "By hand", "pace": "1.5", "seed": "77", "method": "Palette from noise to the style, with pace",
}  # fmt: skip


def settings_shown(page: Any) -> dict[str, str]:
    values = {name: page.input_value(f"#{name} textarea") for name in ("text", "prompt")}
    values |= {name: page.input_value(f"#{name} input[type=number]") for name in ("strength", "guidance", "steps")}
    values["pace_source"] = page.input_value("#pace-source input:checked")
    values["method"] = page.input_value("#method input")
    return values | {name: page.input_value(f"#{name} input[type=number]") for name in ("pace", "seed")}


@pytest.mark.parametrize("visit", [DESK, PHONE], indirect=True, ids=["desk", "phone"])
def test_settings_survive_a_link_and_a_record(visit: Visit, chromium: Any, address: str, tmp_path: Path) -> None:
    """All controls are used; then a second and a third visitor get the same settings, by link and by file."""
    page = visit.page
    page.click("#fine-tune > button")
    for name in ("text", "prompt"):
        page.fill(f"#{name} textarea", SET[name])
    page.click("#pace-source label:has-text('By hand')")
    for name in ("strength", "guidance", "steps", "pace", "seed"):
        page.fill(f"#{name} input[type=number]", SET[name])
        page.keyboard.press("Tab")
    page.click("#voice input")
    page.click("#voice [role=option]:has-text('robotutor')")
    page.click("#decode-voice input")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.click("#method input")
    page.click(f"#method [role=option]:has-text('{SET['method']}')")
    page.click("#copy-link")
    page.wait_for_selector("#settings-told p")
    assert settings_shown(page) == SET
    visit.edit()
    made = recorded_request(visit)
    assert (made["voice"], made["decode_voice"]) == ("robotutor", "kathleen")
    record = tmp_path / "edit.json"
    record.write_text(json.dumps(visit.record()), encoding="utf-8")

    linked = Visit(chromium, address, DESK, "/?" + urlsplit(page.url).query)
    linked.page.click("#fine-tune > button")
    linked.page.wait_for_selector("#presets input:checked", state="detached")  # other words stand there
    assert settings_shown(linked.page) == SET
    linked.edit()
    assert recorded_request(linked) == made
    restored = Visit(chromium, address, DESK)
    restored.page.click("#fine-tune > button")
    restored.page.set_input_files("#settings input[type=file]", record)
    restored.page.wait_for_function("document.querySelector('#text textarea').value === 'Nobody told me.'")
    restored.page.wait_for_selector("#pace input")
    restored.page.wait_for_selector("#presets input:checked", state="detached")
    assert settings_shown(restored.page) == SET
    restored.edit()
    assert recorded_request(restored) == made
    for other in (linked, restored):
        assert other.problems == []
        assert other.page.evaluate("window.broken") is None
        other.context.close()


@pytest.mark.parametrize("stand_in", [DESK, PHONE], indirect=True, ids=["desk", "phone"])
def test_compare_fills_a_grid_that_plays_and_keeps_takes(stand_in: Visit) -> None:
    page = stand_in.page
    stand_in.edit()
    page.click("#keep")
    page.click("#compare-tab-button")
    page.wait_for_selector("#takes .take")
    page.click("#kind label:has-text('Prompts')")
    page.fill("#prompts textarea", "calm\n${window.broken = 1} <i>sad</i>")
    page.click("#run-compare")
    page.wait_for_function("document.querySelectorAll('#compare-grid .take').length === 3")
    assert page.locator("#compare-grid h3").all_inner_texts() == ["Before", "calm", "${window.broken = 1} <i>sad</i>"]
    assert page.evaluate("window.broken") is None
    play = page.locator("#compare-grid .play")
    for place in (0, 1):
        play.nth(place).click()
        page.wait_for_function("(n) => document.querySelectorAll('#compare-grid audio')[n].currentTime > 0", arg=place)
    assert page.evaluate("document.querySelectorAll('#compare-grid audio')[0].paused")
    for kind, first in (("Guidance", "guidance 1"), ("Voices", "kate"), ("Methods", "palette")):
        page.click(f"#kind label:has-text('{kind}')")
        page.click("#run-compare")
        page.wait_for_selector(f"#compare-grid h3:has-text('{first}')")
        page.wait_for_selector("#cancel-compare", state="hidden")  # the other cells come one by one
    page.click("#run-speakers")  # the paper's grid, at once
    page.wait_for_selector("#compare-grid h3:has-text('sam_a reads, sam_b speaks')")
    page.wait_for_function("document.querySelectorAll('#compare-grid .take').length === 4")
    page.click("#takes .play")
    page.wait_for_function("document.querySelector('#takes audio').currentTime > 0")
    page.click("#takes [data-action=remove]")
    page.wait_for_selector("#takes .take", state="detached")
    assert stand_in.sideways() <= 0


@pytest.mark.parametrize("visit", [DESK, PHONE], indirect=True, ids=["desk", "phone"])
def test_small_controls_do_what_they_say(visit: Visit) -> None:
    page = visit.page
    first = page.input_value("#text textarea")
    page.click("#another-example")
    page.wait_for_function("(first) => document.querySelector('#text textarea').value !== first", arg=first)
    page.click("#fine-tune > button")
    seed = page.input_value("#seed input[type=number]")
    page.click("#dice")
    page.wait_for_function("(old) => document.querySelector('#seed input[type=number]').value !== old", arg=seed)
    page.click("#voice input")
    page.click("#voice [role=option]:has-text('robotutor')")
    page.focus("#strength input[type=range]")
    page.keyboard.press("ArrowLeft")
    visit.edit()
    made = recorded_request(visit)
    assert (made["voice"], made["strength"]) == ("robotutor", 0.95)
    assert str(made["seed"]) == page.input_value("#seed input[type=number]") != seed
    page.click("#strength [aria-label*=eset]")
    page.wait_for_function("document.querySelector('#strength input[type=number]').value === '1'")
    page.fill("#prompt textarea", "calm")
    page.press("#prompt textarea", "Enter")
    visit.wait_for_manner("calm")
    for link, name in (
        ("[data-clip=before] a", "before.wav"),
        ("[data-clip=after] a", "after.wav"),
        ("#save-record", "edit.json"),
    ):
        with page.expect_download() as download:
            page.click(link)
        assert download.value.suggested_filename == name
    page.click("#keep")
    page.wait_for_selector("text=Kept under Compare: 1 of at most 12.")
    page.click("#compare-tab-button")
    assert f"robotutor, strength 1, guidance 1, seed {made['seed']}, " in page.inner_text("#takes .detail")


@pytest.mark.parametrize("visit", [PHONE], indirect=True)
def test_the_other_tabs_fit_a_phone(visit: Visit) -> None:
    page = visit.page
    page.click("#compare-tab-button")
    page.click("#run-speakers")
    page.wait_for_function("document.querySelectorAll('#compare-grid .take').length === 4")
    assert visit.sideways() <= 0
    first, second = (page.locator("#compare-grid .take").nth(place).bounding_box() for place in (0, 1))
    assert second["y"] > first["y"] and first["width"] > 300  # one under the other
    page.click("#about-tab-button")
    page.wait_for_selector("#about h2")
    page.locator("#about .figures button").first.click()
    assert visit.sideways() <= 0
    for place in (0, 1):
        page.locator("#about audio").nth(place).evaluate("(audio) => audio.play()")
        page.wait_for_function("(n) => document.querySelectorAll('#about audio')[n].currentTime > 0", arg=place)
    assert page.locator("#about audio").first.evaluate("(audio) => audio.paused")  # one at a time


def test_with_the_keyboard_alone(visit: Visit) -> None:
    """Tab reaches the controls in the order in which they are read; arrows choose, Enter and Space press."""
    page = visit.page
    holders = """() => { const all = []; for (let node = document.activeElement; node; node = node.parentElement)
                 if (node.id) all.push(node.id); return all; }"""
    order = [
        "edit-tab-button",
        "compare-tab-button",
        "source",
        "text",
        "voice",
        "style-source",
        "presets",
        "prompt",
        "edit",
    ]
    reached: list[str] = []
    while reached[-1:] != ["edit"]:
        page.keyboard.press("Tab")
        reached += [name for name in page.evaluate(holders) if name in order and name not in reached]
        assert page.evaluate("document.activeElement !== document.body"), reached
    assert reached == order
    page.keyboard.press("Enter")
    page.wait_for_selector("[data-clip=after]")
    for place in ("[data-action=flip]", "[data-clip=before] [data-action=seek]", "[data-clip=after] .play"):
        tab_to(page, place)
    page.keyboard.press("Space")
    page.wait_for_function("document.querySelector('[data-clip=after] audio').currentTime > 0")
    page.keyboard.press("Space")
    page.wait_for_function("document.querySelector('[data-clip=after] audio').paused")
    tab_to(page, "#download-all")
    tab_to(page, "#keep")
    page.keyboard.press("Enter")
    page.wait_for_selector("#settings-told p")
    tab_to(page, "#bridge [data-action=ask]")
    page.keyboard.press("Enter")
    page.wait_for_function("document.activeElement.dataset.action === 'stop'")  # the slider that took its place
    tab_to(page, "#compare-tab-button")
    page.keyboard.press("Enter")
    page.wait_for_selector("#takes .take")
    tab_to(page, "#kind input")
    for _ in ("Strength", "Seed", "Prompts"):
        page.keyboard.press("ArrowRight")
    tab_to(page, "#prompts textarea")
    page.keyboard.press("Control+A")
    page.keyboard.type("calm")
    tab_to(page, "#run-compare")
    page.keyboard.press("Enter")
    page.wait_for_selector("#compare-grid h3:has-text('calm')")
    tab_to(page, "#takes [data-action=remove]")
    page.keyboard.press("Enter")
    page.wait_for_selector("#takes .take", state="detached")
    tab_to(page, "#about-tab-button")
    page.keyboard.press("Enter")
    page.wait_for_selector("#about h2")
    tab_to(page, "#edit-tab-button")
    page.keyboard.press("Enter")
    tab_to(page, "#source input")
    page.keyboard.press("ArrowRight")
    page.wait_for_selector("#recording")


@pytest.mark.parametrize("stand_in", [DESK, PHONE], indirect=True, ids=["desk", "phone"])
def test_playing_switching_and_seeking(stand_in: Visit) -> None:
    page = stand_in.page
    stand_in.edit()
    heard = "(name) => document.querySelector(`[data-clip=${name}] audio`).currentTime > 0"
    page.click("[data-clip=before] .play")
    page.wait_for_function(heard, arg="before")
    page.click("[data-action=flip]")
    page.wait_for_function("() => document.querySelector('[data-clip=before] audio').paused")
    page.wait_for_function(heard, arg="after")
    assert page.inner_text("[data-flip-label]") == "Switch to before"
    page.eval_on_selector_all("#player audio", "(all) => all.forEach((audio) => audio.pause())")
    place = page.locator("[data-clip=after] input[type=range]")
    place.focus()
    page.keyboard.press("End")
    page.wait_for_function("() => { const a = document.querySelector('[data-clip=after] audio');"
                           " return Math.abs(a.currentTime - a.duration) < 0.1 }")  # fmt: skip


def test_the_other_clip_begins_at_the_same_moment_of_the_sentence(stand_in: Visit) -> None:
    """After is a quarter longer there."""
    page = stand_in.page
    stand_in.edit()
    page.evaluate("""() => {
      const [before, after] = document.querySelectorAll("#player audio");
      before.currentTime = 0.4 * before.duration;
      after.addEventListener("play", () => { window.begun = after.currentTime / after.duration; }, { once: true });
    }""")
    page.click("[data-action=flip]")
    page.wait_for_function("window.begun !== undefined")
    assert page.evaluate("begun") == pytest.approx(0.4, abs=0.03)
    lengths = page.eval_on_selector_all("#player audio", "(all) => all.map((audio) => audio.duration)")
    assert lengths[1] > 1.2 * lengths[0]


@pytest.mark.parametrize("visit", [DESK, PHONE], indirect=True, ids=["desk", "phone"])
def test_everything_is_downloaded_in_one_file(visit: Visit, tmp_path: Path) -> None:
    visit.edit()
    with visit.page.expect_download() as started:
        visit.page.click("#download-all")
    assert started.value.suggested_filename == "latent-edit.zip"
    started.value.save_as(tmp_path / "all.zip")
    with zipfile.ZipFile(tmp_path / "all.zip") as archive:
        assert {"before.wav", "after.wav", "z_text.png", "edit.json"} <= set(archive.namelist())
        assert archive.read("after.wav") == visit.fetch("[data-clip=after] audio", "src")


def test_walking_along_the_bridge_keeps_the_place_in_the_sentence(visit: Visit) -> None:
    page = visit.page
    visit.edit()
    page.click("#bridge [data-action=ask]")
    page.wait_for_function("[...document.querySelectorAll('#bridge audio')].every((audio) => audio.duration > 0)"
                           " && document.querySelectorAll('#bridge audio').length > 2")  # fmt: skip
    stops = page.locator("#bridge audio").count()
    assert page.inner_text("[data-stop]") == "Z\u2032"
    picture = page.get_attribute("#bridge img", "src")
    assert visit.fetch("#bridge audio:last-of-type", "src")[:4] == b"RIFF"
    page.eval_on_selector("#bridge .play", "(button) => { button.click(); button.click(); }")  # paused before it began
    page.click("#bridge .play")
    moving = "(index) => document.querySelectorAll('#bridge audio')[index].currentTime > 0.05"
    page.wait_for_function(moving, arg=stops - 1)
    page.focus("#bridge [data-action=stop]")
    page.keyboard.press("ArrowLeft")
    assert "Step" in page.inner_text("[data-stop]")
    assert page.get_attribute("#bridge img", "src") != picture
    page.wait_for_function(moving, arg=stops - 2)
    page.keyboard.press("Home")
    assert page.inner_text("[data-stop]") == "Z_text, re-timed"
    visit.edit()  # another edit: its own bridge has not been asked for
    page.wait_for_selector("#bridge [data-action=ask]")


@pytest.mark.parametrize("visit", [DESK, PHONE], indirect=True, ids=["desk", "phone"])
def test_other_ears_are_asked_only_on_demand(visit: Visit) -> None:
    page = visit.page
    visit.edit()
    assert page.locator(".judged dl").count() == 0
    page.click("#judged [data-action=ask]")
    page.wait_for_selector(".judged dl")
    heard = page.inner_text(".judged")
    for package, words in (("pocketsphinx", "Words heard before"), ("resemblyzer", "Same voice")):
        assert words in heard if find_spec(package) else f"{package} is not installed" in heard


def test_before_can_be_heard_while_the_bridge_works_and_cancelling_brings_back_what_was(
    chromium: Any, stand_in_address: str
) -> None:
    visit = Visit(chromium, stand_in_address, DESK)
    page = visit.page
    visit.edit()
    kept = page.get_attribute("[data-clip=after] audio", "src")
    assert not page.is_visible("#cancel")
    page.fill("#text textarea", "Something else is said now.")
    page.fill("#prompt textarea", LONG_WAIT)
    page.click("#edit")
    page.wait_for_selector(".to-come")
    page.wait_for_selector("#status:has-text('ampling the bridge')")
    assert page.locator("#heatmaps img").count() == 1
    assert page.locator("#player audio").count() == 1
    page.click("[data-clip=before] .play")
    page.wait_for_function("document.querySelector('[data-clip=before] audio').currentTime > 0")
    page.wait_for_selector("#cancel", state="visible")
    page.click("#cancel")
    page.wait_for_selector("[data-clip=after]")
    assert page.get_attribute("[data-clip=after] audio", "src") == kept
    page.wait_for_selector("#cancel", state="hidden")
    assert page.evaluate("document.activeElement.id") == "edit"  # not lost with the button that was pressed
    page.fill("#prompt textarea", "calm")
    visit.edit()
    visit.wait_for_manner("calm")
    visit.context.close()
    assert visit.problems == []


def test_what_was_comes_back_when_a_cancelled_edit_ends_before_gradio_gives_it_up(
    chromium: Any, stand_in_address: str
) -> None:
    visit = Visit(chromium, stand_in_address, DESK)
    page = visit.page
    visit.edit()
    page.fill("#prompt textarea", LONG_WAIT)
    with page.expect_request("**/queue/join*") as joined:
        page.click("#edit")
    page.wait_for_selector(".to-come")
    cancel = {"data": [], "session_hash": joined.value.post_data_json["session_hash"]}
    assert page.request.post(f"{stand_in_address}/gradio_api/run/cancel_edit", data=cancel).ok
    page.wait_for_selector("[data-clip=after]")
    page.wait_for_selector("#cancel", state="hidden")
    visit.context.close()
    assert visit.problems == []


def test_before_plays_on_when_after_arrives(stand_in: Visit) -> None:
    """After is louder here, so that both are turned down: before is another file then."""
    page = stand_in.page
    page.fill("#text textarea", "A sentence that is long enough for after to arrive while before is still heard.")
    page.fill("#prompt textarea", MOMENT)
    page.click("#edit")
    page.click("[data-clip=before] .play")
    page.wait_for_function("document.querySelector('[data-clip=before] audio').currentTime > 0.3")
    first = page.get_attribute("[data-clip=before] audio", "src")
    page.wait_for_selector("[data-clip=after] audio", state="attached")
    assert page.get_attribute("[data-clip=before] audio", "src") != first
    page.wait_for_function("document.querySelector('[data-clip=before] audio').currentTime > 1.5")
    assert not page.eval_on_selector("[data-clip=before] audio", "(audio) => audio.paused")


def test_a_comparison_grows_and_can_be_cancelled(stand_in: Visit) -> None:
    page = stand_in.page
    page.click("#compare-tab-button")
    page.click("#kind label:has-text('Prompts')")
    page.fill("#prompts textarea", f"calm\n{LONG_WAIT}\nsad")
    assert not page.is_visible("#cancel-compare")
    page.click("#run-compare")
    page.wait_for_function("document.querySelectorAll('#compare-grid .take').length === 2")
    page.click("#compare-grid .play")
    page.wait_for_function("document.querySelector('#compare-grid audio').currentTime > 0")
    page.click("#cancel-compare")
    page.wait_for_selector("#cancel-compare", state="hidden")
    assert page.evaluate("document.activeElement.id") == "run-compare"
    assert page.locator("#compare-grid h3").all_inner_texts() == ["Before", "calm"]
    page.fill("#prompts textarea", "calm\nsad")
    page.click("#run-compare")
    page.wait_for_function("document.querySelectorAll('#compare-grid .take').length === 3")


def test_the_way_along_the_bridge_can_be_cancelled(stand_in: Visit) -> None:
    page = stand_in.page
    page.fill("#prompt textarea", LONG_WALK)
    stand_in.edit()
    assert not page.is_visible("#cancel-bridge")
    page.click("#bridge [data-action=ask]")
    page.click("#cancel-bridge")
    page.wait_for_selector("#cancel-bridge", state="hidden")
    assert page.evaluate("document.activeElement.dataset.action") == "ask"
    page.fill("#prompt textarea", "calm")
    stand_in.edit()
    stand_in.wait_for_manner("calm")


def test_a_recording_chooses_the_nearest_voice(stand_in: Visit, tmp_path: Path) -> None:
    page = stand_in.page
    page.click("#source label:has-text('Your recording')")
    page.set_input_files("#recording input[type=file]", written_clip(tmp_path))
    page.wait_for_function("document.querySelector('#voice input').value === ''")  # it is being looked for
    page.wait_for_function("document.querySelector('#voice input').value === 'lj'")


def test_a_result_of_older_settings_says_so(stand_in: Visit) -> None:
    page = stand_in.page
    page.fill("#prompt textarea", "calm")
    assert page.query_selector("#stale p") is None  # nothing is shown yet
    stand_in.edit()
    page.fill("#prompt textarea", "sad and slow")
    page.wait_for_selector("#stale p:has-text('changed since this edit')")
    page.fill("#prompt textarea", "calm")
    page.wait_for_selector("#stale p", state="detached")
    page.click("#source label:has-text('Your recording')")
    page.wait_for_selector("#stale p")
    page.click("#source label:has-text('Sentence')")
    page.wait_for_selector("#stale p", state="detached")
    page.fill("#text textarea", "It rains.")
    page.wait_for_selector("#stale p")
    stand_in.edit()
    page.wait_for_selector("#stale p", state="detached")


def test_original_before_and_after_are_on_one_switch(stand_in: Visit, tmp_path: Path) -> None:
    page = stand_in.page
    page.click("#source label:has-text('Your recording')")
    page.set_input_files("#recording input[type=file]", written_clip(tmp_path))
    page.wait_for_function("document.querySelector('#voice input').value === 'lj'")
    stand_in.edit()
    titles = [node.inner_text() for node in page.query_selector_all(".listening label")]
    assert titles == ["Original", "Before", "After"]
    page.click("[data-clip=before] .play")
    page.wait_for_function("document.querySelector('[data-clip=before] audio').currentTime > 0.3")
    page.focus(".listening input:checked")
    assert page.evaluate("document.activeElement.value") == "before"
    moments = "[...document.querySelectorAll('#player audio')].map((audio) => audio.currentTime)"
    for key, playing in (("ArrowLeft", "original"), ("ArrowRight", "before"), ("ArrowRight", "after")):
        original, before, _ = page.evaluate(moments)
        page.keyboard.press(key)
        page.wait_for_function("(name) => !document.querySelector(`[data-clip=${name}] audio`).paused", arg=playing)
        now = page.evaluate(moments)
        heard = {"original": now[0], "before": now[1], "after": now[2] / 1.25}[playing]
        assert max(original, before) - 0.1 < heard < max(original, before) + 2.0  # the same moment, or a little later
        assert page.evaluate("[...document.querySelectorAll('#player audio')].filter((a) => !a.paused).length") == 1
    assert page.input_value(".listening input:checked") == "after"


def test_a_refused_file_changes_nothing_else(stand_in: Visit, tmp_path: Path) -> None:
    page = stand_in.page
    page.click("#source label:has-text('Your recording')")
    page.set_input_files("#recording input[type=file]", written_clip(tmp_path))
    page.wait_for_selector("#recording-note [role=status]:has-text('above the noise')")
    page.wait_for_function("document.querySelector('#voice input').value === 'lj'")
    text = tmp_path / "notes.wav"
    text.write_text("Dear all, here is the recording.")
    page.click("#recording [aria-label=Clear]")
    page.wait_for_selector("#recording-note p", state="detached")
    page.set_input_files("#recording input[type=file]", text)
    page.wait_for_selector("#recording-note [role=alert]:has-text('Cannot read notes.wav as audio')")
    page.wait_for_function("document.querySelector('#voice input').value === 'lj'")  # as before
    page.wait_for_selector("#recording input[type=file]", state="attached")  # ready for the next one
    assert page.query_selector_all(".error") == []


def test_a_film_of_a_telephone_is_taken_for_its_sound(stand_in: Visit, tmp_path: Path) -> None:
    """gradio's own upload takes no video/webm; and what the browser may not play is made a WAV."""
    av = pytest.importorskip("av")
    page, said = stand_in.page, written_clip(tmp_path)
    with av.open(str(said)) as source, av.open(str(tmp_path / "said.webm"), "w") as film:
        sound = film.add_stream("libopus", rate=48_000)
        resampler = av.AudioResampler("flt", "mono", 48_000, 960)
        frames = [part for frame in [*source.decode(audio=0), None] for part in resampler.resample(frame)]
        film.mux([packet for frame in [*frames, None] for packet in sound.encode(frame)])
    page.click("#source label:has-text('Your recording')")
    page.set_input_files("#recording input[type=file]", tmp_path / "said.webm")
    page.wait_for_selector("#recording-note [role=status]:has-text('above the noise')")
    page.wait_for_selector("#recording audio[src*='said.wav']", state="attached")


def test_a_sound_that_is_gone_says_so(chromium: Any, stand_in_address: str) -> None:
    visit = Visit(chromium, stand_in_address, DESK)
    page = visit.page
    visit.edit()
    page.click("#keep")
    page.click("#compare-tab-button")
    page.click("#takes .play")  # a copy of its own
    page.wait_for_function("document.querySelector('#takes audio').currentTime > 0")
    page.route("**/*guidance*.wav", lambda route: route.fulfill(status=404))
    page.click("#run-compare")
    page.click("#compare-grid .after .play")
    assert "no longer kept" in page.wait_for_selector(".expired").inner_text()
    assert all("404" in problem for problem in visit.problems)  # the browser's own line about it, and no script's
    visit.context.close()


def test_settings_opened_while_the_models_load_stay(chromium: Any, tmp_path: Path) -> None:
    from latent_edit.request import EditRequest

    record = tmp_path / "edit.json"
    record.write_text(
        json.dumps({"request": EditRequest("Nobody told me.", "lj", "calm").to_dict(), "provenance": {}}),
        encoding="utf-8",
    )
    loaded = threading.Event()

    def load() -> FakeEditor:
        assert loaded.wait(EDIT_SECONDS)
        return FakeEditor()

    with stand_in_page(load) as address:
        visit = Visit(chromium, address, DESK, loaded=False)
        visit.page.set_input_files("#settings input[type=file]", record)
        visit.page.wait_for_function("document.querySelector('#text textarea').value === 'Nobody told me.'")
        loaded.set()
        visit.page.wait_for_selector("#status p", state="detached")
        visit.wait_for_models()
        visit.edit()
        assert recorded_request(visit)["voice"] == "lj"
        assert visit.problems == []
        visit.context.close()


@pytest.mark.parametrize("stand_in", [PHONE], indirect=True)
def test_a_phone_shows_before_as_soon_as_it_is_there_and_plays_it(stand_in: Visit) -> None:
    page = stand_in.page
    page.fill("#prompt textarea", LONG_WAIT)
    page.click("#edit")
    page.wait_for_function(
        "() => { const clip = document.querySelector('[data-clip=before]')?.getBoundingClientRect();"
        " return clip && clip.top >= 0 && clip.bottom <= innerHeight; }"
    )
    page.click("[data-clip=before] .play")
    page.wait_for_function("document.querySelector('[data-clip=before] audio').currentTime > 0")
    page.click("#cancel")
    page.wait_for_selector("#cancel", state="hidden")
    page.fill("#prompt textarea", "calm")
    stand_in.edit()
    in_place = "Math.abs(document.querySelector('#player').getBoundingClientRect().top) < 5"
    page.wait_for_function(in_place)
    page.click("[data-clip=after] .play")
    page.wait_for_function("document.querySelector('[data-clip=after] audio').currentTime > 0")


def test_visitors_are_served_in_turn_see_their_place_and_their_own_results(
    chromium: Any, stand_in_address: str
) -> None:
    anna, ben = (Visit(chromium, stand_in_address, DESK) for _ in range(2))
    anna.page.fill("#prompt textarea", LONG_WAIT)
    anna.page.click("#edit")
    anna.page.wait_for_selector(".to-come")
    ben.page.fill("#prompt textarea", "calm")
    ben.page.click("#edit")
    ben.page.wait_for_function("/queue: 1\\/1/.test(document.querySelector('#status').innerText)")
    anna.page.click("#cancel")
    ben.page.wait_for_selector("[data-clip=after]")
    anna.page.fill("#prompt textarea", "sad")
    anna.edit()
    anna.wait_for_manner("sad")
    ben.wait_for_manner("calm")
    for visit, prompt in ((anna, "sad"), (ben, "calm")):
        with visit.page.expect_download() as started:
            visit.page.click("#download-all")
        with zipfile.ZipFile(started.value.path()) as archive:
            assert json.loads(archive.read("edit.json"))["request"]["prompt"] == prompt
        visit.context.close()
        assert visit.problems == []


def test_words_of_a_visitor_stay_words(stand_in: Visit) -> None:
    """gradio runs `${...}` in templates of its HTML component; nothing typed may get there."""
    hostile = "a `whisper` ${window.broken = 1} <img src=x onerror='window.broken = 1'> \\"
    stand_in.page.fill("#prompt textarea", hostile)
    stand_in.edit()
    assert stand_in.page.inner_text("[data-clip=after] .manner") == hostile
    assert stand_in.page.evaluate("window.broken") is None


def test_errors_are_messages_and_the_last_result_stays(visit: Visit) -> None:
    page = visit.page
    visit.edit()
    kept = page.get_attribute("[data-clip=after] audio", "src")
    page.fill("#text textarea", "   ")
    page.click("#edit")
    message = page.wait_for_selector(".toast-body")
    assert "The text is empty" in message.inner_text()
    page.wait_for_timeout(1500)  # what an error brings back comes a little later
    assert page.get_attribute("[data-clip=after] audio", "src") == kept
    assert page.locator(".measured tbody tr").count() == 10


def test_an_edit_that_fails_half_way_brings_back_what_was_shown(stand_in: Visit) -> None:
    page = stand_in.page
    page.fill("#prompt textarea", BROKEN)
    page.click("#edit")
    page.wait_for_selector(".toast-body")
    page.wait_for_selector(".nothing-yet")
    page.fill("#prompt textarea", "calm")
    stand_in.edit()
    kept = page.get_attribute("[data-clip=after] audio", "src")
    page.fill("#text textarea", "Something else is said now.")
    page.fill("#prompt textarea", BROKEN)
    page.click("#edit")
    page.wait_for_selector(".toast-body")
    page.wait_for_selector("[data-clip=after] audio", state="attached")
    assert page.get_attribute("[data-clip=after] audio", "src") == kept


def test_controls_stay_in_sight_while_results_scroll(stand_in: Visit) -> None:
    stand_in.edit()
    stand_in.page.evaluate("scrollTo(0, 600)")
    stand_in.page.wait_for_function("scrollY > 500")
    assert stand_in.page.evaluate("document.querySelector('#controls').getBoundingClientRect().top") >= 0


@pytest.mark.parametrize("stand_in", [PHONE], indirect=True)
def test_nothing_is_wider_than_a_phone(stand_in: Visit) -> None:
    assert stand_in.sideways() <= 0
    stand_in.page.click("#fine-tune > button")
    assert stand_in.sideways() <= 0
    stand_in.edit()
    assert stand_in.sideways() <= 0
    # At one instant, because the page scrolls to the result: one player under the other.
    edges = "(clips) => [clips[0].getBoundingClientRect().bottom, clips[1].getBoundingClientRect().top]"
    bottom, top = stand_in.page.eval_on_selector_all(".clip", edges)
    assert top >= bottom


@pytest.mark.parametrize("path", ["/etc/passwd", "app.py", "pyproject.toml", "checkpoints/manifest.json"])
def test_other_files_are_not_served(address: str, path: str) -> None:
    file = path if path.startswith("/") else ROOT / path
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(f"{address}/gradio_api/file={file}", timeout=60)
    assert caught.value.code in (403, 404)
