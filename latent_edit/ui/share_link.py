"""Settings that outlive a visit: in the edit.json of an edit, and in a link. The server keeps neither."""

from __future__ import annotations

import dataclasses
import html
import json
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

import gradio as gr

from latent_edit.errors import InputError
from latent_edit.request import EditRequest, check_number, checked_axes, choose, parse_words, read_record, record_notes
from latent_edit.ui.actions import Actions, page_errors
from latent_edit.ui.controls import Controls
from latent_edit.ui.marked_words import marked_value, words_as_read
from latent_edit.ui.results import Results
from latent_edit.ui.settings import A_RECORDING, CHOICES, LIKE_A_CLIP, Settings, given, opening_voice

if TYPE_CHECKING:
    from latent_edit.editor import LatentEditor

# What a link carries, under the names of the controls; clips are files and stay where they are.
LINKED = (
    "text", "prompt", "voice", "decode_voice", "method", "strength", "guidance", "steps", "pace_source", "pace", "seed",
    "source", "style_source", "axes", "words",
)  # fmt: skip
NUMBERS = ("strength", "guidance", "steps", "pace", "seed")
UNTIL_LOADED = ("voice", "method")  # empty in a link that was copied while the models were loading
DESCRIPTION = """The settings in an edit.json (`record`), in the order in which `/edit` takes them.

Clips are no part of the file, so `recording` and `reference` are null: where `source` or `style_source` says that one
was used, give it again."""
NAMES = f"const NAMES = {json.dumps(LINKED)};"
# The address bar always works; the clipboard only where the browser allows it. Of the axes, what is set by hand.
WRITE_LINK = f"""(...values) => {{
  {NAMES}
  const url = new URL(location.href);
  NAMES.forEach((name, index) => url.searchParams.set(name, values[index] ?? ""));
  const set = values[NAMES.indexOf("axes")]?.set ?? {{}};
  const marked = values[NAMES.indexOf("words")]?.marked ?? "";
  ["axes", "words"].forEach((name) => url.searchParams.delete(name));
  if (marked) url.searchParams.set("words", marked);
  if (Object.keys(set).length) url.searchParams.set("axes", JSON.stringify(set));
  history.replaceState(null, "", url);
  const shown = (words) => `<p role="status">${{words}}</p>`;
  const here = shown("The address of this page now carries the settings.");
  if (!navigator.clipboard) return here;
  return navigator.clipboard.writeText(url.href).then(() => shown("Link copied."), () => here);
}}"""
READ_LINK = f"""() => {{
  {NAMES}
  const given = new URLSearchParams(location.search);
  return NAMES.some((name) => given.has(name)) ? location.search : "";
}}"""
# The edit of the link is made as if one had pressed the button, unless a clip has to be given first.
ARRIVE = f"""(source, style) => {{
  if (source === {json.dumps(A_RECORDING)} || style === {json.dumps(LIKE_A_CLIP)}) return [];
  window.playOnArrival = true;
  document.querySelector("#edit").click();
  return [];
}}"""


def connect_share_link(results: Results, controls: Controls, actions: Actions) -> None:
    """Copy a link to the settings, and open those of an edit.json."""
    linked = [getattr(controls, name) for name in LINKED]
    results.link.click(None, linked, results.told, js=WRITE_LINK, api_visibility="private")

    def open_file(record: str | None) -> tuple[Any, ...]:
        return open_record(record, actions)

    # Queued, because gradio shows no message of anything else; it waits for nobody.
    results.record.upload(
        open_file, results.record, controls.inputs(), concurrency_limit=None, show_progress="hidden",
        api_name="open_record", api_description=DESCRIPTION,
    )  # fmt: skip


def open_on_arrival(
    loaded: gr.events.Dependency, edited: gr.events.Dependency, controls: Controls, actions: Actions
) -> None:
    """When the models are there, open the link that led to this page and make its edit."""
    link = gr.Textbox("", visible="hidden")
    loaded.then(None, None, link, js=READ_LINK, api_visibility="private")

    def open_link(query: str, *values: Any) -> tuple[Any, ...]:
        with page_errors():
            settings = linked_settings(query, Settings(*values), actions.editor())
        warn_of_clips(settings)
        return dataclasses.astuple(with_panel(settings, actions))

    # No endpoint: a program has the values that a link carries. Queued as above; visitors without a link do not ask.
    opened = link.change(
        open_link, [link, *controls.inputs()], controls.inputs(), concurrency_limit=None, show_progress="hidden",
        api_visibility="private",
    )  # fmt: skip
    opened.success(None, [controls.source, controls.style_source], None, js=ARRIVE, api_visibility="private")
    edited.then(None, None, None, js="() => { window.playOnArrival = false; return []; }", api_visibility="private")


def linked_settings(query: str, shown: Settings, editor: LatentEditor) -> Settings:
    """What a link asks for, and for the rest what is shown. Raises InputError naming what is wrong with it."""
    try:
        values = {
            name: _value(name, text)
            for name, text in parse_qsl(query.removeprefix("?"), keep_blank_values=True)
            if name in LINKED and (text or name not in UNTIL_LOADED)
        }
        settings = dataclasses.replace(shown, **values)
        chosen = (settings.words or {}).get("marked") or ""
        read = words_as_read(settings.text, editor.reads_english)
        if (words := parse_words(chosen)) and words[1] > len(read):
            raise InputError(f"it marks words {chosen} of a text with {len(read)} words")
        settings = dataclasses.replace(settings, words={"words": read, "marked": chosen})
        # The rest is what every edit is asked; clips are to be given later.
        voice = settings.voice or opening_voice(editor.voices)
        request = dataclasses.replace(settings, voice=voice, recording="later", reference="later").request(editor)
        choose("voice", request.voice, editor.voices)
        choose("voice", request.decode_voice or request.voice, editor.voices)
        choose("method", request.method, editor.methods)
    except InputError as error:
        raise InputError(f"this link is wrong, and nothing was changed: {error}") from None
    return settings


def _value(name: str, text: str) -> Any:
    """A value of a link as its control has it. Raises InputError."""
    if name in CHOICES:
        return choose(name, text, CHOICES[name])
    if name == "axes":
        return {"set": checked_axes(_parsed(text)) or {}}
    if name == "words":
        return {"marked": marked_value(parse_words(text))}
    if name in NUMBERS:
        number = _parsed(text)
        check_number(name, number)
        return number
    return text


def _parsed(text: str) -> Any:
    """A number, or values by name; the text itself where it is neither."""
    try:
        parsed = json.loads(text)
    except ValueError:
        return text
    return text if parsed is None else parsed


def open_record(record: str | None, actions: Actions) -> tuple[Any, ...]:
    """Values for all controls from an edit.json; says what the file could not bring along."""
    with page_errors(record):
        path = given(record, "there is no file; give an edit.json")
        request = EditRequest.from_json(path)
        for note in record_notes(read_record(path)):
            gr.Warning(note)
    settings = Settings.of(request, actions.reads_english)
    warn_of_clips(settings)
    without = ("prior_noise", "duration_noise", "correction")
    hidden = [name for name in without if getattr(request, name) != getattr(EditRequest, name)]
    if hidden:
        gr.Warning(
            f"The page has no control for {' and '.join(hidden)}, and uses the default. To make exactly this edit: "
            "python -m latent_edit edit --repeat edit.json --out FOLDER."
        )
    return dataclasses.astuple(with_panel(settings, actions))


def warn_of_clips(settings: Settings) -> None:
    """Say which clips are to be given again: they are files, which neither a link nor an edit.json brings."""
    used = {"recording": settings.source == A_RECORDING, "reference": settings.style_source == LIKE_A_CLIP}
    clips = [name for name, is_used in used.items() if is_used]
    if clips:
        then = f", then choose {html.escape(settings.voice or '')} again" if used["recording"] else ""
        gr.Warning(f"This edit used a {' and a '.join(clips)} clip. A clip is a file of its own: give it again{then}.")


def with_panel(settings: Settings, actions: Actions) -> Settings:
    """With what the prompt panel shows of them: the reading of their prompt, and what is set by hand."""
    by_hand = (settings.axes or {}).get("set") or {}
    return dataclasses.replace(settings, axes={**actions.read_prompt(settings.prompt), "set": by_hand})
