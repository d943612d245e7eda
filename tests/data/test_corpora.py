"""Readers of the corpus layouts, on tiny folders that mimic what was published."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from latent_edit.data.corpora import Utterance, licences, read_corpus
from latent_edit.errors import InputError


def tone(seconds: float, rate: int, gain: float = 0.5) -> np.ndarray:
    return gain * np.sin(2 * np.pi * 440 * np.arange(round(seconds * rate)) / rate)


def write(path: Path, samples: np.ndarray, rate: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, samples, rate)


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    for name in ("kathleen/1.wav", "sam_a/2.wav", "newcomer/3.wav"):
        write(tmp_path / name, tone(0.2, 22_050), 22_050)
    lines = [
        "file,speaker,text,seconds,source",
        'kathleen/1.wav,kathleen,"Not at this particular case, Tom, apologized Whittemore.",0.2,a.wav',
        "sam_a/2.wav,sam_a,Don’t wait.,0.2,b.wav",
        "newcomer/3.wav,newcomer,Hello.,0.2,c.wav",
    ]
    (tmp_path / "manifest.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return tmp_path


def test_manifest(manifest: Path) -> None:
    assert read_corpus(manifest) == [
        Utterance(
            manifest / "kathleen/1.wav",
            "kathleen",
            "Not at this particular case, Tom, apologized Whittemore.",
            "CC0-1.0",
        ),
        Utterance(manifest / "sam_a/2.wav", "sam_a", "Don’t wait.", "Apache-2.0"),
        Utterance(manifest / "newcomer/3.wav", "newcomer", "Hello.", "unknown"),
    ]


def test_a_manifest_may_name_the_licence(manifest: Path) -> None:
    table = manifest / "manifest.csv"
    table.write_text("speaker,licence,text,file\nme,CC-BY-4.0,Hello.,sam_a/2.wav\n", encoding="utf-8")
    assert [u.licence for u in read_corpus(manifest)] == ["CC-BY-4.0"]
    assert licences(read_corpus(manifest)) == "CC-BY-4.0 (me)"


def test_a_manifest_without_a_column_says_which(manifest: Path) -> None:
    (manifest / "manifest.csv").write_text("file,text\na.wav,Hello.\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"lacks the column.*speaker"):
        read_corpus(manifest)


@pytest.mark.parametrize("row", ["sam_a/2.wav,sam_a", "sam_a/2.wav,,Hello.", ",sam_a,Hello."])
def test_a_manifest_with_a_gap_says_where(manifest: Path, row: str) -> None:
    (manifest / "manifest.csv").write_text(f"file,speaker,text\nsam_a/2.wav,sam_a,Hello.\n{row}\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"manifest\.csv, line 3: file, speaker or text is missing"):
        read_corpus(manifest)


def test_ljspeech_as_published(tmp_path: Path) -> None:
    write(tmp_path / "wavs" / "LJ001-0001.wav", tone(0.2, 22_050), 22_050)
    lines = [
        'LJ001-0001|Printing, in the only sense of "1870"|Printing, in the only sense of "eighteen seventy"',
        "LJ001-0002|in being comparatively modern.|in being comparatively modern.",
    ]
    (tmp_path / "metadata.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    first, second = read_corpus(tmp_path)
    text = 'Printing, in the only sense of "eighteen seventy"'
    assert first == Utterance(tmp_path / "wavs/LJ001-0001.wav", "ljspeech", text, "public domain")
    assert second.path.name == "LJ001-0002.wav"
    assert len(first.read(16_000)) == 3200


def test_a_broken_line_of_ljspeech_is_named(tmp_path: Path) -> None:
    (tmp_path / "wavs").mkdir()
    (tmp_path / "metadata.csv").write_text("LJ001-0001|a|a\nLJ001-0002|only two\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"metadata\.csv, line 2: expected id.text.normalised text"):
        read_corpus(tmp_path)


def test_vctk_as_published(tmp_path: Path) -> None:
    """Both microphones, a sentence that was not recorded by the first, and p315, whose texts were lost."""
    for speaker, number, microphone in (("p225", 1, 1), ("p225", 1, 2), ("p226", 2, 1), ("p226", 3, 2), ("p315", 1, 1)):
        name = f"{speaker}/{speaker}_{number:03d}_mic{microphone}.flac"
        write(tmp_path / "wav48_silence_trimmed" / name, tone(0.1, 48_000, 0.1 * microphone), 48_000)
    for speaker, number, text in (
        ("p225", 1, "Please call Stella.\n"),
        ("p226", 2, "Ask her.\n"),
        ("p226", 3, "Six.\n"),
    ):
        path = tmp_path / "txt" / speaker / f"{speaker}_{number:03d}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    utterances = read_corpus(tmp_path)
    assert [(u.speaker, u.text, u.licence) for u in utterances] == [
        ("p225", "Please call Stella.", "CC-BY-4.0"),
        ("p226", "Ask her.", "CC-BY-4.0"),
    ]
    samples = utterances[0].read(16_000)
    assert len(samples) == 1600
    assert np.abs(samples).max() == pytest.approx(0.1, abs=0.01)  # microphone 1


def test_reading_gives_mono_at_the_rate_asked_for_and_keeps_the_level(tmp_path: Path) -> None:
    path = tmp_path / "stereo.wav"
    write(path, np.stack([tone(0.5, 48_000, 0.6), tone(0.5, 48_000, 0.2)], axis=1), 48_000)
    samples = Utterance(path, "me", "Hello.", "CC0-1.0").read(16_000)
    assert samples.dtype == np.float32
    assert samples.shape == (8000,)
    assert np.sqrt(2 * np.mean(samples[1000:-1000] ** 2)) == pytest.approx(0.4, rel=0.01)
    spectrum = np.abs(np.fft.rfft(samples))
    assert np.argmax(spectrum) == pytest.approx(440 * 0.5, abs=1)


@pytest.mark.parametrize("content", [None, b"no sound at all"])
def test_a_recording_that_cannot_be_read_is_named(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "odd.wav"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=r"cannot read the recording .*odd\.wav"):
        Utterance(path, "me", "Hello.", "CC0-1.0").read(16_000)


def test_other_folders_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no corpus this project can read"):
        read_corpus(tmp_path)
    (tmp_path / "manifest.csv").write_text("file,speaker,text\n", encoding="utf-8")
    with pytest.raises(InputError, match="lists no utterances"):
        read_corpus(tmp_path)
