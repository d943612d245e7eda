"""What is edited in order to judge the shipped weights: held-out sentences, voices and prompts.

Every edit is judged once. What was found is kept by the hash of request and checkpoints, so that a run can be
interrupted and only what changed is done again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from latent_edit.config import PRESETS, preset_prompts, read_yaml
from latent_edit.judges import recognise, word_errors
from latent_edit.measures import Measurements
from latent_edit.request import EditRequest

if TYPE_CHECKING:
    from latent_edit.pipeline import LatentEditor
    from latent_edit.types import Waveform

TABLE_SENTENCES = 10
WORDS_PROMPT, WORDS_VOICES = "an angry shout", ("sam_a", "sam_b")
Say = Callable[[str], None]


@dataclass(frozen=True)
class Judged:
    """One edit: words the recogniser got wrong, of how many, and the measurements, before and after."""

    voice: str
    prompt: str
    text: str
    words: int
    errors_before: int
    errors_after: int
    before: Measurements
    after: Measurements


def sentences() -> list[str]:
    """Held-out sentences, in the order in which suites take them."""
    texts: list[str] = read_yaml(PRESETS / "sentences.yaml")
    return texts


def table_requests(voices: Sequence[str], count: int = TABLE_SENTENCES) -> list[EditRequest]:
    """Every preset of the page in every voice, on the same few sentences."""
    return [
        EditRequest(text=text, voice=voice, prompt=prompt, seed=seed)
        for voice in voices
        for prompt in preset_prompts()
        for seed, text in enumerate(sentences()[:count])
    ]


def words_requests(voices: Sequence[str] = WORDS_VOICES) -> list[EditRequest]:
    """Forty sentences in two voices under the preset that changes most."""
    return [
        EditRequest(text=text, voice=voice, prompt=WORDS_PROMPT, seed=seed)
        for voice in voices
        for seed, text in enumerate(sentences())
    ]


def judge(editor: LatentEditor, requests: Sequence[EditRequest], cache: Path, say: Say) -> list[Judged]:
    """Edit and judge each request, unless `cache` knows the answer."""
    cache.mkdir(parents=True, exist_ok=True)
    judged = []
    for number, request in enumerate(requests, start=1):
        path = cache / f"{_key(request, editor.hashes(request.method))}.json"
        if not path.is_file():
            _write(path, asdict(_judge_one(editor, request, cache)))
            say(f"{number} of {len(requests)}: {request.voice}, {request.prompt}")
        judged.append(_read(path))
    return judged


def _judge_one(editor: LatentEditor, request: EditRequest, cache: Path) -> Judged:
    result = editor.edit(request)
    errors_before, words = word_errors(request.text, _heard(result.before, cache))
    errors_after, _ = word_errors(request.text, _heard(result.after, cache))
    return Judged(
        voice=request.voice,
        prompt=request.prompt,
        text=request.text,
        words=words,
        errors_before=errors_before,
        errors_after=errors_after,
        before=result.measurements_before,
        after=result.measurements_after,
    )


def _heard(waveform: Waveform, cache: Path) -> str:
    """What the recogniser hears, by the hash of the samples: the same reading is the "before" of many edits."""
    samples: np.ndarray = waveform.item(0).numpy()
    path = cache / f"heard-{hashlib.sha256(samples.tobytes()).hexdigest()[:32]}.json"
    if not path.is_file():
        _write(path, recognise(samples, waveform.sampling_rate))
    text: str = json.loads(path.read_text(encoding="utf-8"))
    return text


def _key(request: EditRequest, hashes: dict[str, str]) -> str:
    content = json.dumps([request.to_dict(), hashes], sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()[:32]


def _write(path: Path, content: Any) -> None:
    temporary = path.with_suffix(".partial")
    temporary.write_text(json.dumps(content), encoding="utf-8")
    temporary.replace(path)


def _read(path: Path) -> Judged:
    content = json.loads(path.read_text(encoding="utf-8"))
    names = {field.name for field in fields(Judged)} - {"before", "after"}
    before, after = (Measurements(**content[side]) for side in ("before", "after"))
    return Judged(**{name: content[name] for name in names}, before=before, after=after)
