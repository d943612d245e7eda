"""Held-out recordings as frames of latents, with what is spoken in each: what probes learn from and are judged by."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import torch

from latent_edit.data.pitch import pitch_of_frames
from latent_edit.evaluation.clips import Recording, Sound, sound_of
from latent_edit.models.phonemes import BLANK, PhonemeSequence
from latent_edit.models.spectrogram import LogMel, linear_spectrogram
from latent_edit.optimize.corrections import natural_f0
from latent_edit.request import EditRequest
from latent_edit.types import Latent, Waveform

if TYPE_CHECKING:
    from latent_edit.editor import LatentEditor
    from latent_edit.models.vits import FrozenVits, TextEncoding

MEL, Z_AUDIO, Z_TEXT = "log-mel", "Z_audio", "Z_text"
PRIOR_AUDIO, PRIOR_TEXT = "z_p of Z_audio", "z_p of Z_text"  # before the inverse flow
SPACES = (MEL, Z_AUDIO, PRIOR_AUDIO, Z_TEXT, PRIOR_TEXT)
OF_TEXT = (Z_TEXT, PRIOR_TEXT)
MEL_BANDS = 80
SILENCE = "pause"
STRESS = "ˈˌ"  # stands before the phoneme that it belongs to
CLASSES = {
    "vowel": "iyɨʉɯuɪʏʊeøɘɵɤoəɛœɜɞʌɔæɐaɶɑɒɚɝᵻ",
    "nasal": "mnŋɱɲɳɴ",
    "stop": "pbtdkɡgʔqɢcɟʈɖ",
    "fricative": "fvθðszʃʒhxɣχʁçʝɸβɦʂʐ",
    "approximant": "ɹlɾjwrɫɻʋɭʎ",
    SILENCE: ',.;:!?¡¿—…"«»“”',
}
UNVOICED = "ptkʔqcfθsʃhxχçɸʂ" + CLASSES[SILENCE]
MARK = "."  # stands for silence at either end
CLASS_OF = {symbol: name for name, symbols in CLASSES.items() for symbol in symbols}


@dataclass(frozen=True)
class Prosody:
    """Of each frame of a sound. f0: Hz [T], zero where unvoiced (Praat). level_db: [T]."""

    f0: np.ndarray
    level_db: np.ndarray


@dataclass(frozen=True)
class Spoken:
    """A recording beside its text.

    spaces: name -> frames [T, D]; those of the text lie on the recording's MAS path. recorded, synthesised: prosody of
    the recording, and of what the decoder makes of Z_text. phonemes: [T] symbols. free, free_phonemes: Z_text with
    predicted durations, [T', C] and [T'], as the paper pairs it.
    """

    recording: Recording
    spaces: dict[str, np.ndarray]
    recorded: Prosody
    synthesised: Prosody
    phonemes: np.ndarray
    free: np.ndarray
    free_phonemes: np.ndarray

    @property
    def cluster(self) -> tuple[str, str]:
        """Sentence and voice."""
        return self.recording.text, self.recording.voice

    def __len__(self) -> int:
        return len(self.phonemes)


def read_frames(
    editor: LatentEditor, recordings: Sequence[Recording], tell: Callable[[int, int], None] = lambda *_: None
) -> list[Spoken]:
    """Each recording by the voice that it belongs to. Raises InputError where one is too short for its text."""
    found = []
    for seed, recording in enumerate(recordings):
        sound = at_rate_of(editor.vits, recording.render(editor))
        found.append(_read(editor.vits, recording, sound, seed))
        tell(seed + 1, len(recordings))
    return found


@torch.no_grad()
def _read(vits: FrozenVits, recording: Recording, sound: Sound, seed: int) -> Spoken:
    voice = recording.voice
    latent = encode(vits, sound, voice)
    phonemes = vits.phonemize(recording.text)
    path = vits.align(latent, phonemes, voice).durations[0]
    generator = torch.Generator().manual_seed(seed)
    on_path, free = (_text(vits, phonemes, voice, generator, durations) for durations in (path, None))
    symbols = spoken_symbols(phonemes)
    spaces = {
        MEL: log_mel(vits, sound),
        Z_AUDIO: frames(latent),
        PRIOR_AUDIO: frames(vits.to_prior(latent, voice)),
        Z_TEXT: frames(on_path.latent),
        PRIOR_TEXT: frames(on_path.prior_sample),
    }
    synthesised = sound_of(vits.decode(on_path.latent, voice))
    return Spoken(
        recording,
        spaces,
        prosody(vits, sound),
        prosody(vits, synthesised),
        np.repeat(symbols, path.numpy()),
        frames(free.latent),
        np.repeat(symbols, free.alignment.durations[0].numpy()),
    )


def _text(
    vits: FrozenVits,
    phonemes: PhonemeSequence,
    voice: str,
    generator: torch.Generator,
    durations: torch.Tensor | None,
) -> TextEncoding:
    """Z_text as an edit starts from it."""
    noise = {"prior_noise": EditRequest.prior_noise, "duration_noise": EditRequest.duration_noise}
    encoding = vits.encode_text(phonemes, voice, generator=generator, durations=durations, **noise)
    return replace(encoding, latent=natural_f0(vits, encoding.latent, voice))


def at_rate_of(vits: FrozenVits, sound: Sound) -> Sound:
    """A sound at the voice's rate, as long as whole frames are."""
    from latent_edit.audio import resample

    samples = resample(sound.samples, sound.rate, vits.sampling_rate)
    return Sound(samples[: samples.size // vits.hop_length * vits.hop_length], vits.sampling_rate)


def encode(vits: FrozenVits, sound: Sound, voice: str) -> Latent:
    """Z_audio: what the posterior encoder makes of a sound."""
    return vits.encode_speech(Waveform.of(torch.from_numpy(sound.samples), sound.rate), voice)


def frames(latent: Latent) -> np.ndarray:
    """A single item [1, C, T] as float32 [T, C]."""
    values: np.ndarray = latent.z[0].T.numpy()
    return values


def log_mel(vits: FrozenVits, sound: Sound) -> np.ndarray:
    """Log-mel frames [T, bands] of a sound at the voice's rate, at the same moments as its latents."""
    bands = LogMel(vits.sampling_rate, vits.fft_size, vits.hop_length, MEL_BANDS)(torch.from_numpy(sound.samples)[None])
    values: np.ndarray = bands[0].T.numpy()
    return values


def prosody(vits: FrozenVits, sound: Sound) -> Prosody:
    """F0 and level of each frame of a sound at the voice's rate."""
    spectrum = linear_spectrogram(torch.from_numpy(sound.samples)[None], vits.fft_size, vits.hop_length)[0].numpy()
    level = 10 * np.log10(np.square(spectrum).sum(axis=0))
    return Prosody(pitch_of_frames(sound.samples, sound.rate, vits.hop_length), level)


def spoken_symbols(phonemes: PhonemeSequence) -> np.ndarray:
    """The phoneme or mark that each symbol of a text belongs to: stress to the next, all else to the one before.

    Half of all frames are of blanks, which VITS puts between any two symbols.
    """
    symbols = phonemes.symbols
    known = [place for place, symbol in enumerate(symbols) if symbol in CLASS_OF]
    found, stressed = [], False
    for place, symbol in enumerate(symbols):
        stressed = symbol in STRESS or (stressed and symbol == BLANK)
        near = [other for other in known if (other > place if stressed else other <= place)]
        found.append(symbols[near[0 if stressed else -1]] if near else MARK)
    return np.array(found)


def classes(symbols: np.ndarray) -> np.ndarray:
    """The class of each phoneme [T]."""
    return np.array([CLASS_OF[symbol] for symbol in symbols])


def voiced_by_class(symbols: np.ndarray) -> np.ndarray:
    """Whether each phoneme is a voiced one in English, [T] bool."""
    return ~np.isin(symbols, list(UNVOICED))


def stretched(count: int, length: int) -> np.ndarray:
    """Which of `count` frames stands in each of `length` places when all are stretched alike."""
    return np.minimum(((np.arange(length) + 0.5) * count / length).astype(int), count - 1)
