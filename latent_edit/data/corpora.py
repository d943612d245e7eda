"""One reader per corpus layout. A reader yields `Utterance`s; audio is decoded only when it is asked for."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from latent_edit.errors import InputError


@dataclass(frozen=True)
class Utterance:
    """One recorded sentence: audio file, who speaks, what is said, and under which licence it may be used."""

    path: Path
    speaker: str
    text: str
    licence: str

    def read(self, sampling_rate: int) -> np.ndarray:
        """Mono float32 samples [N] at `sampling_rate`, levels as recorded. Raises InputError."""
        import soundfile

        from latent_edit.audio import resample

        try:
            samples, rate = soundfile.read(self.path, dtype="float32", always_2d=True)
        except (OSError, soundfile.SoundFileError) as error:
            raise InputError(f"cannot read the recording {self.path}; check the corpus ({error})") from error
        return resample(samples.mean(axis=1), rate, sampling_rate)


# Licences of the four voices of the manifest layout (see NOTICE.md).
MANIFEST_LICENCES = {
    "kathleen": "CC0-1.0",
    "sam_a": "Apache-2.0",
    "sam_b": "Apache-2.0",
    "robotutor": "CC-BY-4.0",
}


def read_manifest(folder: Path) -> Iterator[Utterance]:
    """`manifest.csv` with the columns file, speaker, text (further columns are allowed), files relative to it."""
    with (folder / "manifest.csv").open(newline="", encoding="utf-8") as file:
        rows = csv.DictReader(file)
        if missing := {"file", "speaker", "text"} - set(rows.fieldnames or ()):
            raise InputError(f"{folder / 'manifest.csv'} lacks the column(s) {', '.join(sorted(missing))}")
        for row in rows:
            if not (row["file"] and row["speaker"] and row["text"]):
                raise InputError(f"{folder / 'manifest.csv'}, line {rows.line_num}: file, speaker or text is missing")
            licence = row.get("licence") or MANIFEST_LICENCES.get(row["speaker"], "unknown")
            yield Utterance(folder / row["file"], row["speaker"], row["text"], licence)


def read_ljspeech(folder: Path) -> Iterator[Utterance]:
    """LJSpeech 1.1 as published: `metadata.csv` (id|text|normalised text) and `wavs/`. Public domain."""
    path = folder / "metadata.csv"
    for number, line in enumerate(path.read_text(encoding="utf-8").rstrip("\n").split("\n"), 1):
        if line.count("|") != 2:
            raise InputError(f"{path}, line {number}: expected id|text|normalised text, not {line[:60]!r}")
        identifier, _, normalised = line.split("|")
        yield Utterance(folder / "wavs" / f"{identifier}.wav", "ljspeech", normalised, "public domain")


def read_vctk(folder: Path) -> Iterator[Utterance]:
    """VCTK 0.92 as published: `txt/p225/p225_001.txt`, `wav48_silence_trimmed/p225/p225_001_mic1.flac`. CC BY 4.0.

    Sentences without a recording of microphone 1 (p315 has no text at all) are left out.
    """
    for transcript in sorted((folder / "txt").glob("*/*.txt")):
        speaker = transcript.parent.name
        path = folder / "wav48_silence_trimmed" / speaker / f"{transcript.stem}_mic1.flac"
        if path.is_file():
            yield Utterance(path, speaker, transcript.read_text(encoding="utf-8").strip(), "CC-BY-4.0")


def read_corpus(folder: Path) -> list[Utterance]:
    """Utterances of a folder in any of the known layouts, recognised by its files."""
    if (folder / "manifest.csv").is_file():
        reader = read_manifest
    elif (folder / "metadata.csv").is_file() and (folder / "wavs").is_dir():
        reader = read_ljspeech
    elif (folder / "wav48_silence_trimmed").is_dir():
        reader = read_vctk
    else:
        raise InputError(
            f"{folder} is no corpus this project can read: expected manifest.csv (file, speaker, text), "
            "LJSpeech (metadata.csv and wavs/) or VCTK (txt/ and wav48_silence_trimmed/)"
        )
    try:
        utterances = list(reader(folder))
    except UnicodeDecodeError as error:
        raise InputError(f"a text in the corpus {folder} is not UTF-8: convert it ({error})") from error
    if not utterances:
        raise InputError(f"the corpus {folder} lists no utterances")
    return utterances


def licences(utterances: Sequence[Utterance]) -> str:
    """Under which licences these voices may be used, for people: "CC0-1.0 (kathleen), unknown (me)"."""
    voices: dict[str, set[str]] = {}
    for utterance in utterances:
        voices.setdefault(utterance.licence, set()).add(utterance.speaker)
    return ", ".join(f"{licence} ({', '.join(sorted(voices[licence]))})" for licence in sorted(voices))
