"""Text or a recording -> pieces in the voice's latent space -> waveform."""

from __future__ import annotations

import dataclasses
import math
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch

from latent_edit.errors import InputError
from latent_edit.models.pauses import lengthened_pauses
from latent_edit.models.phonemes import BLANK, PhonemeSequence
from latent_edit.models.rhythm import EVEN
from latent_edit.models.vits import FrozenVits, TextEncoding
from latent_edit.optimize import corrections, time_scaling
from latent_edit.recording import cleaned, quality, read_speech
from latent_edit.request import EditRequest
from latent_edit.result import TimedPhoneme
from latent_edit.sentences import Piece, is_yes_no_question, split_sentences, spoken_words
from latent_edit.text import NormalisedText, normalise
from latent_edit.types import Alignment, Latent, Waveform

# What a generator is for, so that no two draw the same noise.
TEXT_STREAM, BRIDGE_STREAM, TIME_SCALING_STREAM, ACTING_STREAM = range(4)


CROSS_FADE_SECONDS = 0.05  # at either end of words that alone are changed


def generator(seed: int, stream: int, piece: int) -> torch.Generator:
    """The random numbers of one piece of a text: they depend on nothing else that is edited with it."""
    low, high = np.random.SeedSequence([seed, stream, piece]).generate_state(2, np.uint32)
    return torch.Generator().manual_seed(int(high) << 32 | int(low))


@dataclass(frozen=True)
class Pieces:
    """What is spoken, sentence by sentence, in the voice's latent space.

    encodings: a latent [1, C, T_i] with its durations for each piece; a recording is one piece without phonemes and
    durations. pause_frames: silence after each (0 after the last). dropped: symbols unknown to the voice. notes: what a
    person should know about it, one line each. recording: what was encoded, if it was no text. marked: where not all
    of it is to be changed, the symbols of each piece that are, from the first to before the last; None for none.
    """

    phonemes: tuple[PhonemeSequence, ...]
    encodings: tuple[TextEncoding, ...]
    pause_frames: tuple[int, ...]
    dropped: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    recording: Waveform | None = None
    marked: tuple[tuple[int, int] | None, ...] | None = None

    @property
    def phoneme_count(self) -> int:
        """Sounding phonemes of all pieces, or of what is marked."""
        if self.marked is None:
            return sum(sequence.count for sequence in self.phonemes)
        return sum(
            dataclasses.replace(sequence, symbols=sequence.symbols[slice(*span)]).count
            for sequence, span in zip(self.phonemes, self.marked, strict=True)
            if span
        )

    def frames(self) -> slice:
        """Frames of `joined` that are marked, with the pauses between them; all where nothing is marked."""
        if self.marked is None:
            return slice(None)
        offset, edges = 0, []
        for encoding, span, pause in zip(self.encodings, self.marked, self.pause_frames, strict=True):
            edges += [offset + frame for frame in _frames(encoding, span)] if span else []
            offset += encoding.latent.z.shape[2] + pause
        return slice(edges[0], edges[-1])

    @property
    def latents(self) -> tuple[Latent, ...]:
        """The latent of each piece."""
        return tuple(encoding.latent for encoding in self.encodings)

    def towards(self, latents: Sequence[Latent], strength: float) -> Pieces:
        """These pieces moved towards others of the same lengths: 0 stays here exactly, 1 is there, more goes past."""
        moved = [
            dataclasses.replace(old, latent=Latent(torch.lerp(old.latent.z, new.z, strength), old.latent.mask))
            for old, new in zip(self.encodings, latents, strict=True)
        ]
        return dataclasses.replace(self, encodings=tuple(moved))

    def joined(self) -> Latent:
        """All pieces in one latent [1, C, T]; z and mask are zero in the pauses."""
        parts: list[Latent] = []
        for latent, pause in zip(self.latents, self.pause_frames, strict=True):
            silence = Latent(latent.z.new_zeros(1, latent.z.shape[1], pause), latent.mask.new_zeros(1, 1, pause))
            parts += [latent, silence]
        return Latent.concatenate(parts)

    def timed_phonemes(self, seconds_per_frame: float) -> tuple[TimedPhoneme, ...]:
        """Symbols with the time at which they are spoken; each keeps the blanks that follow it."""
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


def encode(vits: FrozenVits, request: EditRequest) -> Pieces:
    """The source of an edit: Z_text of a text, or Z_audio of a recording. Raises InputError."""
    if request.recording is not None:
        return encode_recording(vits, read_speech(request.recording, vits.sampling_rate)[0], request.voice)
    return encode_text(
        vits, request.text, request.voice, request.seed, request.prior_noise, request.duration_noise, request.words
    )


def encode_text(
    vits: FrozenVits,
    text: str,
    voice: str,
    seed: int,
    prior_noise: float = EditRequest.prior_noise,
    duration_noise: float = EditRequest.duration_noise,
    words: tuple[int, int] | None = None,
) -> Pieces:
    """Z_text of every sentence of the normalised text. words: the first and the last that are marked, from 1.

    Raises InputError when nothing in it can be pronounced, or when it has fewer words.
    """
    normalised = normalise(text) if vits.reads_english else NormalisedText(unicodedata.normalize("NFC", text))
    pieces = [(piece, vits.phonemize(piece.text)) for piece in split_sentences(normalised.words)]
    pronounced = [(piece, phonemes) for piece, phonemes in pieces if phonemes.count]
    if not pronounced:
        why = " ".join(normalised.notes) or f"({text.strip()[:40]!r})"
        raise InputError(f"nothing in the text can be pronounced; write words. {why}")
    encodings = [
        _encode_sentence(vits, piece.text, phonemes, voice, prior_noise, duration_noise, (seed, index))
        for index, (piece, phonemes) in enumerate(pronounced)
    ]
    pauses = [round(piece.pause_seconds * vits.frames_per_second) for piece, _ in pronounced]
    return Pieces(
        phonemes=tuple(phonemes for _, phonemes in pronounced),
        encodings=tuple(encodings),
        pause_frames=(*pauses[:-1], 0),
        dropped=tuple(dict.fromkeys(symbol for _, phonemes in pieces for symbol in phonemes.dropped)),
        notes=(
            *normalised.notes_on(text),
            *(f"Nothing in {piece.text!r} can be pronounced; it was left out." for piece, x in pieces if not x.count),
        ),
        marked=_marked(vits, pieces, words) if words else None,
    )


def _marked(
    vits: FrozenVits, pieces: Sequence[tuple[Piece, PhonemeSequence]], words: tuple[int, int]
) -> tuple[tuple[int, int] | None, ...]:
    """Of each piece that sounds the symbols of those words that are between `words`, which count through all pieces."""
    every = [word for piece, _ in pieces for word in spoken_words(piece.text)]
    if words[1] > len(every):
        shown = " ".join(every)
        raise InputError(f"the text has {len(every)} words as it is read ({shown}); there is no word {words[1]}")
    first, last = words
    spans: list[tuple[int, int] | None] = []
    for piece, phonemes in pieces:
        read = spoken_words(piece.text)
        low, high = max(first, 1), min(last, len(read))
        first, last = first - len(read), last - len(read)
        if phonemes.count:
            spans.append(_symbols_of(vits, phonemes, read, low, high) if low <= high else None)
    if not any(spans):
        raise InputError(f"nothing in {' '.join(every[words[0] - 1 : words[1]])!r} can be pronounced; mark other words")
    return tuple(spans)


def _symbols_of(
    vits: FrozenVits, phonemes: PhonemeSequence, words: Sequence[str], first: int, last: int
) -> tuple[int, int]:
    """Symbols of the words from `first` to `last`, with the blanks and marks that follow them."""

    def groups(symbols: Sequence[str]) -> list[int]:
        """Where each group of phonemes between spaces begins; espeak joins some words into one, as in "of the"."""
        starts: list[int] = []
        inside = False
        for index, symbol in enumerate(symbols):
            if symbol == " ":
                inside = False
            elif not inside and PhonemeSequence((), (symbol,), ()).count:
                starts.append(index)
                inside = True
        return starts

    def count(number: int) -> int:
        return len(groups(vits.phonemize(" ".join(words[:number])).symbols)) if number else 0

    symbols = phonemes.symbols
    starts = groups(symbols)
    begin = min(count(first - 1), count(first) - 1, len(starts) - 1)
    end = count(last)
    return (
        starts[begin] if begin > 0 else 0,
        starts[end] if last < len(words) and end < len(starts) else len(symbols),
    )


def _encode_sentence(
    vits: FrozenVits,
    text: str,
    phonemes: PhonemeSequence,
    voice: str,
    prior_noise: float,
    duration_noise: float,
    drawn: tuple[int, int],
) -> TextEncoding:
    """Z_text of one sentence: F0 as wide as in the voice's recordings, marks pause, a yes/no question rises.

    drawn: seed and piece.
    """

    def drawn_encoding(durations: torch.Tensor | None) -> TextEncoding:
        noise = generator(drawn[0], TEXT_STREAM, drawn[1])
        return vits.encode_text(
            phonemes, voice, prior_noise=prior_noise, duration_noise=duration_noise, generator=noise,
            durations=durations,
        )  # fmt: skip

    encoding = drawn_encoding(None)
    predicted = encoding.alignment.durations[0]
    durations = lengthened_pauses(phonemes, predicted, vits.frames_per_second)
    if durations is not predicted:
        encoding = drawn_encoding(durations)
    latent = corrections.natural_f0(vits, encoding.latent, voice)
    if not is_yes_no_question(text):
        return dataclasses.replace(encoding, latent=latent)
    start = int(durations[: phonemes.last_stress].sum())
    rising = corrections.with_final_rise(vits, latent, start, voice)
    return TextEncoding(rising, vits.to_prior(rising, voice), encoding.alignment)


def encode_recording(vits: FrozenVits, recording: Waveform, voice: str) -> Pieces:
    """Z_audio of a recording at the voice's rate, cleaned and inverted, in one piece: its words are not known."""
    measured = quality(recording.item(0).numpy(), recording.sampling_rate)
    sound = cleaned(recording, measured)
    latent = corrections.invert(vits, vits.encode_speech(sound, voice), sound, voice)
    nothing = PhonemeSequence(ids=(), symbols=(), dropped=())
    no_durations = Alignment(torch.zeros(1, 0, dtype=torch.long, device=latent.z.device))
    encoding = TextEncoding(latent, vits.to_prior(latent, voice), no_durations)
    return Pieces(
        phonemes=(nothing,), encodings=(encoding,), pause_frames=(0,), notes=measured.notes, recording=recording
    )


class Timing(NamedTuple):
    """How a style is timed: exp(log_ratio) times as long, in a rhythm (see `manners.Manner`)."""

    log_ratio: float
    rhythm: np.ndarray = EVEN


def time_scale(vits: FrozenVits, source: Pieces, timing: Timing, request: EditRequest) -> Pieces:
    """Z_source: every piece in that timing, pauses too; at a ratio of 1 and without a rhythm the source itself.

    request: what the source was encoded for. See `optimize.time_scaling`.
    """
    pairs = enumerate(zip(source.phonemes, source.encodings, strict=True))
    encodings = [
        time_scaling.time_scale(
            vits, phonemes, encoding, request.voice, timing.log_ratio, request.prior_noise,
            generator(request.seed, TIME_SCALING_STREAM, index), timing.rhythm,
        )
        for index, (phonemes, encoding) in pairs
    ]  # fmt: skip
    pauses = tuple(round(pause * math.exp(timing.log_ratio)) for pause in source.pause_frames)
    return dataclasses.replace(source, encodings=tuple(encodings), pause_frames=pauses)


def splice(source: Pieces, changed: Pieces, frames_per_second: float) -> Pieces:
    """`source` with what is marked in it taken from `changed`, which is the same text; all of it where nothing is.

    The rest stays to the bit. Inside the marked frames the first and the last `CROSS_FADE_SECONDS` fade over from the
    latents that stand beside them.
    """
    if source.marked is None:
        return changed
    fade = round(CROSS_FADE_SECONDS * frames_per_second)
    encodings = [
        _spliced(own, other, span, fade) if span else own
        for own, other, span in zip(source.encodings, changed.encodings, source.marked, strict=True)
    ]
    return dataclasses.replace(source, encodings=tuple(encodings))


def _spliced(own: TextEncoding, other: TextEncoding, span: tuple[int, int], fade: int) -> TextEncoding:
    (own_start, own_end), (start, end) = _frames(own, span), _frames(other, span)
    durations = own.alignment.durations.clone()
    durations[:, slice(*span)] = other.alignment.durations[:, slice(*span)]

    def joined(mine: torch.Tensor, theirs: torch.Tensor, fade: int) -> torch.Tensor:
        middle = theirs[..., start:end].clone()
        last, size = mine.shape[2] - 1, end - start
        for frame in range(min(fade, size)):
            share = (frame + 1) / (fade + 1)
            if own_start > 0:  # before and after the piece there is nothing to fade over from
                middle[..., frame] = torch.lerp(mine[..., min(own_start + frame, last)], middle[..., frame], share)
            if own_end <= last:
                at = size - 1 - frame
                middle[..., at] = torch.lerp(mine[..., max(own_end - 1 - frame, 0)], middle[..., at], share)
        return torch.cat([mine[..., :own_start], middle, mine[..., own_end:]], dim=2)

    def latent(mine: Latent, theirs: Latent, fade: int) -> Latent:
        z = joined(mine.z, theirs.z, fade)
        return Latent(z, torch.ones_like(z[:, :1]))

    return TextEncoding(
        latent(own.latent, other.latent, fade),
        latent(own.prior_sample, other.prior_sample, 0),
        Alignment(durations),
    )


def _frames(encoding: TextEncoding, span: tuple[int, int]) -> tuple[int, int]:
    """Frames of these symbols."""
    ends = torch.nn.functional.pad(encoding.alignment.durations[0].cumsum(0), (1, 0))
    return int(ends[span[0]]), int(ends[span[1]])


@dataclass(frozen=True)
class Synthesis:
    """Pieces as they are spoken. latent: [1, C, T], sentences joined; phonemes in seconds; notes: one line each."""

    latent: Latent
    waveform: Waveform
    phonemes: tuple[TimedPhoneme, ...]
    dropped_symbols: tuple[str, ...]
    notes: tuple[str, ...]


def decode(vits: FrozenVits, pieces: Pieces, voice: str) -> Synthesis:
    """Decode piece by piece: decoders reach into padding, so a batch would change the ends."""
    parts: list[torch.Tensor] = []
    for latent, pause in zip(pieces.latents, pieces.pause_frames, strict=True):
        decoded = vits.decode(latent, voice)
        parts += [decoded.item(0), decoded.samples.new_zeros(pause * vits.hop_length)]
    waveform = Waveform.of(torch.cat(parts), vits.sampling_rate)
    phonemes = pieces.timed_phonemes(1 / vits.frames_per_second)
    return Synthesis(pieces.joined(), waveform, phonemes, pieces.dropped, pieces.notes)
