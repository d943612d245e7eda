"""Sound examples for the README and the page: every voice in a few styles, made by the shipped weights."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

from latent_edit.audio import shared_gain, write_mp3
from latent_edit.editor import LatentEditor
from latent_edit.request import EditRequest

TEXT = "Nobody told me that the bridge was closed."
PROMPTS = ("angry", "sad", "a whisper", "excited")
TABLE_NAME = "sounds.json"


def make_samples(editor: LatentEditor, folder: Path) -> None:
    """Write VOICE-before.mp3 and VOICE-1.mp3 to VOICE-4.mp3 for each voice, and sounds.json about them.

    All clips of a voice share one gain, so that a shout is louder than a whisper. Default settings, the first seed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    for voice in editor.voices:
        results = [editor.edit(EditRequest(TEXT, voice, prompt, seed=0)) for prompt in PROMPTS]
        clips = [results[0].before, *(result.after for result in results)]
        samples = [clip.item(0).numpy() for clip in clips]
        gain = shared_gain(*samples)
        names = [f"{voice}-before.mp3", *(f"{voice}-{index}.mp3" for index in range(1, len(clips)))]
        for name, audio in zip(names, samples, strict=True):
            write_mp3(folder / name, audio, clips[0].sampling_rate, gain)
        measured = [results[0].measurements_before, *(result.measurements_after for result in results)]
        rows += [
            {"voice": voice, "prompt": prompt, "file": name, "measurements": asdict(measures)}
            for prompt, name, measures in zip((None, *PROMPTS), names, measured, strict=True)
        ]
    about = {"text": TEXT, "hashes": editor.hashes(EditRequest.method), "sounds": rows}
    (folder / TABLE_NAME).write_text(json.dumps(about, indent=2) + "\n", encoding="utf-8")
