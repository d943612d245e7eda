"""Pairs of two takes: one sentence, one person, two manners. What a bridge learns from people instead of made styles.

Both takes are encoded as one speaker of the voice, and the plain one is warped onto the timing of the styled one,
phoneme by phoneme, so that their frames correspond. All but the words may change between them: F0, energy, spectrum,
breath. Prepared, they are `data.latents.Latents` with the warped plain take as `neutral` and the styled as `target`.
"""

from __future__ import annotations

import csv
import json
import logging
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from difflib import SequenceMatcher
from functools import lru_cache, partial
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
from torch import Tensor

from latent_edit.data.corpora import Utterance, read_corpus
from latent_edit.data.latents import Latents
from latent_edit.data.splits import Split, select, sentence_key
from latent_edit.errors import InputError
from latent_edit.files import write_text
from latent_edit.models.alignment import same_moments
from latent_edit.recording import levelled, nearest_speaker
from latent_edit.types import Latent, Waveform

if TYPE_CHECKING:
    from latent_edit.models.clap import StyleEncoder
    from latent_edit.models.vits import FrozenVits

logger = logging.getLogger(__name__)
NEUTRAL = "neutral"  # the style of plain takes in acted speech
LEAST_HEARD_PERCENT = 80.0  # of listeners who recognise what is acted; other takes are left out
LABELS, LABELS_SUFFIX = "lablaut", "xx.lablaut"  # as EmoDB names them
STRESS = frozenset("123")  # of a word, of a sentence, of a contrast
TABLE, TENSORS = "takes.json", "takes.safetensors"


@dataclass(frozen=True)
class TakePair:
    """Two takes of one sentence by one person.

    manner: of the styled take. voice: the speaker as whom both are encoded; None is the nearest of the voice's. labels:
    files of their phone labels; None where monotonic alignment search is to find the phonemes.
    """

    plain: Utterance
    styled: Utterance
    manner: str
    voice: str | None
    labels: tuple[Path, Path] | None = None


@dataclass(frozen=True)
class Take:
    """The target of a prepared example. speaker: index of the voice's speaker. warp: duration over the plain take's."""

    person: str
    manner: str
    sentence: str
    speaker: int
    warp: float
    kind: str = "take"


def recorded_pairs(corpus: Path, plain: str, styled: str, split: Split) -> list[TakePair]:
    """The sentences of a split that two of a corpus' voices, one person in two manners, both have recorded.

    Encoded as the plain voice: so the speaker's identity stays, and whatever the manner is has to be in the latent.
    """
    takes: dict[str, dict[str, Utterance]] = {plain: {}, styled: {}}
    for utterance in reversed(select(read_corpus(corpus), split)):
        if utterance.speaker in takes:
            takes[utterance.speaker][sentence_key(utterance.text)] = utterance  # of several takes the first
    shared = sorted(takes[plain].keys() & takes[styled].keys())
    if not shared:
        raise InputError(
            f"{corpus} has no {split} sentence that both {plain} and {styled} say; name two that share some"
        )
    return [TakePair(takes[plain][key], takes[styled][key], styled, plain) for key in shared]


def acted_pairs(folder: Path, without: Sequence[str] = ()) -> list[TakePair]:
    """Each take of a feeling beside the first neutral take of the sentence by the same actor, with their phone labels.

    folder: manifest.csv (file, speaker, sentence, text, style, heard_percent) and `lablaut/`, as of EmoDB (Burkhardt et
    al. 2005, Interspeech). without: actors who are left out. Raises InputError.
    """
    path = folder / "manifest.csv"
    if not path.is_file():
        raise InputError(f"{folder} has no manifest.csv; give a folder of acted speech")
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    if not rows or not {"file", "speaker", "sentence", "text", "style", "heard_percent"} <= rows[0].keys():
        raise InputError(f"{path} needs the columns file, speaker, sentence, text, style and heard_percent")
    takes: dict[tuple[str, str], list[dict[str, str]]] = defaultdict(list)
    for row in rows:
        if row["speaker"] not in without and float(row["heard_percent"]) >= LEAST_HEARD_PERCENT:
            takes[row["speaker"], row["sentence"]].append(row)
    found = []
    for own in takes.values():
        neutral = [row for row in own if row["style"] == NEUTRAL][:1]
        for first, second in product(neutral, [row for row in own if row["style"] != NEUTRAL]):
            plain, styled = (Utterance(folder / r["file"], r["speaker"], r["text"], "CC0-1.0") for r in (first, second))
            labels = (_labels(folder, plain), _labels(folder, styled))
            found.append(TakePair(plain, styled, second["style"], None, labels))
    return found


def _labels(folder: Path, take: Utterance) -> Path:
    return folder / LABELS / f"{take.path.stem}{LABELS_SUFFIX}"


class Phone(NamedTuple):
    """A phone, a closure or a pause of a labelled clip. start: in the unit of the list it stands in."""

    start: float
    symbol: str
    stressed: bool = False


def read_phone_labels(path: Path) -> list[Phone]:
    """All phones of an xlabel file, in seconds; diacritics are left out."""
    if not path.is_file():
        raise InputError(f"there are no phone labels {path}; without them two takes cannot be aligned")
    _, _, body = path.read_text(encoding="latin-1").partition("\n#")
    fields = [line.split() for line in body.splitlines()]
    return [
        Phone(float(f[0]), f[2], not STRESS.isdisjoint(f[3:])) for f in fields if len(f) > 2 and f[2][0] not in "+-"
    ]


def shared_phones(plain: Sequence[Phone], styled: Sequence[Phone]) -> list[tuple[int, int]]:
    """Where in the one and where in the other take each phone stands that both have, in order."""
    first, second = ([phone.symbol for phone in phones] for phones in (plain, styled))
    blocks = SequenceMatcher(None, first, second, autojunk=False).get_matching_blocks()
    return [(block.a + offset, block.b + offset) for block in blocks for offset in range(block.size)]


def shared_segments(
    plain: Sequence[Phone], styled: Sequence[Phone], plain_end: float, styled_end: float
) -> tuple[Tensor, Tensor]:
    """How long each stretch between phones that both takes have lasts in either, [S] each, in the unit given.

    plain, styled: the phones. What only one of them has (an elision, a pause) belongs to the
    stretch that it lies in. The sums are the two ends.
    """
    edges = [(0.0, 0.0)]
    for first, second in shared_phones(plain, styled):
        here, there = plain[first].start, styled[second].start
        if edges[-1][0] < here < plain_end and edges[-1][1] < there < styled_end:
            edges.append((here, there))
    durations = torch.tensor([*edges, (plain_end, styled_end)], dtype=torch.float64).diff(dim=0)
    return durations[:, 0], durations[:, 1]


def aligned(vits: FrozenVits, pair: TakePair, plain: Latent, styled: Latent, voice: str) -> tuple[Tensor, Tensor]:
    """Durations in frames of the stretches of two takes that correspond, [S] each."""
    if pair.labels is None:
        phonemes = vits.phonemize(pair.plain.text)
        first, second = (vits.align(latent, phonemes, voice).durations[0].double() for latent in (plain, styled))
        return first, second
    labels = [
        [phone._replace(start=phone.start * vits.frames_per_second) for phone in read_phone_labels(path)]
        for path in pair.labels
    ]
    return shared_segments(labels[0], labels[1], plain.z.shape[2], styled.z.shape[2])


def warped(latent: Latent, durations: Tensor, onto: Tensor) -> Latent:
    """A latent [1, C, T] whose stretches last `durations` [S], with each of them as long as in `onto` [S]."""
    return latent.at(same_moments(durations, onto))


def take_sound(vits: FrozenVits, take: Utterance) -> Waveform:
    """A take at the voice's rate; a stranger's, whose level means nothing, at the loudness of the voices."""
    sound = Waveform.of(torch.from_numpy(take.read(vits.sampling_rate)), vits.sampling_rate)
    return sound if take.speaker in vits.speakers else levelled(sound)


def encode_take(vits: FrozenVits, take: Utterance, voice: str) -> Latent:
    """Z_audio of a take: the posterior's mean."""
    return vits.encode_speech(take_sound(vits, take), voice)


def prepare_takes(vits: FrozenVits, encoder: StyleEncoder, pairs: Sequence[TakePair], folder: Path) -> int:
    """Write the examples of all pairs into a folder; returns how many there are.

    A pair with a take that is too short for its text is left out.
    """
    import safetensors.torch

    encode = lru_cache(maxsize=64)(partial(encode_take, vits))  # several takes have the same plain one
    nearest = {pair.plain.speaker: pair.plain for pair in reversed(pairs) if pair.voice is None}
    voices = {person: nearest_speaker(vits, take_sound(vits, take)) for person, take in nearest.items()}
    tensors: dict[str, Tensor] = {}
    takes: list[Take] = []
    for pair in pairs:
        voice = pair.voice or voices[pair.plain.speaker]
        plain, styled = encode(pair.plain, voice), encode(pair.styled, voice)
        try:
            source = warped(plain, *aligned(vits, pair, plain, styled, voice))
        except InputError as error:
            logger.info("left out, two takes of %r: %s", pair.plain.text, error)
            continue
        warp = styled.z.shape[2] / plain.z.shape[2]
        audio = encoder.embed_audio(take_sound(vits, pair.styled))[0]
        values = {"neutral": source.z[0].half(), "target": styled.z[0].half(), "audio": audio}
        tensors |= {f"{len(takes)}.{name}": value.contiguous() for name, value in values.items()}
        sentence = sentence_key(pair.styled.text)
        takes.append(Take(pair.styled.speaker, pair.manner, sentence, vits.speaker_id(voice), warp))
        if len(takes) % 50 == 0:
            logger.info("%d of %d pairs of takes", len(takes), len(pairs))
    if not takes:
        raise InputError(
            "there is no pair of takes to prepare: give a corpus in which one person says a sentence twice"
        )
    folder.mkdir(parents=True, exist_ok=True)
    safetensors.torch.save_file(tensors, folder / TENSORS)
    hashes = {"latent_hash": vits.latent_hash, "voice_hash": vits.hash, "style_hash": encoder.hash}
    write_text(folder / TABLE, json.dumps({**hashes, "takes": [asdict(take) for take in takes]}))
    return len(takes)


def load_takes(folder: Path) -> Latents:
    """What `prepare_takes` wrote. Another clip in the same style is one of the manner with another sentence."""
    from safetensors.torch import load_file

    if not (folder / TABLE).is_file():
        raise InputError(f"{folder} holds no takes: run `python -m latent_edit prepare takes` first")
    content = json.loads((folder / TABLE).read_text(encoding="utf-8"))
    takes = [Take(**fields) for fields in content.pop("takes")]
    tensors = load_file(folder / TENSORS)
    column = {
        name: [tensors[f"{index}.{name}"] for index in range(len(takes))] for name in ("neutral", "target", "audio")
    }
    audio_style = torch.stack(column["audio"])
    manners, sentences = (np.array([getattr(take, name) for take in takes]) for name in ("manner", "sentence"))
    return Latents(
        examples={name: column[name] for name in ("neutral", "target")},
        items=takes,
        speaker=np.array([take.speaker for take in takes]),
        audio_style=audio_style,
        caption_styles=[audio_style[:0]] * len(takes),
        similar=[np.flatnonzero((manners == t.manner) & (sentences != t.sentence)) for t in takes],
        **content,
    )
