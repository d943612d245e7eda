"""What a visitor sets: the sentence, the voice, how it should sound, and the finer settings."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import gradio as gr
from gradio.components import Component

from latent_edit.audio import FORMATS
from latent_edit.config import preset_prompts
from latent_edit.manners import PROMPTS
from latent_edit.request import RANGES, EditRequest
from latent_edit.ui.loading import EditorLoader
from latent_edit.ui.marked_words import build_marked_words
from latent_edit.ui.parts import chips, static
from latent_edit.ui.prompt_panel import build_prompt_panel
from latent_edit.ui.settings import (
    A_RECORDING,
    A_SENTENCE,
    IN_WORDS,
    LIKE_A_CLIP,
    PACE_BY_HAND,
    PACE_FROM_STYLE,
)
from latent_edit.ui.uploads import LARGEST_CLIP_MB
from latent_edit.ui.words_read import build_words_read

if TYPE_CHECKING:
    from latent_edit.ui.actions import Actions

FIRST_PROMPT = "an angry shout"
LIMITS = f"Up to 30 seconds and {LARGEST_CLIP_MB} MB: {FORMATS}; of a film its sound."
RECORDING_REMARK = f"""{LIMITS} The nearest of our voices says it again, or the one you choose below: an unknown speaker
becomes that voice. Without a transcript, a change of pace stretches all of it alike."""
CLIP_REMARK = f"Somebody who sounds that way. The clip lends its manner, not its voice or its microphone. {LIMITS}"
LARGEST_SEED = 2**31 - 1  # of the dice; a browser's numbers are exact far beyond it


@dataclass(frozen=True)
class Controls:
    """The components, in the order in which `Actions.edit` takes their values."""

    text: gr.Textbox
    prompt: gr.Textbox
    voice: gr.Dropdown
    decode_voice: gr.Dropdown
    method: gr.Dropdown
    strength: gr.Slider
    guidance: gr.Slider
    steps: gr.Slider
    pace_source: gr.HTML
    pace: gr.Slider
    seed: gr.Number
    source: gr.HTML
    recording: gr.Audio
    style_source: gr.HTML
    reference: gr.Audio
    axes: gr.HTML
    words: gr.HTML
    recording_note: gr.HTML
    reference_note: gr.HTML

    def inputs(self) -> list[Component]:
        """What an edit takes, in order: all but the notes."""
        return [getattr(self, name) for name in self.__dataclass_fields__ if not name.endswith("_note")]


def build_controls(
    examples: list[str], status: str, loader: EditorLoader, actions: Actions
) -> tuple[Controls, gr.Button, gr.Button, gr.HTML]:
    """Draw the controls, the button, the one that cancels, and the status under them (at first `status`)."""
    source, text, words, recording, recording_note = _source(examples, loader)
    voice = _late_dropdown("Voice", "voice", [], None)
    style_source, prompt, reference, reference_note = _style()
    axes = build_prompt_panel(prompt, actions)
    strength = _slider("strength", "Strength", "How far to go: 1 is the full edit", EditRequest.strength, 0.05)
    with gr.Row(elem_id="go"):
        button = gr.Button("Change how it sounds", variant="primary", size="lg", elem_id="edit")
        cancel = gr.Button("Cancel", size="lg", elem_id="cancel", elem_classes="cancel", min_width=96)
    status_line = static(status, "status", "working")
    with gr.Accordion("Fine-tune", open=False, elem_id="fine-tune"):
        pace_source, pace = _pace()
        guidance = _slider("guidance", "Guidance", "How hard to follow your words", EditRequest.guidance, 0.1)
        steps = _slider("steps", "Steps", "More are finer and slower", EditRequest.steps, 1, precision=0)
        seed = _seed()
        decode_voice = _late_dropdown(
            "Speak with", "decode-voice", same_and_others([]), "", info="Another voice for the decoder alone"
        )
        method = _late_dropdown("Method", "method", [EditRequest.method], EditRequest.method, visible=False)
    controls = Controls(
        text, prompt, voice, decode_voice, method, strength, guidance, steps, pace_source, pace, seed,
        source, recording, style_source, reference, axes, words, recording_note, reference_note,
    )  # fmt: skip
    return controls, button, cancel, status_line


def _late_dropdown(label: str, elem_id: str, choices: Sequence[Any], value: str | None, **options: Any) -> gr.Dropdown:
    """A dropdown whose further choices arrive with the models.

    Custom values are allowed, because a client that never opened the page would be checked against an empty list; the
    editor judges the value and names the known ones.
    """
    return gr.Dropdown(choices, value=value, label=label, allow_custom_value=True, elem_id=elem_id, **options)


def same_and_others(voices: list[str]) -> list[tuple[str, str]]:
    """Choices of the decoder's voice; the empty value stands for `EditRequest.decode_voice` None."""
    return [("The same voice", ""), *((voice, voice) for voice in voices)]


def _slider(name: str, label: str, info: str, value: float, step: float, **options: Any) -> gr.Slider:
    """A slider over the range that the request allows."""
    low, high = RANGES[name]
    return gr.Slider(low, high, value, step=step, label=label, info=info, elem_id=name, **options)


def _source(examples: list[str], loader: EditorLoader) -> tuple[gr.HTML, gr.Textbox, gr.HTML, gr.Audio, gr.HTML]:
    """What to say: a sentence, or a recording of somebody saying it."""
    source = chips([A_SENTENCE, A_RECORDING], A_SENTENCE, "What to say", "source", "switch")
    with gr.Column(elem_id="sentence") as sentence:
        text = _sentence(examples)
        build_words_read(text, loader)
        words = build_marked_words(text, examples[0], loader)
    with gr.Column(elem_id="own-recording", visible=False) as own_recording:
        recording, note = _clip("Your recording", "recording", RECORDING_REMARK)
    show_chosen(source, {A_SENTENCE: sentence, A_RECORDING: own_recording})
    return source, text, words, recording, note


def _style() -> tuple[gr.HTML, gr.Textbox, gr.Audio, gr.HTML]:
    """How it should sound: words, or a clip that sounds that way."""
    source = chips([IN_WORDS, LIKE_A_CLIP], IN_WORDS, "How should it sound?", "style-source", "switch titled")
    with gr.Column(elem_id="words") as words:
        prompt = _style_prompt()
    with gr.Column(elem_id="like-a-clip", visible=False) as like_a_clip:
        reference, note = _clip("A clip that sounds that way", "reference", CLIP_REMARK)
    show_chosen(source, {IN_WORDS: words, LIKE_A_CLIP: like_a_clip})
    return source, prompt, reference, note


def _clip(label: str, elem_id: str, remark: str) -> tuple[gr.Audio, gr.HTML]:
    """Upload or microphone, the note about the clip that is there, and what to know about such clips."""
    clip = gr.Audio(
        sources=["upload", "microphone"], type="filepath", label=label, show_label=False, elem_id=elem_id,
        elem_classes="own-clip", buttons=[],
        waveform_options=gr.WaveformOptions(show_recording_waveform=False),  # a player like every other of the page
    )  # fmt: skip
    note = static("", f"{elem_id}-note", "clip-note")
    static(f'<p class="remark">{remark}</p>', f"{elem_id}-remark")
    return clip, note


def show_chosen(choice: gr.HTML, parts: dict[str, Any]) -> None:
    """Show only the part that belongs to the chosen word. In the browser: it works while the models load."""
    updates = f"{json.dumps(list(parts))}.map((name) => ({{ __type__: 'update', visible: name === chosen }}))"
    if len(parts) == 1:
        updates += "[0]"
    choice.change(None, choice, list(parts.values()), js=f"(chosen) => {updates}", api_visibility="private")


def _sentence(examples: list[str]) -> gr.Textbox:
    """The text, which starts with the first example, and a button that puts the next one in."""
    another = gr.Button("Another example", size="sm", elem_id="another-example", elem_classes="quiet")  # stands above
    text = gr.Textbox(
        examples[0], label="Sentence", show_label=False, lines=2, max_lines=8, elem_id="text",
        placeholder="Write what to say",
    )  # fmt: skip
    # The browser holds the list, so no request is needed.
    following = f"(text) => {{ const all = {json.dumps(examples)}; return all[(all.indexOf(text) + 1) % all.length]; }}"
    another.click(None, text, text, js=following, api_visibility="private")
    return text


def _style_prompt() -> gr.Textbox:
    """Free text, and presets and emotions as chips that fill it in; a chip is marked while its words stand there."""
    presets = [*preset_prompts(), *PROMPTS]
    preset = chips(presets, FIRST_PROMPT, "Examples", "presets", "untitled")
    prompt = gr.Textbox(
        FIRST_PROMPT, label="In your own words", show_label=False, lines=1, max_lines=3, elem_id="prompt",
        placeholder="a tired whisper, very proud, like a newsreader ...",
    )  # fmt: skip
    preset.input(None, preset, prompt, js="(preset) => preset", api_visibility="private")
    typed = "prompt.trim().toLowerCase()"
    marked = f"(prompt) => {json.dumps(presets)}.find((preset) => preset === {typed}) ?? ''"
    prompt.change(None, prompt, preset, js=marked, api_visibility="private")
    return prompt


def _pace() -> tuple[gr.HTML, gr.Slider]:
    """Pace as the style wants it, or a factor on all durations, which is shown only when it counts."""
    source = chips([PACE_FROM_STYLE, PACE_BY_HAND], PACE_FROM_STYLE, "Pace", "pace-source")
    factor = _slider("pace", "Duration", "0.5 is twice as fast, 2 half as fast", 1.0, 0.05, visible=False)
    show_chosen(source, {PACE_BY_HAND: factor})
    return source, factor


def _seed() -> gr.Number:
    """The seed and its dice: the same seed and settings give the same sound."""
    with gr.Row(elem_id="seed-row"):
        seed = gr.Number(EditRequest.seed, label="Seed", precision=0, minimum=0, elem_id="seed", min_width=120)
        dice = gr.Button("Roll the dice", size="sm", elem_id="dice", elem_classes="quiet", min_width=120)
    dice.click(None, None, seed, js=f"() => Math.floor(Math.random() * {LARGEST_SEED})", api_visibility="private")
    return seed
