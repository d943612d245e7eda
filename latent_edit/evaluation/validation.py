"""How well the recogniser understands a voice while it is being trained."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING

import torch

from latent_edit.data.speech import Speech
from latent_edit.judges import RECOGNISER, recognise, word_error_rate
from latent_edit.types import Waveform

if TYPE_CHECKING:
    from latent_edit.models.embedded_vits import EmbeddedVits

SENTENCES = 8


def validation_word_errors(speech: Speech) -> Callable[[EmbeddedVits], dict[str, float]]:
    """A function that measures resynthesis and plain synthesis on eight held-out sentences, spread over the voices.

    Raises ModuleNotFoundError without the recogniser: now, not after the first thousand steps.
    """
    for package in (RECOGNISER, "jiwer"):
        import_module(package)
    by_speaker = sorted(
        range(len(speech)), key=lambda i: (sum(s == speech.speakers[i] for s in speech.speakers[:i]), i)
    )
    chosen = by_speaker[:SENTENCES]

    def judge(voice: EmbeddedVits) -> dict[str, float]:
        from latent_edit.models.vits import freeze

        vits = freeze(voice)
        resynthesised, plain = [], []
        for index in chosen:
            text, speaker, audio = speech.texts[index], speech.speakers[index], speech.audio(index)
            recording = Waveform.of(torch.from_numpy(audio), speech.sampling_rate)
            resynthesis = vits.decode(vits.encode_speech(recording, speaker), speaker)
            generator = torch.Generator().manual_seed(index)
            encoding = vits.encode_text(vits.phonemize(text), speaker, generator=generator)
            spoken = vits.decode(encoding.latent, speaker)
            resynthesised.append((text, recognise(resynthesis.item(0).numpy(), vits.sampling_rate)))
            plain.append((text, recognise(spoken.item(0).numpy(), vits.sampling_rate)))
        rates = {"wer_copy": word_error_rate(resynthesised), "wer_say": word_error_rate(plain)}
        return {name: rate for name, rate in rates.items() if rate is not None}

    return judge
