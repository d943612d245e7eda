"""Judges are asked once about each clip: what they said is kept by the content of the clip and of the judge."""

from __future__ import annotations

import hashlib
import json
from collections import OrderedDict
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from latent_edit import judges
from latent_edit.evaluation import fidelity
from latent_edit.evaluation.clips import Clip, Sound, code_hash
from latent_edit.files import write_text
from latent_edit.measures import Measurements, measure
from latent_edit.types import Waveform

if TYPE_CHECKING:
    from latent_edit.editor import LatentEditor

STYLE = "style"  # the one judge that is judged: the CLAP
KEPT_SOUNDS = 4  # several judges hear a clip one after the other
BATCH = 16  # questions that a process is given at a time

# A judge hears one sound (fidelity: the original, then the copy) and answers in JSON.
JUDGES: dict[str, Callable[..., Any]] = {
    "heard": lambda _, sound: judges.recognise(sound.samples, sound.rate),
    "measured": lambda _, sound: asdict(measure(sound.samples, sound.rate)),
    "speaker": lambda _, sound: _rounded(judges.speaker_embedding(sound.samples, sound.rate)),
    "natural": lambda _, sound: judges.naturalness(sound.samples, sound.rate),
    "fidelity": lambda _, original, copy: asdict(fidelity.compare(original, copy)),
    STYLE: lambda editor, sound: _rounded(editor.style_encoder.embed_audio(_waveform(sound))[0].numpy()),
}
# A changed way of judging is another judge; the other judges are in `judges`.
SOURCES = {"measured": ("measures",), "fidelity": ("evaluation/fidelity", "measures"), STYLE: ("models",)}


@dataclass(frozen=True)
class Question:
    """One judge about one clip, or about an original and its copy."""

    judge: str
    clips: tuple[Clip, ...]


class Jury:
    """Asks judges about clips, or remembers what they said. Processes may share a cache folder."""

    def __init__(self, editor: LatentEditor, cache: Path) -> None:
        self.editor, self.cache = editor, cache
        self._sounds: OrderedDict[Clip, Sound] = OrderedDict()
        cache.mkdir(parents=True, exist_ok=True)

    def ask(self, judge: str, *clips: Clip) -> Any:
        """The answer, from the cache if it is there."""
        path = self._path(Question(judge, clips))
        if not path.is_file():
            answer = JUDGES[judge](self.editor, *(self._sound(clip) for clip in clips))
            write_text(path, json.dumps(answer))
        return json.loads(path.read_text(encoding="utf-8"))

    def measured(self, clip: Clip) -> Measurements:
        """What `measures.measure` says about a clip."""
        return Measurements(**self.ask("measured", clip))

    def prepare(self, questions: Sequence[Question], tell: Callable[[int, int], None], workers: int = 1) -> None:
        """Have questions answered, in `workers` processes; `tell(done, all)` hears of those that were new."""
        missing = [question for question in dict.fromkeys(questions) if not self._path(question).is_file()]
        if workers < 2 or len(missing) < 2 * BATCH:
            for done, question in enumerate(missing, start=1):
                self.ask(question.judge, *question.clips)
                tell(done, len(missing))
            return
        batches = [missing[start : start + BATCH] for start in range(0, len(missing), BATCH)]
        with ProcessPoolExecutor(workers, get_context("spawn"), _start_worker, (self.cache,)) as pool:
            for done, _ in enumerate(pool.map(_answer, batches), start=1):
                tell(min(done * BATCH, len(missing)), len(missing))

    def _sound(self, clip: Clip) -> Sound:
        if clip not in self._sounds:
            self._sounds[clip] = clip.render(self.editor)
            while len(self._sounds) > KEPT_SOUNDS:
                self._sounds.popitem(last=False)
        return self._sounds[clip]

    def _path(self, question: Question) -> Path:
        identities = [clip.identity(self.editor) for clip in question.clips]
        judge = code_hash(*SOURCES.get(question.judge, ("judges",)))
        if question.judge == STYLE:
            judge += self.editor.style_encoder.hash
        content = json.dumps([question.judge, judge, identities], sort_keys=True)
        return self.cache / f"{question.judge}-{hashlib.sha256(content.encode()).hexdigest()[:32]}.json"


def _rounded(embedding: np.ndarray) -> list[float]:
    return [round(float(x), 5) for x in embedding]


def _waveform(sound: Sound) -> Waveform:
    import torch

    return Waveform.of(torch.from_numpy(sound.samples), sound.rate)


_worker: list[Jury] = []


def _start_worker(cache: Path) -> None:
    """A process of its own loads the shipped weights once."""
    import torch

    from latent_edit.editor import LatentEditor

    torch.set_num_threads(1)
    _worker.append(Jury(LatentEditor.load(), cache))


def _answer(questions: Sequence[Question]) -> None:
    for question in questions:
        _worker[0].ask(question.judge, *question.clips)
