"""Speech in place of a text: over tiny random checkpoints, with whatever file a person may have."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch
from synthetic_speech import speech_like

from latent_edit import EditRequest, LatentEditor
from latent_edit.errors import InputError
from latent_edit.optimize.corrections import invert
from latent_edit.recording import LOUDNESS_LUFS, cleaned, levelled, nearest_speaker, quality
from latent_edit.types import Waveform

RATE = 16_000


def clip(folder: Path, rate: int = RATE, channels: int = 1, seconds: float = 1.0, name: str = "clip.wav") -> Path:
    """A recording on disk."""
    samples = speech_like(seconds, rate)
    soundfile.write(folder / name, np.stack([samples] * channels, axis=1), rate)
    return folder / name


def request(recording: Path, **changes: Any) -> EditRequest:
    return EditRequest(**{"text": "", "voice": "anna", "prompt": "calm", "steps": 2, "recording": recording, **changes})


def test_a_recording_is_said_again_and_edited(tiny_editor: LatentEditor, tmp_path: Path) -> None:
    result = tiny_editor.edit(request(clip(tmp_path)))
    vits = tiny_editor.vits
    assert result.recording is not None
    recording = levelled(result.recording)
    latent = invert(vits, vits.encode_speech(recording, "anna"), recording, "anna")
    assert torch.equal(result.z_text.z, latent.z)
    assert torch.equal(result.before.samples, vits.decode(latent, "anna").samples)
    assert result.notes == ()
    assert (result.z_edit.z - result.z_source.z).abs().max() > 0.1
    assert result.phonemes_before == result.phonemes_after == ()
    assert result.measurements_before.pace_phonemes_per_second is None
    assert result.measurements_before.duration_seconds == pytest.approx(1.0, abs=0.02)


def test_the_bridge_is_walked_from_a_recording_too(tiny_editor: LatentEditor, tmp_path: Path) -> None:
    asked = request(clip(tmp_path))
    result, stops = tiny_editor.edit(asked), tiny_editor.along_the_bridge(asked)
    assert torch.equal(stops[0].latent.z, result.z_source.z)
    assert torch.equal(stops[asked.steps].waveform.samples, result.after.samples)


@pytest.mark.parametrize(("rate", "channels"), [(16_000, 2), (8_000, 1), (96_000, 1), (44_100, 6)])
def test_stereo_and_other_rates_just_work(tiny_editor: LatentEditor, tmp_path: Path, rate: int, channels: int) -> None:
    result = tiny_editor.edit(request(clip(tmp_path, rate, channels)))
    assert result.recording is not None
    assert result.recording.samples.shape == (1, RATE)
    assert result.before.samples.shape[1] == pytest.approx(RATE, abs=256)


def test_pace_stretches_all_of_it_alike(tiny_editor: LatentEditor, tmp_path: Path) -> None:
    recording = clip(tmp_path)
    slow = tiny_editor.edit(request(recording, pace=2.0, strength=0.0))
    source, stretched = slow.z_text.z, slow.z_source.z
    assert stretched.shape[2] == 2 * source.shape[2]
    # Frame t of the source lies between frames 2t and 2t + 1 of what is twice as long.
    middle = (stretched[:, :, 0::2] + stretched[:, :, 1::2])[:, :, 1:-1] / 2
    around = 0.75 * source[:, :, 1:-1] + 0.125 * (source[:, :, :-2] + source[:, :, 2:])
    torch.testing.assert_close(middle, around)
    same = tiny_editor.edit(request(recording, strength=0.0))
    assert torch.equal(same.after.samples, same.before.samples)


def test_loudness_of_the_microphone_does_not_matter() -> None:
    from latent_edit.audio import loudness_lufs

    for gain in (0.0003, 0.2, 1.0):  # the first is below -70 LUFS
        quiet = Waveform.of(gain * torch.from_numpy(speech_like(2.0)), RATE)
        assert loudness_lufs(levelled(quiet).item(0).numpy(), RATE) == pytest.approx(LOUDNESS_LUFS, abs=0.1)
    short = Waveform.of(torch.ones(1000), RATE)
    assert torch.equal(levelled(short).samples, short.samples)


def test_the_nearest_voice_is_the_one_that_says_it_again_best(
    tiny_editor: LatentEditor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recording = levelled(Waveform.of(torch.from_numpy(speech_like(1.0)), RATE))
    vits = tiny_editor.vits
    for best in tiny_editor.voices:
        monkeypatch.setattr(
            vits, "decode", lambda _, name, best=best: recording if name == best else _louder(recording)
        )
        assert nearest_speaker(vits, recording) == best
        assert tiny_editor.nearest_voice(clip(tmp_path)) == best


def _louder(waveform: Waveform) -> Waveform:
    return dataclasses.replace(waveform, samples=waveform.samples * 3)


def test_a_record_with_a_recording_is_complete_without_it(tiny_editor: LatentEditor, tmp_path: Path) -> None:
    recording = clip(tmp_path, 48_000, 2)
    first = tiny_editor.edit(request(recording)).save(tmp_path / "first", with_figures=False)
    assert str(tmp_path) not in first["edit.json"].read_text()
    recording.unlink()
    second = tiny_editor.repeat(first["edit.json"]).save(tmp_path / "second", with_figures=False)
    for name in ("before.wav", "after.wav", "recording.wav"):
        assert first[name].read_bytes() == second[name].read_bytes()


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"text": "Hello."}, "a text and a recording were both given"),
        ({"recording": None}, "the text is empty"),
        ({"prompt": ""}, "the prompt is empty"),
    ],
)
def test_one_source_is_needed_and_one_only(changes: dict[str, Any], complaint: str) -> None:
    with pytest.raises(InputError, match=complaint):
        request(**{"recording": Path("a.wav"), **changes})


@pytest.mark.parametrize(
    ("content", "complaint"),
    [(b"", "is empty"), (b"not audio at all", "as audio"), (None, "no audio file")],
)
def test_bad_files_are_said_to_be_so(
    tiny_editor: LatentEditor, tmp_path: Path, content: bytes | None, complaint: str
) -> None:
    path = tmp_path / "bad.wav"
    if content is not None:
        path.write_bytes(content)
    for use in (lambda: tiny_editor.edit(request(path)), lambda: tiny_editor.nearest_voice(path)):
        with pytest.raises(InputError, match=complaint):
            use()


def test_noise_is_said_to_be_there_and_taken_out(tiny_editor: LatentEditor, tmp_path: Path) -> None:
    samples = speech_like(2.0)
    noisy = samples + 0.02 * np.random.default_rng(0).standard_normal(samples.size)
    soundfile.write(tmp_path / "noisy.wav", noisy, RATE, subtype="FLOAT")
    result = tiny_editor.edit(request(tmp_path / "noisy.wav"))
    assert len(result.notes) == 1
    assert "noisy" in result.notes[0]
    assert result.recording is not None
    np.testing.assert_array_equal(result.recording.item(0).numpy(), noisy.astype(np.float32))  # kept as it was given
    given = cleaned(result.recording, quality(noisy, RATE))
    assert torch.equal(
        result.before.samples, tiny_editor.after(request(tmp_path / "noisy.wav", strength=0.0)).waveform.samples
    )
    assert not torch.equal(given.samples, levelled(result.recording).samples)


@pytest.mark.parametrize("field", ["recording", "reference"])
def test_noise_alone_is_refused(tiny_editor: LatentEditor, tmp_path: Path, field: str) -> None:
    soundfile.write(tmp_path / "noise.wav", 0.1 * np.random.default_rng(0).standard_normal(RATE), RATE)
    changes: dict[str, Any] = {field: tmp_path / "noise.wav"}
    if field == "reference":
        changes |= {"prompt": "", "text": "Hello.", "recording": None}
    with pytest.raises(InputError, match=r"no speech can be made out in .*noise\.wav"):
        tiny_editor.edit(request(**{"recording": tmp_path / "noise.wav", **changes}))


@pytest.mark.parametrize(("seconds", "complaint"), [(31.0, "the limit is 30"), (0.15, "too short")])
def test_length_is_limited(tiny_editor: LatentEditor, tmp_path: Path, seconds: float, complaint: str) -> None:
    with pytest.raises(InputError, match=complaint):
        tiny_editor.edit(request(clip(tmp_path, seconds=seconds)))
