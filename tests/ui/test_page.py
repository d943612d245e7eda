"""The page as gradio sees it, and how it looks, without a browser."""

from __future__ import annotations

import dataclasses
import json
import math
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import gradio as gr
import pytest

from latent_edit.config import preset_prompts
from latent_edit.request import RANGES, EditRequest
from latent_edit.ui import look
from latent_edit.ui.about import FROM_README, THE_WEIGHTS, build_about, sections, sounds_value
from latent_edit.ui.comparing import SPEAKERS
from latent_edit.ui.controls import FIRST_PROMPT
from latent_edit.ui.loading import EditorLoader
from latent_edit.ui.page import build_page
from latent_edit.ui.settings import Settings

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def page() -> gr.Blocks:
    return build_page(EditorLoader(lambda: pytest.fail("building a page must not load models")), ["One.", "Two."])


def component(page: gr.Blocks, name: str) -> Any:
    return next(block for block in page.blocks.values() if getattr(block, "elem_id", None) == name)


def test_building_the_page_imports_no_model_library() -> None:
    code = (
        "import sys; from latent_edit.ui.page import build_page; from latent_edit.ui.loading import EditorLoader;"
        "build_page(EditorLoader(), ['One.']);"
        "print([name for name in ('torch', 'transformers', 'matplotlib', 'parselmouth') if name in sys.modules])"
    )
    shown = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "[]"


def test_gradio_writes_no_stubs_into_the_source() -> None:
    """It does for classes derived from its components, and type checkers then read the stub instead of the source."""
    assert list((ROOT / "latent_edit").rglob("*.pyi")) == []


def test_public_endpoints_are_named_and_described(page: gr.Blocks) -> None:
    endpoints = page.get_api_info()["named_endpoints"]
    about_one_edit = {"/edit", "/download", "/bridge", "/judge"}
    asked_before = {"/nearest_voice", "/voices", "/methods", "/open_record", "/read_prompt"}
    ended = {"/cancel_edit", "/cancel_bridge", "/cancel_compare"}
    assert set(endpoints) == about_one_edit | asked_before | ended | {"/compare"}
    assert all(endpoint["description"] for endpoint in endpoints.values())
    assert page.get_api_info()["unnamed_endpoints"] == {}
    parameters = [parameter["parameter_name"] for parameter in endpoints["/edit"]["parameters"]]
    assert parameters[:3] == ["text", "prompt", "voice"]
    assert "progress" not in parameters
    assert parameters == [field.name for field in dataclasses.fields(Settings)]
    compared = [parameter["parameter_name"] for parameter in endpoints["/compare"]["parameters"]]
    assert compared == [*parameters, "kind", "prompts"]


def test_what_has_no_endpoint_is_done_by_another_one_or_only_fills_the_page(page: gr.Blocks) -> None:
    private = {fn.fn.__name__ for fn in page.fns.values() if fn.fn and fn.api_visibility != "public"}
    on_arrival = {"take_clip", "take_reference", "voice_of", "follow", "read_prompt"}
    assert (
        private == {"choices", "compare", "open_link", "restore", "status"} | on_arrival
    )  # the reason stands beside each


def test_edit_is_the_first_tab_and_what_the_others_hold_waits(page: gr.Blocks) -> None:
    tabs = [block for block in page.blocks.values() if isinstance(block, gr.Tab)]
    assert [tab.label for tab in tabs] == ["Edit", "Compare", "About"]
    assert not any(tab.render_children for tab in tabs)
    for name in ("own-recording", "like-a-clip"):
        assert component(page, name).visible is False


def test_about_is_rendered_from_the_files_of_the_repository(page: gr.Blocks) -> None:
    shown = "\n".join(str(block.value) for block in page.blocks.values() if isinstance(block, gr.Markdown))
    readme, notice = sections(ROOT / "README.md"), (ROOT / "NOTICE.md").read_text(encoding="utf-8")
    for name in ("", *FROM_README):
        assert readme[name] in shown
    for credit in ("Mel Murphy", "CC BY 4.0", "CC0 1.0"):
        assert credit in notice
        assert credit in shown
    assert "<!--" not in shown
    assert "![" not in shown
    assert not re.search(r"\]\((?!https?:)", shown)  # links into the repository lead nowhere from the page


def test_about_shows_every_table_of_the_figures(tmp_path: Path) -> None:
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "checkpoints" / "README.md").write_text(
        "# F\n\nfirst\n\n## One\n\n| a |\n| - |\n| 7 |\n\n## Two\n\nx\n"
    )
    with gr.Blocks() as small:
        build_about(tmp_path)
    tables = {
        block.label: block.children[0].value for block in small.blocks.values() if isinstance(block, gr.Accordion)
    }
    assert tables == {THE_WEIGHTS: "first", "One": "| a |\n| - |\n| 7 |", "Two": "x"}


def test_about_lets_one_hear_what_samples_made(tmp_path: Path) -> None:
    assert sounds_value(tmp_path) is None
    rows = [
        {"voice": voice, "prompt": prompt, "file": f"{voice}{index}.mp3"}
        for voice in ("anna", "ben")
        for index, prompt in enumerate((None, "calm"))
    ]
    (tmp_path / "sounds.json").write_text(json.dumps({"text": "Oh.", "sounds": rows}))
    value: Any = sounds_value(tmp_path)
    assert value["text"] == "Oh."
    assert [voice["name"] for voice in value["voices"]] == ["anna", "ben"]
    assert [sound["label"] for sound in value["voices"][1]["sounds"]] == ["ben, the plain reading", "ben, calm"]
    assert value["voices"][0]["sounds"][1]["audio"]["path"] == str(tmp_path / "anna1.mp3")


def test_controls_start_at_the_defaults_of_a_request_and_allow_its_ranges(page: gr.Blocks) -> None:
    for name in ("strength", "guidance", "steps"):
        slider = component(page, name)
        assert (slider.minimum, slider.maximum) == RANGES[name]
        assert slider.value == getattr(EditRequest, name)
    assert component(page, "seed").value == EditRequest.seed
    assert FIRST_PROMPT in preset_prompts()


def test_nothing_is_kept_or_reported(page: gr.Blocks) -> None:
    assert page.analytics_enabled is False
    assert page.delete_cache == (3600, 3600)
    states = [block for block in page.blocks.values() if isinstance(block, gr.State)]
    # A visitor's own result, and what the button of the speaker grid asks for.
    assert [(state.value, state.time_to_live) for state in states] == [(None, 3600), (SPEAKERS, math.inf)]


def test_the_look_asks_no_other_host() -> None:
    theme = look.theme()
    css = theme._get_theme_css() + look.stylesheet()
    addresses = re.findall(r"url\(\s*[\"']?(.{5})", css)
    assert set(addresses) == {"data:"}  # gradio's own tick marks
    assert "@import" not in css
    assert theme._stylesheets == []
    assert "http" not in look.HEAD


def luminance(colour: str) -> float:
    """Relative luminance of #rrggbb (WCAG 2.2)."""
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_text_is_legible(scheme: int) -> None:
    colour = {name: shades[scheme] for name, shades in look.PALETTE.items()}
    for text in ("ink", "quiet", "before", "after"):
        for ground in ("paper", "card", "tint"):
            assert contrast(colour[text], colour[ground]) >= 4.5, (text, ground)
    assert contrast(colour["on-accent"], colour["after"]) >= 4.5
    for ground in ("paper", "card"):
        assert contrast(colour["edge"], colour[ground]) >= 3.0, ground  # borders of what can be operated
