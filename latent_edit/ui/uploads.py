"""A clip that arrives: checked at once, and what is to be known about it said where it stands.

A clip that is refused leaves its control empty and changes nothing else: the voice that was chosen stays.
"""

from __future__ import annotations

import html
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr

from latent_edit import audio
from latent_edit.errors import InputError
from latent_edit.ui.settings import NO_RECORDING, given

if TYPE_CHECKING:
    from latent_edit.ui.actions import Actions
    from latent_edit.ui.controls import Controls

LARGEST_CLIP_MB = 10
PLAYED_RATE = 48_000  # of what is converted so that every browser plays it
CHECKING = '<p role="status">Looking at the clip</p>'
EDITS = "edits"  # as in `results`: whatever computes shares one place in the queue
NEAREST_DESCRIPTION = "The voice that says a recording (a sound file of up to 30 s) again with the least change."
# Kept in the browser, because an edit before the answer must not take the voice of the recording before.
REMEMBER = "(voice) => { if (voice) window.voiceBefore = voice; return null; }"
WITH_VOICE = "(clip) => [clip, window.voiceBefore ?? null]"


def take_clip(clip: str | None, voice: str | None = None) -> tuple[Any, str, str | None]:
    """What is to stand in the control, the note about it in HTML, and the voice.

    A clip that can stay as it is is not set again: somebody may have cleared it in the meantime. The voice is None for
    a new clip, which has yet to find its own, and stays as it was when the clip is refused.
    """
    path = given(clip, NO_RECORDING)
    try:
        played, note = _checked(path)
    except InputError as error:
        return None, _refusal(error, path), voice
    return gr.skip() if played == path else str(played), note, None


def take_reference(clip: str | None) -> tuple[Any, str]:
    """`take_clip` for a clip that lends its manner, which has no voice to find."""
    return take_clip(clip)[:2]


def _checked(path: Path) -> tuple[Path, str]:
    """A file that every browser plays, and the note. Raises InputError."""
    from latent_edit.recording import Quality, quality

    size = path.stat().st_size / 1e6
    if size > LARGEST_CLIP_MB:
        raise InputError(
            f"{path} has {size:.0f} MB; the limit is {LARGEST_CLIP_MB}. Cut it to 30 seconds, or save it as MP3 or M4A"
        )
    samples = audio.read_audio(path, PLAYED_RATE)
    measured: Quality = quality(samples, PLAYED_RATE)
    measured.check(path)
    if path.suffix.lower() not in audio.PLAYED_EVERYWHERE:
        path = path.with_suffix(".wav")  # beside it in gradio's cache, and deleted with it
        audio.write_wav(path, samples, PLAYED_RATE, audio.shared_gain(samples))
    told = f"{samples.size / PLAYED_RATE:.1f} s; speech stands about {measured.snr_db:.0f} dB above the noise."
    if measured.notes:
        return path, "".join(f'<p role="status" class="attention">{html.escape(note)}</p>' for note in measured.notes)
    return path, f'<p role="status">{told}</p>'


def _refusal(error: InputError, path: Path) -> str:
    """An error about a visitor's file, with the visitor's own name of it."""
    message = html.escape(str(error).replace(str(path), path.name), quote=False)
    return f'<p role="alert" class="attention">{message[:1].upper()}{message[1:]}.</p>'


def connect_uploads(controls: Controls, actions: Actions) -> None:
    """What happens when a clip is uploaded, recorded or cleared."""
    quietly: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
    options: dict[str, Any] = {"concurrency_limit": None, "trigger_mode": "always_last", **quietly}
    for clip, note in ((controls.recording, controls.recording_note), (controls.reference, controls.reference_note)):
        for events, told in (([clip.upload, clip.stop_recording], CHECKING), ([clip.clear], "")):
            gr.on(events, None, None, note, js=f"() => `{told}`", api_visibility="private")
    recording, reference, voice = controls.recording, controls.reference, controls.voice
    arrived = [recording.upload, recording.stop_recording]
    gr.on(arrived, None, voice, voice, js=REMEMBER, api_visibility="private")
    taken = gr.on(
        arrived, take_clip, [recording, voice], [recording, controls.recording_note, voice], js=WITH_VOICE, **options
    )
    taken.then(actions.voice_of, [recording, voice], voice, concurrency_limit=1, concurrency_id=EDITS, **quietly)
    gr.on(
        [reference.upload, reference.stop_recording], take_reference, reference, [reference, controls.reference_note],
        **options,
    )  # fmt: skip
    # No part of the page asks for it by itself: programs do.
    gr.on(
        [], actions.nearest_voice, recording, voice, api_name="nearest_voice", api_description=NEAREST_DESCRIPTION,
        concurrency_limit=1, concurrency_id=EDITS,
    )  # fmt: skip
