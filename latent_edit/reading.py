"""What the frozen voice speaks: the pieces of a text, or a recording, each as one unpadded latent."""

from __future__ import annotations

import dataclasses
import math
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from latent_edit.errors import InputError
from latent_edit.models.pauses import lengthened_pauses
from latent_edit.models.phonemes import BLANK, PhonemeSequence
from latent_edit.models.vits import FrozenVits, TextEncoding
from latent_edit.request import EditRequest
from latent_edit.result import TimedPhoneme
from latent_edit.sentences import split_sentences
from latent_edit.text import NormalisedText, normalise
from latent_edit.types import Alignment, Latent, Waveform

TEXT_STREAM, BRIDGE_STREAM, PACE_STREAM = 0, 1, 2  # what a generator is for, so that no two draw the same noise


def generator(seed: int, stream: int, piece: int) -> torch.Generator:
    """The random numbers of one piece of a text: they depend on nothing else that is edited with it."""
    low, high = np.random.SeedSequence([seed, stream, piece]).generate_state(2, np.uint32)
    return torch.Generator().manual_seed(int(high) << 32 | int(low))


@dataclass(frozen=True)
class Reading:
    """Pieces in the order in which they are heard.

    encodings: a latent [1, C, T_i] with its durations for each piece; a recording is one piece without phonemes and
    durations. pause_frames: silence after each (0 after the last). dropped: symbols unknown to the voice. notes: what a
    person should know about it, one line each.
    """

    phonemes: tuple[PhonemeSequence, ...]
    encodings: tuple[TextEncoding, ...]
    pause_frames: tuple[int, ...]
    dropped: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def phoneme_count(self) -> int:
        """Sounding phonemes of all pieces."""
        return sum(sequence.count for sequence in self.phonemes)

    def at_pace(
        self,
        vits: FrozenVits,
        speaker: int,
        log_ratio: float,
        seed: int,
        prior_noise: float = EditRequest.prior_noise,
    ) -> Reading:
        """Every piece exp(log_ratio) times as long, pauses too; at 0 the reading itself. See `models.pacing`.

        seed, prior_noise: what it was read with.
        """
        from latent_edit.models.pacing import at_pace  # with transformers, which a first page does not need

        encodings = [
            at_pace(vits, sequence, encoding, speaker, log_ratio, prior_noise, generator(seed, PACE_STREAM, index))
            for index, (sequence, encoding) in enumerate(zip(self.phonemes, self.encodings, strict=True))
        ]
        pauses = tuple(round(pause * math.exp(log_ratio)) for pause in self.pause_frames)
        return dataclasses.replace(self, encodings=tuple(encodings), pause_frames=pauses)

    def towards(self, latents: Sequence[Latent], strength: float) -> Reading:
        """These pieces moved towards others of the same lengths: 0 stays here exactly, 1 is there, more goes past."""
        moved = [
            dataclasses.replace(old, latent=Latent(torch.lerp(old.latent.z, new.z, strength), old.latent.mask))
            for old, new in zip(self.encodings, latents, strict=True)
        ]
        return dataclasses.replace(self, encodings=tuple(moved))

    def latent(self) -> Latent:
        """All pieces in one latent [1, C, T]; z and mask are zero in the pauses."""
        parts: list[Latent] = []
        for encoding, pause in zip(self.encodings, self.pause_frames, strict=True):
            z, mask = encoding.latent.z, encoding.latent.mask
            parts += [encoding.latent, Latent(z.new_zeros(1, z.shape[1], pause), mask.new_zeros(1, 1, pause))]
        return Latent.concatenate(parts)

    def timed_phonemes(self, seconds_per_frame: float) -> tuple[TimedPhoneme, ...]:
        """Symbols with the time they are heard; each keeps the blanks that follow it."""
        timed: list[TimedPhoneme] = []
        offset = 0
        for sequence, encoding, pause in zip(self.phonemes, self.encodings, self.pause_frames, strict=True):
            ends = [offset + end for end in np.cumsum(encoding.alignment.durations[0].tolist(), dtype=int).tolist()]
            sounding = [i for i, symbol in enumerate(sequence.symbols) if symbol != BLANK]
            starts = [offset if i == 0 else ends[i - 1] for i in sounding]
            for i, start, end in zip(sounding, starts, [*starts[1:], *ends[-1:]], strict=True):
                timed.append(TimedPhoneme(sequence.symbols[i], start * seconds_per_frame, end * seconds_per_frame))
            offset += encoding.latent.z.shape[2] + pause
        return tuple(timed)


def read(
    vits: FrozenVits,
    text: str,
    speaker: int,
    seed: int,
    prior_noise: float = EditRequest.prior_noise,
    duration_noise: float = EditRequest.duration_noise,
) -> Reading:
    """Z_text of every piece of the normalised text. Raises InputError when nothing in it can be pronounced."""
    frames_per_second = vits.sampling_rate / vits.hop_length
    normalised = normalise(text) if vits.reads_english else NormalisedText(unicodedata.normalize("NFC", text))
    pieces = [(piece, vits.phonemize(piece.text)) for piece in split_sentences(normalised.words)]
    said = [(piece, phonemes) for piece, phonemes in pieces if phonemes.count]
    if not said:
        why = " ".join(normalised.notes) or f"({text.strip()[:40]!r})"
        raise InputError(f"nothing in the text can be pronounced; write words. {why}")
    encodings = [
        _encode(vits, piece.text, phonemes, speaker, prior_noise, duration_noise, (seed, index))
        for index, (piece, phonemes) in enumerate(said)
    ]
    pauses = [round(piece.pause_seconds * frames_per_second) for piece, _ in said]
    return Reading(
        phonemes=tuple(phonemes for _, phonemes in said),
        encodings=tuple(encodings),
        pause_frames=(*pauses[:-1], 0),
        dropped=tuple(dict.fromkeys(symbol for _, phonemes in pieces for symbol in phonemes.dropped)),
        notes=(
            *normalised.notes_on(text),
            *(f"Nothing in {piece.text!r} can be pronounced; it was left out." for piece, x in pieces if not x.count),
        ),
    )


def _encode(
    vits: FrozenVits,
    text: str,
    phonemes: PhonemeSequence,
    speaker: int,
    prior_noise: float,
    duration_noise: float,
    drawn: tuple[int, int],
) -> TextEncoding:
    """Z_text of one piece: its marks pause as they should, and a yes/no question rises. drawn: seed and piece."""
    from latent_edit.models.questions import is_yes_no_question, rise_starts_at, with_final_rise

    def encode(durations: torch.Tensor | None = None) -> TextEncoding:
        return vits.encode_text(
            phonemes,
            speaker,
            prior_noise=prior_noise,
            duration_noise=duration_noise,
            generator=generator(drawn[0], TEXT_STREAM, drawn[1]),
            durations=durations,
        )

    encoding = encode()
    predicted = encoding.alignment.durations[0]
    durations = lengthened_pauses(phonemes, predicted, vits.sampling_rate / vits.hop_length)
    if durations is not predicted:
        encoding = encode(durations)
    if not is_yes_no_question(text):
        return encoding
    rising = with_final_rise(vits, encoding.latent, rise_starts_at(phonemes, durations.tolist()), speaker)
    return TextEncoding(rising, vits.to_prior(rising, speaker), encoding.alignment)


def hear(vits: FrozenVits, recording: Waveform, speaker: int) -> Reading:
    """Z_audio of a recording at the voice's rate, refined, in one piece: what is said in it is not known."""
    from latent_edit.models.refinement import refined  # with transformers, which a text does not need so early

    latent = refined(vits, vits.encode_speech(recording, speaker), recording, speaker)
    nothing = PhonemeSequence(ids=(), symbols=(), dropped=())
    no_durations = Alignment(torch.zeros(1, 0, dtype=torch.long, device=latent.z.device))
    encoding = TextEncoding(latent, vits.to_prior(latent, speaker), no_durations)
    return Reading(phonemes=(nothing,), encodings=(encoding,), pause_frames=(0,))


@dataclass(frozen=True)
class Speech:
    """A reading as it is heard. latent: [1, C, T], sentences joined; phonemes in seconds; notes: one line each."""

    latent: Latent
    waveform: Waveform
    phonemes: tuple[TimedPhoneme, ...]
    dropped_symbols: tuple[str, ...]
    notes: tuple[str, ...]


def speak(vits: FrozenVits, reading: Reading, speaker: int) -> Speech:
    """Decode a reading, piece by piece: decoders reach into padding, so a batch would change the ends."""
    parts: list[torch.Tensor] = []
    for encoding, pause in zip(reading.encodings, reading.pause_frames, strict=True):
        spoken = vits.decode(encoding.latent, speaker)
        parts += [spoken.item(0), spoken.samples.new_zeros(pause * vits.hop_length)]
    waveform = Waveform.of(torch.cat(parts), vits.sampling_rate)
    phonemes = reading.timed_phonemes(vits.hop_length / vits.sampling_rate)
    return Speech(reading.latent(), waveform, phonemes, reading.dropped, reading.notes)
