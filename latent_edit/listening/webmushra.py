"""The study as a folder for webMUSHRA (github.com/audiolabs/webMUSHRA): configuration and sounds with opaque names.

Its page types cannot do everything: pairs with a tie are `paired_comparison`, ratings of one clip and side-by-side
ratings without a reference are Likert pages, and there is no balanced design, so that everybody hears all cells.
"""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path
from typing import Any

from latent_edit.errors import InputError
from latent_edit.files import write_text
from latent_edit.listening.clips import FOLDER, Clips, load_clips
from latent_edit.listening.study import Block, Study, load_study
from latent_edit.listening.trials import SCALES

SOUNDS = "configs/resources/audio"
STEPS = [(value, str(value)) for value in range(0, 101, 10)]


def write_webmushra(folder: Path, out: Path) -> None:
    """Write configs/ID.yaml and the sounds of a rendered study; copy both into a webMUSHRA. Raises InputError."""
    import yaml

    study = load_study(folder)
    clips = load_clips(folder, study)
    pages: list[Any] = [{"type": "generic", "id": "start", "name": study.title, "content": _html(study.instructions)}]
    for block in study.blocks:
        if block.test in ("identify", "transcribe"):
            continue
        pages.append(
            {"type": "generic", "id": f"{block.id}_start", "name": study.title, "content": _html(block.instructions)}
        )
        cells = [
            _page(study, clips, block, place, item, shown) for place, (item, shown) in enumerate(study.cells(block))
        ]
        pages.append(["random", *cells])
    if len(pages) == 1:
        raise InputError("webMUSHRA has no pages for identify and transcribe, and this study has nothing else")
    questions = [
        {"type": "text", "label": q.ask, "name": q.id, "optional": not q.required} for q in study.questionnaire
    ]
    pages.append(
        {"type": "finish", "name": "Thank you", "content": "", "showResults": False, "writeResults": True,
         "questionnaire": questions}
    )  # fmt: skip
    config = {"testname": study.title, "testId": study.id, "bufferSize": 2048, "stopOnErrors": True,
              "showButtonPreviousPage": False, "remoteService": "service/write.php", "pages": pages}  # fmt: skip
    write_text(out / "configs" / f"{study.id}.yaml", yaml.safe_dump(config, sort_keys=False, allow_unicode=True))
    (out / SOUNDS).mkdir(parents=True, exist_ok=True)
    for clip in clips.values():
        shutil.copyfile(folder / FOLDER / f"{clip.sha256}.wav", out / _sound(study, clip.sha256))


def _sound(study: Study, sha256: str) -> str:
    """The same sound under one name in the whole study, which the hash of the study makes opaque."""
    return f"{SOUNDS}/{hashlib.sha256((study.config_hash + sha256).encode()).hexdigest()[:16]}.wav"


def _page(study: Study, clips: Clips, block: Block, place: int, item: str, shown: tuple[str, ...]) -> dict[str, Any]:
    sounds = {name: _sound(study, clips[item, name].sha256) for name in shown}
    rated = {name: sound for name, sound in sounds.items() if name != block.reference}
    common = {"id": f"{block.id}_{place}", "name": study.title, "content": _html(block.asked(study.item(item)))}
    looks = {"showWaveform": False, "enableLooping": False}
    if block.test == "mushra":
        assert block.reference is not None
        anchors = {"createAnchor35": False, "createAnchor70": False}
        reference = {"reference": sounds[block.reference], "stimuli": rated}
        return {"type": "mushra", **common, **looks, **anchors, **reference}
    if block.test in ("ab", "abx"):
        unforced = {"unforced": "No difference" if block.test == "ab" and block.tie else ""}
        known = {"reference": sounds[shown[0]]} if block.test == "abx" else {}
        return {"type": "paired_comparison", **common, **unforced, **looks, **known, "stimuli": sounds}
    steps = SCALES.get(block.test, STEPS)
    answers = {"mustRate": True, "response": [{"value": str(value), "label": label} for value, label in steps]}
    if block.test in ("multi", "smos", "ccr"):
        return {"type": "likert_multi_stimulus", **common, "stimuli": sounds, **answers}
    return {"type": "likert_single_stimulus", **common, "stimuli": sounds, **answers}


def _html(text: str) -> str:
    import html

    return "".join(f"<p>{html.escape(part)}</p>" for part in text.split("\n\n") if part.strip())
