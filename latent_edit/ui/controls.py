"""What a visitor sets: the sentence, the voice, how it should sound, and the finer settings."""

from __future__ import annotations

import json
from dataclasses import dataclass

import gradio as gr
from gradio.components import Component

from latent_edit.config import preset_prompts
from latent_edit.request import RANGES, EditRequest
from latent_edit.ui.chips import NONE_CHOSEN, Chips

PACE_FROM_STYLE, PACE_BY_HAND = "From the style", "By hand"
FIRST_PROMPT = "an angry shout"
LARGEST_SEED = 2**31 - 1  # of the dice; a browser's numbers are exact far beyond it


class LateDropdown(gr.Dropdown):
    """A dropdown whose choices arrive with the models; the editor itself judges the value and names the known ones."""

    is_template = True  # the browser draws it as an ordinary dropdown

    def preprocess(self, payload: str | None) -> str | None:  # type: ignore[override]
        """Pass on what was sent: clients that never opened the page would be checked against an empty list."""
        return payload


@dataclass(frozen=True)
class Controls:
    """The components, in the order in which `Actions.edit` takes their values."""

    text: gr.Textbox
    prompt: gr.Textbox
    voice: LateDropdown
    decode_voice: LateDropdown
    method: LateDropdown
    strength: gr.Slider
    guidance: gr.Slider
    steps: gr.Slider
    pace_source: Chips
    pace: gr.Slider
    seed: gr.Number

    def inputs(self) -> list[Component]:
        """All components, in order."""
        return [getattr(self, name) for name in self.__dataclass_fields__]


def build_controls(examples: list[str], status: str) -> tuple[Controls, gr.Button, gr.HTML]:
    """Draw the controls, the button and the status under it (at first `status`), and connect what needs no server."""
    text = _sentence(examples)
    voice = LateDropdown([], value=None, label="Voice", interactive=True, elem_id="voice")
    prompt = _style_prompt()
    button = gr.Button("Change how it sounds", variant="primary", size="lg", elem_id="edit")
    status_line = gr.HTML(status, js_on_load=None, apply_default_css=False, elem_id="status")
    strength = _slider("strength", "Strength", "0 changes nothing, 1 is the full edit", EditRequest.strength, 0.05)
    with gr.Accordion("Fine-tune", open=False, elem_id="fine-tune"):
        pace_source, pace = _pace()
        guidance = _slider("guidance", "Guidance", "How hard to follow your words", EditRequest.guidance, 0.1)
        steps = _slider("steps", "Steps", "More are finer and slower", EditRequest.steps, 1, precision=0)
        seed = _seed()
        decode_voice = LateDropdown(
            same_and_others([]), value="", label="Speak with", interactive=True, elem_id="decode-voice",
            info="Another voice for the decoder alone",
        )  # fmt: skip
        method = LateDropdown([], value=None, label="Method", visible=False, interactive=True, elem_id="method")
    controls = Controls(text, prompt, voice, decode_voice, method, strength, guidance, steps, pace_source, pace, seed)
    return controls, button, status_line


def same_and_others(voices: list[str]) -> list[tuple[str, str]]:
    """Choices of the decoder's voice; the empty value stands for `EditRequest.decode_voice` None."""
    return [("The same voice", ""), *((voice, voice) for voice in voices)]


def _slider(name: str, label: str, info: str, value: float, step: float, **options: object) -> gr.Slider:
    """A slider over the range that the request allows."""
    low, high = RANGES[name]
    return gr.Slider(low, high, value, step=step, label=label, info=info, elem_id=name, **options)


def _sentence(examples: list[str]) -> gr.Textbox:
    """The text, which starts with the first example, and a button that puts the next one in."""
    with gr.Column(elem_id="sentence"):
        text = gr.Textbox(
            examples[0], label="Sentence", lines=2, max_lines=8, elem_id="text", placeholder="Write what to say"
        )
        another = gr.Button("Another example", size="sm", elem_id="another-example", elem_classes="quiet")
    # The browser holds the list, so no request is needed.
    following = f"(text) => {{ const all = {json.dumps(examples)}; return all[(all.indexOf(text) + 1) % all.length]; }}"
    another.click(None, text, text, js=following, api_visibility="private")
    return text


def _style_prompt() -> gr.Textbox:
    """Free text, and the presets as chips that fill it in; a chip stays marked only while its words stand there."""
    presets = preset_prompts()
    chips = Chips(presets, FIRST_PROMPT, label="How should it sound?", elem_id="presets")
    prompt = gr.Textbox(
        FIRST_PROMPT, label="In your own words", lines=1, max_lines=3, elem_id="prompt",
        placeholder="a tired whisper, very proud, like a newsreader ...",
    )  # fmt: skip
    chips.input(None, chips, prompt, js="(preset) => preset", api_visibility="private")
    marked = f"(prompt) => {json.dumps(presets)}.find((preset) => preset === prompt.trim().toLowerCase()) ?? {json.dumps(NONE_CHOSEN)}"
    prompt.input(None, prompt, chips, js=marked, api_visibility="private")
    return prompt


def _pace() -> tuple[Chips, gr.Slider]:
    """Pace as the style wants it, or a factor on all durations, which is shown only when it counts."""
    source = Chips([PACE_FROM_STYLE, PACE_BY_HAND], PACE_FROM_STYLE, label="Pace", elem_id="pace-source")
    factor = _slider("pace", "Duration", "0.5 is twice as fast, 2 half as fast", 1.0, 0.05, visible=False)
    source.input(
        lambda chosen: gr.update(visible=chosen == PACE_BY_HAND), source, factor,
        queue=False, show_progress="hidden", api_visibility="private",
    )  # fmt: skip
    return source, factor


def _seed() -> gr.Number:
    """The seed and its dice: the same seed and settings give the same sound."""
    with gr.Row(elem_id="seed-row"):
        seed = gr.Number(EditRequest.seed, label="Seed", precision=0, minimum=0, elem_id="seed", min_width=120)
        dice = gr.Button("Roll the dice", size="sm", elem_id="dice", elem_classes="quiet", min_width=120)
    dice.click(None, None, seed, js=f"() => Math.floor(Math.random() * {LARGEST_SEED})", api_visibility="private")
    return seed
