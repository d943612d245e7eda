"""Each judge scores each clip once; scores are cached by the content of the clip, of the judge and of the code."""

from __future__ import annotations

import hashlib
import json
from collections import OrderedDict
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, is_dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any

import diskcache
import numpy as np

from latent_edit import judges
from latent_edit.evaluation import emotion_features, fidelity
from latent_edit.evaluation.clips import Clip, Sound
from latent_edit.evaluation.code_hash import code_hash, package_versions
from latent_edit.evaluation.takes import take_frames
from latent_edit.measures import Measurements, measure
from latent_edit.types import Waveform

if TYPE_CHECKING:
    from latent_edit.editor import LatentEditor

STYLE = "style"  # the CLAP's embedding: the one judge that belongs to the editor
SOUNDS_IN_MEMORY = 4  # several judges score a clip one after the other
BATCH = 16  # scores that a process computes at a time

# Each takes the samples of one clip (fidelity: of the original and of its resynthesis) and the rate in Hz.
JUDGES: dict[str, Callable[..., Any]] = {
    "pocketsphinx": judges.recognise,
    "moonshine": judges.recognise_moonshine,
    "measurements": measure,
    "median_f0": judges.median_f0,
    "speaker": judges.speaker_embedding,
    "dnsmos": judges.naturalness,
    "distillmos": judges.naturalness_distillmos,
    "functionals": emotion_features.functionals,
    "contour_shape": emotion_features.contour_shape,
    "frames": take_frames.frames,
    "fidelity": fidelity.compare,
}


@dataclass(frozen=True)
class ScoreKey:
    """One judge and one clip, or an original and its resynthesis."""

    judge: str
    clips: tuple[Clip, ...]


class CachedScores:
    """Computes scores, or reads what was computed before. Processes may share a folder."""

    def __init__(self, editor: LatentEditor, folder: Path) -> None:
        self.editor, self.folder = editor, folder
        # JSON, so that reading a foreign folder executes nothing; without a limit, so that nothing is evicted.
        self._cache = diskcache.Cache(str(folder), disk=diskcache.JSONDisk, eviction_policy="none", cull_limit=0)
        self._sounds: OrderedDict[Clip, Sound] = OrderedDict()

    def score(self, judge: str, *clips: Clip) -> Any:
        """What a judge says, as JSON values."""
        key = self._key(ScoreKey(judge, clips))
        if key not in self._cache:
            self._cache.set(key, self._compute(judge, [self._sound(clip) for clip in clips]))
        return self._cache[key]

    def measurements(self, clip: Clip) -> Measurements:
        """What `measures.measure` says about a clip."""
        return Measurements(**self.score("measurements", clip))

    def compute(self, keys: Sequence[ScoreKey], tell: Callable[[int, int], None], workers: int = 1) -> None:
        """Compute what is missing, in `workers` processes; `tell(done, all)` counts what was missing."""
        missing = [key for key in dict.fromkeys(keys) if self._key(key) not in self._cache]
        if workers < 2 or len(missing) < 2 * BATCH:
            for done, key in enumerate(missing, start=1):
                self.score(key.judge, *key.clips)
                tell(done, len(missing))
            return
        batches = [missing[start : start + BATCH] for start in range(0, len(missing), BATCH)]
        with ProcessPoolExecutor(workers, get_context("spawn"), _start_worker, (self.folder,)) as pool:
            for done, _ in enumerate(pool.map(_compute_batch, batches), start=1):
                tell(min(done * BATCH, len(missing)), len(missing))

    def _compute(self, judge: str, sounds: Sequence[Sound]) -> Any:
        if len({sound.rate for sound in sounds}) > 1:
            raise ValueError(f"{judge} compares clips of one rate, not of {[sound.rate for sound in sounds]} Hz")
        if judge == STYLE:
            return _to_json(self.editor.style_encoder.embed_audio(_waveform(sounds[0]))[0].numpy())
        return _to_json(JUDGES[judge](*(sound.samples for sound in sounds), sounds[0].rate))

    def _sound(self, clip: Clip) -> Sound:
        if clip not in self._sounds:
            self._sounds[clip] = clip.render(self.editor)
            while len(self._sounds) > SOUNDS_IN_MEMORY:
                self._sounds.popitem(last=False)
        return self._sounds[clip]

    def _key(self, key: ScoreKey) -> str:
        identities = [clip.identity(self.editor) for clip in key.clips]
        content = json.dumps([key.judge, *self._judge_identity(key.judge), identities], sort_keys=True)
        return f"{key.judge}-{hashlib.sha256(content.encode()).hexdigest()}"

    def _judge_identity(self, judge: str) -> list[Any]:
        """The code of a judge, the versions of its packages, and the weights that are not in a package."""
        if judge == STYLE:
            encoder = self.editor.style_encoder
            return [code_hash(type(encoder).__module__), encoder.hash]
        module = JUDGES[judge].__module__
        return [code_hash(module), package_versions(module)]


def _to_json(score: Any) -> Any:
    """Plain values of a score: a dataclass as a dict, an array as rounded numbers."""
    if is_dataclass(score) and not isinstance(score, type):
        return asdict(score)
    return np.round(np.asarray(score, dtype=float), 5).tolist() if isinstance(score, np.ndarray) else score


def _waveform(sound: Sound) -> Waveform:
    import torch

    return Waveform.of(torch.from_numpy(sound.samples), sound.rate)


class ScoreList(CachedScores):
    """Lists the scores that rows of a report need, by running them: each answer is that nothing was found."""

    def __init__(self, editor: LatentEditor) -> None:
        self.editor = editor
        self._keys: dict[ScoreKey, None] = {}

    def score(self, judge: str, *clips: Clip) -> Any:
        """What a judge would say about nothing."""
        self._keys[ScoreKey(judge, clips)] = None
        if judge == STYLE:
            return [0.0] * self.editor.style_encoder.dimension
        return _NOTHING.get(judge)

    @property
    def keys(self) -> list[ScoreKey]:
        """All of them, those of one clip together, and clips that are made from the same speech together."""
        clips = {clip: place for place, clip in enumerate(dict.fromkeys(key.clips[-1] for key in self._keys))}
        return sorted(self._keys, key=lambda key: (key.clips[-1].voice, key.clips[-1].text, clips[key.clips[-1]]))


_NOTHING: dict[str, Any] = {
    "pocketsphinx": "",
    "moonshine": "",
    "measurements": {},
    "speaker": [1.0],
    "fidelity": asdict(fidelity.Fidelity(None, 0.0, 0, 0, 0)),
}
_worker: list[CachedScores] = []


def _start_worker(folder: Path) -> None:
    """Each process loads the shipped weights once."""
    import torch

    from latent_edit.editor import LatentEditor

    torch.set_num_threads(1)
    _worker.append(CachedScores(LatentEditor.load(), folder))


def _compute_batch(keys: Sequence[ScoreKey]) -> None:
    for key in keys:
        _worker[0].score(key.judge, *key.clips)
