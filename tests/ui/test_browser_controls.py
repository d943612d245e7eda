"""Every control that the page has, used with the mouse on a desk and on a phone, over the stand-in."""

from __future__ import annotations

from typing import Any

import pytest
from visits import DESK, PHONE, Visit, recorded_request

from latent_edit.request import RANGES

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
    sounds.first.wait_for()
    assert sounds.count() > 10
    assert figures.count() > 2
    for sound in sounds.all():
        sound.click(position={"x": 20, "y": 20})
        page.wait_for_function("(audio) => audio.currentTime > 0 && !audio.paused", arg=sound.element_handle())
    assert page.locator("#about audio").evaluate_all("(all) => all.filter((one) => !one.paused).length") <= 1
    for figure in figures.all():
        table = figure.locator("tbody")
        figure.locator("button").click()
        table.wait_for()
        assert table.locator("tr").count() > 2
        assert stand_in.sideways() <= 0
        figure.locator("button").click()
        table.wait_for(state="hidden")
