"""Clips of a study from its conditions: by the editor, by WORLD, from folders of any origin, and low-pass anchors."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from latent_edit import audio
from latent_edit.errors import InputError
from latent_edit.listening.clips import MOST_SECONDS, Clip, write_clips
from latent_edit.listening.conditions import Anchor, Before, Condition, Correction, Edit, Folder
from latent_edit.listening.study import Item, Study
from latent_edit.request import EditRequest

if TYPE_CHECKING:
    from latent_edit.editor import LatentEditor

Sound = tuple[np.ndarray, int]  # mono float32 [N], rate in Hz
ENDINGS = (".wav", ".flac", ".ogg", ".mp3")
ANCHOR_ORDER = 8


def render(
    study: Study,
    source: Path,
    folder: Path,
    load: Callable[[], LatentEditor],
    tell: Callable[[int, int], None] | None = None,
) -> list[Clip]:
    """Make every clip that somebody may hear and write it into `folder`; `source` is the study file's folder.

    The editor is loaded only where a condition asks for it. Raises InputError naming item and condition.
    """
    wanted = sorted(study.heard())
    needed = {*wanted, *((item, c.of) for item, name in wanted if isinstance(c := study.conditions[name], Anchor))}
    editor = load() if any(not isinstance(study.conditions[name], Folder | Anchor) for _, name in needed) else None
    sounds: dict[tuple[str, str], Sound] = {}
    made: dict[tuple[str, str], dict[str, Any]] = {}
    anchors_last = sorted(needed, key=lambda key: (isinstance(study.conditions[key[1]], Anchor), key))
    for done, (name, condition_name) in enumerate(anchors_last):
        if tell:
            tell(done + 1, len(anchors_last))
        item, condition = study.item(name), study.conditions[condition_name]
        if isinstance(condition, Anchor):
            sounds[name, condition_name] = low_passed(*sounds[name, condition.of], condition.cut_hz)
        elif isinstance(condition, Folder):
            sounds[name, condition_name] = _read(source / condition.folder, name)
        else:
            assert editor is not None
            sounds[name, condition_name] = _speak(editor, item, condition)
        made[name, condition_name] = condition.model_dump(mode="json") | _hashes(editor, condition)
    kept = set(wanted)
    return write_clips(folder, study, {key: sound for key, sound in sounds.items() if key in kept}, made)


def _hashes(editor: LatentEditor | None, condition: Condition) -> dict[str, Any]:
    if editor is None or isinstance(condition, Folder | Anchor):
        return {}
    return {"checkpoints": editor.hashes(getattr(condition, "method", EditRequest.method))}


def _read(folder: Path, item: str) -> Sound:
    """A clip of a folder at its own rate."""
    import soundfile

    for ending in ENDINGS:
        path = folder / f"{item}{ending}"
        if path.is_file():
            rate = int(soundfile.info(path).samplerate)
            return audio.read_audio(path, rate, MOST_SECONDS), rate
    raise InputError(f"{folder} has no {item}.wav (or {', '.join(ENDINGS[1:])}); add it, or leave out the item")


def _speak(editor: LatentEditor, item: Item, condition: Condition) -> Sound:
    try:
        if isinstance(condition, Before):
            return _sound(editor.say(item.text, item.voice, item.seed).waveform)
        if isinstance(condition, Edit):
            return _sound(editor.after(_request(item, condition)).waveform)
        if isinstance(condition, Correction):
            return _corrected(editor, item, condition)
        return _world(editor, item)
    except InputError as error:
        raise InputError(f"item {item.id} cannot be made as {condition.source}: {error}") from None


def _request(item: Item, condition: Edit) -> EditRequest:
    return EditRequest(
        item.text,
        item.voice,
        item.prompt,
        method=condition.method,
        guidance=condition.guidance,
        strength=condition.strength,
        steps=condition.steps,
        seed=item.seed,
        correction=condition.correction,
    )


def _sound(waveform: Any) -> Sound:
    return waveform.item(0).numpy(), waveform.sampling_rate


def _corrected(editor: LatentEditor, item: Item, condition: Correction) -> Sound:
    """The attribute correction of the time-scaled plain synthesis: what an edit would be without its bridge."""
    request = EditRequest(item.text, item.voice, item.prompt, method=condition.method, seed=item.seed)
    return _sound(editor.correction_alone(request).waveform)


def _world(editor: LatentEditor, item: Item) -> Sound:
    """The axes that the CLAP predicts for the prompt, by WORLD. Raises InputError without pyworld or an axis head."""
    from latent_edit.axes import AXES
    from latent_edit.data.styles import style_of
    from latent_edit.data.world import analyse, synthesise
    from latent_edit.prompts.lexicon import MAXIMA, MINIMA

    axes = editor.style_encoder.axes(editor.style_encoder.embed_text([item.prompt]))
    if axes.keys() != AXES.keys():
        raise InputError("this CLAP predicts no axes; leave the condition out")
    style = style_of(np.clip([axes[name].value for name in AXES], MINIMA, MAXIMA))
    before, rate = _sound(editor.say(item.text, item.voice, item.seed).waveform)
    try:
        return synthesise(analyse(before, rate), style), rate
    except ModuleNotFoundError as error:
        raise InputError(f"the package {error.name} is not installed; WORLD needs requirements-dev.txt") from None


def low_passed(samples: np.ndarray, rate: int, cut_hz: float) -> Sound:
    """A clip [N] through a Butterworth low-pass without phase change, at the same rate in Hz."""
    from scipy.signal import butter, sosfiltfilt

    if cut_hz >= rate / 2:
        raise InputError(f"an anchor at {cut_hz:g} Hz needs clips of more than {2 * cut_hz:g} samples per second")
    sections = butter(ANCHOR_ORDER // 2, cut_hz, fs=rate, output="sos")  # twice through: the full order
    return sosfiltfilt(sections, samples).astype(np.float32), rate
