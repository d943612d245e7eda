"""What recordings as people have them lose on their way through the voice: noise, music, rooms and strangers.

python -m latent_edit.evaluation.recordings SPEECH --count 10 --out recordings.md

Held-out sentences of the four voices, spoiled in ways that depend on nothing but a seed. A recogniser that knows
nothing of this project counts the words wrong in each file and in what the voice says of it, "before"; beside them a
copy by WORLD, which analyses and synthesises the file without any model. Needs requirements-dev.txt and
moonshine-voice.
"""

from __future__ import annotations

import argparse
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch

from latent_edit import judges
from latent_edit.checkpoint import default_root
from latent_edit.data.corpora import Utterance, read_manifest
from latent_edit.data.splits import sample, select
from latent_edit.editor import VOICE_FOLDER
from latent_edit.evaluation.statistics import Observation, estimate
from latent_edit.judges import recognise_moonshine, word_errors
from latent_edit.measures import active_frames
from latent_edit.models.vits import FrozenVits
from latent_edit.recording import cleaned, nearest_speaker, quality
from latent_edit.synthesis import decode, encode_recording
from latent_edit.types import Waveform

RATE = 16_000
TALKERS = 6  # of babble: so many that no word of theirs stands out
ROOM_SECONDS, ROOM_DIRECT_DB = 0.35, 3.0  # RT60 and direct-to-reverberant ratio of a small room
Spoil = Callable[[np.ndarray, np.random.Generator, Sequence[np.ndarray]], np.ndarray]


def coloured(count: int, generator: np.random.Generator, slope: float) -> np.ndarray:
    """Noise [N] whose power falls with frequency to this power: 0 is white, 1 pink."""
    spectrum = np.fft.rfft(generator.standard_normal(count))
    hertz = np.maximum(np.fft.rfftfreq(count, 1 / RATE), 30.0)
    noise: np.ndarray = np.fft.irfft(spectrum / hertz ** (slope / 2), count)
    return noise


def babble(count: int, generator: np.random.Generator, others: Sequence[np.ndarray]) -> np.ndarray:
    """Several talkers at once [N], equally loud."""
    samples = np.zeros(count)
    for index in generator.integers(len(others), size=TALKERS):
        start = int(generator.integers(count))
        samples += np.resize(others[index], start + count)[start:] / _level(others[index])
    return samples


def music(count: int, generator: np.random.Generator) -> np.ndarray:
    """Chords of four notes with six harmonics that die away, two a second, and a drum on each."""
    samples, time = np.zeros(count), np.arange(count) / RATE
    for beat in range(int(2 * count / RATE) + 1):
        root, since = 110 * 2 ** (generator.choice([0, 3, 5, 7, 10]) / 12), time - beat / 2
        decay = np.where(since >= 0, np.exp(-2.5 * np.maximum(since, 0)), 0.0)
        notes = [np.sin(2 * np.pi * root * m * h * since) / h for m in (1, 1.26, 1.5, 2) for h in range(1, 7)]
        samples += decay * np.sum(notes, axis=0) + 1.5 * decay**12 * generator.standard_normal(count)
    return samples


def room(speech: np.ndarray, generator: np.random.Generator, _: Sequence[np.ndarray]) -> np.ndarray:
    """Speech in a small room: exponentially decaying noise as its impulse response (Polack 1988)."""
    count = round(ROOM_SECONDS * RATE)
    tail = generator.standard_normal(count) * 10 ** (-3 * np.arange(count) / count)
    tail[: RATE * 3 // 1000] = 0
    tail *= 10 ** (-ROOM_DIRECT_DB / 20) / np.linalg.norm(tail)
    tail[0] = 1.0
    return np.convolve(speech, tail)


def stranger(speech: np.ndarray, generator: np.random.Generator, _: Sequence[np.ndarray]) -> np.ndarray:
    """Another speaker of the same words: formants moved by 8 to 20 %, and F0 to another register (Praat)."""
    import parselmouth
    from parselmouth.praat import call, run

    # Praat draws noise where nothing is voiced; from the same seed each time.
    run(f"random_initializeWithSeedUnsafelyButPredictably ({int(generator.integers(2**31))})")
    higher = generator.random() < 0.5
    formants = generator.uniform(1.08, 1.2) if higher else generator.uniform(0.82, 0.92)
    median = generator.uniform(190, 230) if higher else generator.uniform(95, 115)
    sound = parselmouth.Sound(speech.astype(np.float64), RATE)
    changed: np.ndarray = call(sound, "Change gender", 60, 500, formants, median, 1.0, 1.0).values[0]
    return changed


def _mixed(speech: np.ndarray, noise: np.ndarray, snr_db: float) -> np.ndarray:
    return speech + noise * (_level(speech) / np.sqrt((noise**2).mean()) * 10 ** (-snr_db / 20))


def _level(samples: np.ndarray) -> float:
    """Root mean square while somebody speaks."""
    frames = (samples[: samples.size // 400 * 400].reshape(-1, 400).astype(np.float64) ** 2).mean(axis=1)
    return float(np.sqrt(frames[active_frames(frames)].mean()))


def _noisy(kind: str, snr_db: float) -> Spoil:
    def spoil(speech: np.ndarray, generator: np.random.Generator, others: Sequence[np.ndarray]) -> np.ndarray:
        makers: dict[str, Callable[[], np.ndarray]] = {
            "white": lambda: coloured(speech.size, generator, 0.0),
            "pink": lambda: coloured(speech.size, generator, 1.0),
            "babble": lambda: babble(speech.size, generator, others),
            "music": lambda: music(speech.size, generator),
        }
        return _mixed(speech, makers[kind](), snr_db)

    return spoil


@dataclass(frozen=True)
class Condition:
    """spoil: what happened to a recording. gate: so many points more words wrong in "before" than in the file."""

    name: str
    spoil: Spoil
    gate: float | None = None


CONDITIONS = (
    Condition("as recorded", lambda speech, *_: speech, 10.0),
    Condition("white noise, 20 dB", _noisy("white", 20.0), 15.0),
    Condition("pink noise, 20 dB", _noisy("pink", 20.0), 15.0),
    Condition("babble, 20 dB", _noisy("babble", 20.0), 15.0),
    Condition("white noise, 10 dB", _noisy("white", 10.0)),
    Condition("music, 10 dB", _noisy("music", 10.0)),
    Condition("a small room", room, 15.0),
    Condition("a stranger", stranger, 10.0),
)


@dataclass
class Score:
    """Wrong words of one condition. file, before, world: of each recording; world only where pyworld is installed."""

    words: int = 0
    noted: int = 0
    file: list[int] = field(default_factory=list)
    before: list[int] = field(default_factory=list)
    world: list[int] = field(default_factory=list)
    excess: list[Observation] = field(default_factory=list)


def recordings(corpus: Path, count: int) -> Iterator[tuple[Utterance, list[np.ndarray]]]:
    """`count` held-out sentences, as many of each voice as can be, each with others that may babble beside it."""
    held_out = [u for u in select(list(read_manifest(corpus)), "test") if 4 <= len(u.text.split()) <= 16]
    voices = sorted({u.speaker for u in held_out})
    drawn = {voice: sample([u for u in held_out if u.speaker == voice], 40) for voice in voices}
    others = [u.read(RATE) for voice in voices for u in drawn[voice][-4:]]
    for index in range(count):
        yield drawn[voices[index % len(voices)]][index // len(voices)], others


def measured(vits: FrozenVits, corpus: Path, count: int, conditions: Sequence[Condition]) -> dict[str, Score]:
    """The scores of each condition by its name; says how far it is."""
    scores = {condition.name: Score() for condition in conditions}
    for utterance, others in recordings(corpus, count):
        speech = utterance.read(RATE)
        for condition in conditions:
            seed = zlib.crc32(f"{condition.name}/{utterance.path.name}".encode())
            spoiled = condition.spoil(speech, np.random.default_rng(seed), others).astype(np.float32)
            _judge(vits, utterance, spoiled, scores[condition.name])
            score = scores[condition.name]
            print(f"{utterance.speaker} {utterance.path.stem}, {condition.name}: wrong in the file {score.file[-1]},"
                  f" before {score.before[-1]}, WORLD {score.world[-1:]}", flush=True)  # fmt: skip
    return scores


def _judge(vits: FrozenVits, utterance: Utterance, samples: np.ndarray, score: Score) -> None:
    found = quality(samples, RATE)
    recording = Waveform.of(torch.from_numpy(samples), RATE)
    voice = nearest_speaker(vits, cleaned(recording, found))
    before = decode(vits, encode_recording(vits, recording, voice), voice).waveform.item(0).numpy()
    wrong, words = word_errors(utterance.text, recognise_moonshine(samples, RATE))
    score.words += words
    score.noted += bool(found.notes)
    score.file.append(wrong)
    score.before.append(word_errors(utterance.text, recognise_moonshine(before, RATE))[0])
    if judges.installed("pyworld"):
        score.world.append(word_errors(utterance.text, recognise_moonshine(_world_copy(samples), RATE))[0])
    excess = score.before[-1] - wrong
    score.excess.append(Observation(excess, utterance.text, utterance.speaker, weight=words))


def _world_copy(samples: np.ndarray) -> np.ndarray:
    import pyworld

    doubled = samples.astype(np.float64)
    pitch, times = pyworld.harvest(doubled, RATE)
    envelope, noise = pyworld.cheaptrick(doubled, pitch, times, RATE), pyworld.d4c(doubled, pitch, times, RATE)
    copy: np.ndarray = pyworld.synthesize(pitch, envelope, noise, RATE)
    return copy


def table(scores: dict[str, Score], conditions: Sequence[Condition]) -> str:
    """The report in Markdown: words wrong in percent, and before less file in points with its 95 % interval."""
    lines = [
        "| recording | words | wrong in the file | before | WORLD | before less file | gate | noted |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for condition in conditions:
        score = scores[condition.name]
        found = estimate(score.excess)
        points = [None if v is None else 100 * v for v in (found.value, found.low, found.high)]
        interval = "" if points[1] is None else f" ({points[1]:+.0f} to {points[2]:+.0f})"
        excess = "not measured" if points[0] is None else f"{points[0]:+.0f} points{interval}"
        gate = "none" if condition.gate is None else f"≤ {condition.gate:.0f}: {_verdict(points[0], condition.gate)}"
        rates = [f"{100 * sum(x) / score.words:.0f} %" if x else "not measured"
                 for x in (score.file, score.before, score.world)]  # fmt: skip
        lines.append(
            f"| {condition.name} | {score.words} | {' | '.join(rates)} | {excess} | {gate} "
            f"| {score.noted} of {len(score.file)} |"
        )
    return "\n".join(lines) + "\n"


def _verdict(points: float | None, gate: float) -> str:
    return "not measured" if points is None else "met" if points <= gate else "missed"


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print and write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("corpus", type=Path, help="folder with manifest.csv")
    parser.add_argument("--count", type=int, default=10, help="recordings per condition (default: %(default)s)")
    parser.add_argument("--only", action="append", help="name of a condition; may be repeated (default: all)")
    parser.add_argument("--out", type=Path, help="where to write the table")
    options = parser.parse_args(arguments)
    conditions = [c for c in CONDITIONS if not options.only or c.name in options.only]
    report = table(measured(FrozenVits.load(default_root() / VOICE_FOLDER), options.corpus, options.count, conditions),
                   conditions)  # fmt: skip
    print(report)
    if options.out:
        options.out.write_text(report, encoding="utf-8")


if __name__ == "__main__":
    main()
