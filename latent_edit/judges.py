"""Judges that know nothing of this project.

Two speech recognisers (pocketsphinx, Moonshine), a speaker encoder (Resemblyzer), two models of quality (DNSMOS P.835
and DistillMOS) and an F0 tracker (SwiftF0); each brings its own model with its package, so that none needs the network.
Their packages are in requirements-dev.txt; `installed` tells whether they are here.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import redirect_stdout
from functools import lru_cache
from importlib.util import find_spec
from io import StringIO
from typing import Any

import numpy as np

from latent_edit.audio import resample

# The packages that judges need, as they are imported.
RECOGNISER, MOONSHINE, SPEAKER_ENCODER = "pocketsphinx", "moonshine_voice", "resemblyzer"
DNSMOS, DISTILLMOS, F0_TRACKER = "speechmos", "distillmos", "swift_f0"
RATE = 16_000  # Hz, of every judge
F0_LIMITS_HZ = (60.0, 500.0)
VOICED_CONFIDENCE = 0.5  # of SwiftF0, which calls a frame voiced from here on
NOISE_FLOOR = 1e-3  # root mean square under what Moonshine is given, whose largest sample is 0.5
SPEAKER_LEVEL = 10 ** (-30 / 20)  # root mean square that Resemblyzer brings quiet clips to
OLD_SPELLING = re.compile(r"\bto-(day|night|morrow)\b")  # which Moonshine writes
NUMBER = re.compile(r"(\d[\d,]*(?:\.\d+)?)(st|nd|rd|th)?")


def installed(judge: str) -> bool:
    """Whether a judge's package is on this machine."""
    return find_spec(judge) is not None


@lru_cache(maxsize=1)
def _decoder() -> Any:
    from pocketsphinx import Decoder

    return Decoder(samprate=RATE, loglevel="FATAL")


def recognise(samples: np.ndarray, sampling_rate: int) -> str:
    """Words that pocketsphinx with its own English model hears in mono float32 samples [N]."""
    samples = resample(samples, sampling_rate, RATE)
    peak = float(np.abs(samples).max(initial=0.0))
    if peak == 0.0:
        return ""  # the recogniser hears a word even in silence
    # It wants 16 bit: bring the loudest sample to half scale, since how loud it is must not matter.
    scaled = np.round(samples * (16384 / peak)).astype(np.int16)
    # Half a second of silence on either side, so that no word is cut.
    silence = np.zeros(RATE // 2, dtype=np.int16)
    decoder = _decoder()
    decoder.start_utt()
    decoder.process_raw(np.concatenate([silence, scaled, silence]).tobytes(), full_utt=True)
    decoder.end_utt()
    hypothesis = decoder.hyp()
    return hypothesis.hypstr if hypothesis else ""


@lru_cache(maxsize=1)
def _moonshine() -> Any:
    from moonshine_voice import ModelArch, Transcriber, get_assets_path

    return Transcriber(model_path=str(get_assets_path() / "tiny-en"), model_arch=ModelArch.TINY)


def recognise_moonshine(samples: np.ndarray, sampling_rate: int) -> str:
    """What Moonshine (tiny, English) hears in mono float32 samples [N]: about five times fewer errors than above."""
    samples = resample(samples, sampling_rate, RATE)
    peak = float(np.abs(samples).max(initial=0.0))
    if peak == 0.0:
        return ""
    # Half a second of faint noise on either side and under it: of 52 recordings it hears 7.6 % of the words wrong then,
    # 10.0 % as they are, and words in silence that is perfect.
    padded = np.pad(samples * (0.5 / peak), RATE // 2)
    padded += np.random.default_rng(0).normal(0, NOISE_FLOOR, padded.size)
    found = _moonshine().transcribe_without_streaming(padded.tolist(), RATE)
    return " ".join(line.text for line in found.lines)


def words(text: str) -> list[str]:
    """Lower-case words as they are counted: numbers spelled out, American spelling, no apostrophes or punctuation.

    A listener cannot tell "harbour" from "harbor", "19" from "nineteen", or "dogs" from "dog's".
    """
    spelled = NUMBER.sub(_spelled_out, OLD_SPELLING.sub(r"to\1", text.lower()))
    plain = re.sub(r"[^a-z0-9]+", " ", spelled.replace("’", "").replace("'", ""))
    return str(_spelling()(plain)).split()


def _spelled_out(number: re.Match[str]) -> str:
    from num2words import num2words

    digits, ordinal = number.groups()
    return f" {num2words(digits.replace(',', ''), to='ordinal' if ordinal else 'cardinal')} "


@lru_cache(maxsize=1)
def _spelling() -> Any:
    from whisper_normalizer.english import EnglishSpellingNormalizer

    return EnglishSpellingNormalizer()


def word_errors(reference: str, hypothesis: str) -> tuple[int, int]:
    """Substituted, deleted and inserted words, and words of the reference; their sums over sentences give the rate."""
    import jiwer

    counts = jiwer.process_words(" ".join(words(reference)), " ".join(words(hypothesis)))
    errors = counts.substitutions + counts.deletions + counts.insertions
    return errors, counts.hits + counts.substitutions + counts.deletions


def word_error_rate(pairs: Sequence[tuple[str, str]]) -> float | None:
    """Word error rate over (reference, hypothesis) pairs; None without any reference word."""
    counts = [word_errors(reference, hypothesis) for reference, hypothesis in pairs]
    total = sum(length for _, length in counts)
    return sum(errors for errors, _ in counts) / total if total else None


@lru_cache(maxsize=1)
def _speaker_encoder() -> Any:
    from resemblyzer import VoiceEncoder

    return VoiceEncoder("cpu", verbose=False)


def speaker_embedding(samples: np.ndarray, sampling_rate: int) -> np.ndarray:
    """GE2E embedding [256] of unit norm (Resemblyzer); cosine similarity tells how alike two voices are."""
    from resemblyzer import preprocess_wav

    # It raises quiet clips to its level but leaves loud ones, and hears another voice in them.
    root_mean_square = float(np.sqrt(np.mean(np.square(samples)))) if samples.size else 0.0
    if root_mean_square:
        samples = samples * np.float32(SPEAKER_LEVEL / root_mean_square)
    embedding: np.ndarray = _speaker_encoder().embed_utterance(preprocess_wav(samples, sampling_rate))
    return embedding


def naturalness(samples: np.ndarray, sampling_rate: int) -> float | None:
    """Overall quality from 1 to 5 (DNSMOS P.835, Reddy et al. 2022, arXiv 2110.01763); None without samples.

    It was made to judge noise suppression: it hears hiss and buzz well, and prosody not at all.
    """
    from speechmos import dnsmos

    samples = resample(samples, sampling_rate, RATE)
    if samples.size == 0:
        return None
    peak = max(1.0, float(np.abs(samples).max()))
    return float(dnsmos.run(samples / peak, RATE)["ovrl_mos"])


@lru_cache(maxsize=1)
def _distillmos() -> Any:
    from distillmos import ConvTransformerSQAModel

    with redirect_stdout(StringIO()):  # it says which weights it loads
        return ConvTransformerSQAModel().eval()


def naturalness_distillmos(samples: np.ndarray, sampling_rate: int) -> float | None:
    """Quality from 1 to 5 (DistillMOS, Stahl & Gamper 2025, arXiv 2502.05356); None without samples.

    Distilled from a model on top of wav2vec 2.0 XLS-R, which learnt from listeners to codecs and synthesisers.
    """
    import torch

    samples = resample(samples, sampling_rate, RATE)
    if samples.size == 0:
        return None
    with torch.no_grad():
        return float(_distillmos()(torch.from_numpy(np.ascontiguousarray(samples))[None]))


@lru_cache(maxsize=1)
def _f0_tracker() -> Any:
    from swift_f0 import SwiftF0

    return SwiftF0(threads=1)


def f0_contour(samples: np.ndarray, sampling_rate: int) -> tuple[np.ndarray, np.ndarray]:
    """F0 in Hz and confidence from 0 to 1 every 16 ms, both [F], of mono samples (SwiftF0, Nieradzik 2025)."""
    samples = resample(samples, sampling_rate, RATE)
    if samples.size == 0:
        return np.zeros(0), np.zeros(0)
    found = _f0_tracker().detect(samples, RATE, *F0_LIMITS_HZ)
    return found.pitch_hz, found.confidence


def median_f0(samples: np.ndarray, sampling_rate: int) -> float | None:
    """Median F0 in Hz over the frames that SwiftF0 calls voiced; None where there is none."""
    frequencies, confidences = f0_contour(samples, sampling_rate)
    voiced = frequencies[confidences >= VOICED_CONFIDENCE]
    return float(np.median(voiced)) if voiced.size else None
