"""Training of the decoder alone, from a pack, on a machine with little installed."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import safetensors.torch
import torch
from tiny_voices import HOP, SPEAKERS, buzz, tiny_speech, tiny_voice

from latent_edit.data.pack import Pack, Piece, packed, voice_pack
from latent_edit.errors import CheckpointError, InputError
from latent_edit.models.discriminators import Discriminators
from latent_edit.models.embedded_vits import save_voice
from latent_edit.models.source_filter_decoder import SourceFilterDecoder, with_subframes
from latent_edit.models.spectrogram import mel_filters
from latent_edit.models.vits import FrozenVits
from latent_edit.training import loop, vits_decoder

FRAMES = 20
SETTINGS = vits_decoder.DecoderSettings(
    steps=2, batch_size=4, segment_frames=12, adversarial_frames=6, styled_share=0.5, warmup_steps=0
)
OTHER_PACKAGES = {
    *("torchaudio", "torchvision", "transformers", "diffusers", "laion_clap", "tokenizers", "huggingface_hub", "scipy"),
    *("phonemizer", "soundfile", "soxr", "parselmouth", "pyloudnorm", "pydantic", "yaml", "typer", "matplotlib", "PIL"),
    *("gradio", "fastapi", "monotonic_alignment_search", "librosa"),
}


def pieces(count: int = 6) -> list[Piece]:
    generator = torch.Generator().manual_seed(1)
    return [
        Piece(
            samples=torch.from_numpy(buzz(FRAMES * HOP / 16_000, 110 + 10 * i, i)) * (3.0 if i % 3 == 2 else 0.5),
            latent=torch.randn(8, FRAMES, generator=generator),
            pitch=torch.full((FRAMES,), 110.0 + 10 * i),
            speaker=i % len(SPEAKERS),
            styled=i % 3 == 2,
        )
        for i in range(count)
    ]


def tiny_pack(megabytes: float = 10.0, pieces_: list[Piece] | None = None) -> Pack:
    voice = tiny_voice()
    return packed(
        pieces() if pieces_ is None else pieces_,
        megabytes,
        sizes=voice.config.decoder_sizes,
        speakers=voice.embed_speaker.weight.detach().clone(),
        deviation=torch.full((8,), 0.4),
        mels={size: mel_filters(16_000, size, size // 16) for size in (1024, 256)},
        decoder=voice.decoder.state_dict(),
        discriminators={},
    )


@pytest.fixture
def pack_file(tmp_path: Path) -> Path:
    path = tmp_path / "a.pack"
    tiny_pack().save(path)
    return path


def test_a_pack_holds_what_was_put_in(pack_file: Path) -> None:
    pack, wanted = Pack.load(pack_file), pieces()
    assert pack.sizes == tiny_voice().config.decoder_sizes
    assert pack.frames.tolist() == [FRAMES] * len(wanted)
    assert pack.styled.tolist() == [p.styled for p in wanted]
    task = vits_decoder.DecoderTask(pack, SETTINGS)
    samples, latents, pitch, speaker = task.segments(0, True, 3)
    assert samples.shape == (3, 12 * HOP)
    assert latents.shape == (3, 8, 12)
    loud = [p for p in wanted if p.styled]  # beyond full scale, and given back so
    for row in range(3):
        piece = next(p for p in loud if p.pitch[0] == pitch[row, 0])
        assert torch.allclose(speaker[row, :, 0], pack.speakers[piece.speaker], atol=1e-3)
        places = [i for i in range(FRAMES - 11) if torch.allclose(piece.latent[:, i : i + 12], latents[row], atol=0.01)]
        cut = piece.samples[places[0] * HOP : (places[0] + 12) * HOP]
        assert torch.allclose(samples[row], cut, atol=1e-3)


def test_a_pack_is_no_larger_than_it_may_be(tmp_path: Path) -> None:
    whole = tiny_pack()
    whole.save(tmp_path / "whole")
    size = (tmp_path / "whole").stat().st_size / 1e6
    tiny_pack(size - 0.015).save(tmp_path / "part")
    assert 0 < len(Pack.load(tmp_path / "part").frames) < len(whole.frames)
    assert (tmp_path / "part").stat().st_size / 1e6 < size - 0.01
    with pytest.raises(InputError, match="no recording fits"):
        tiny_pack(1.0)


def test_what_is_no_pack_is_refused(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("hello")
    safetensors.torch.save_file({"x": torch.zeros(1)}, tmp_path / "other")
    for name in ("text", "other", "absent"):
        with pytest.raises(CheckpointError, match=name):
            Pack.load(tmp_path / name)


def test_training_goes_on_where_it_stopped(tmp_path: Path) -> None:
    pack = tiny_pack()
    settings = replace(SETTINGS, steps=4)
    whole = safetensors.torch.load_file(vits_decoder.train(pack, tmp_path / "whole", settings))
    torch.manual_seed(settings.seed)
    task = vits_decoder.DecoderTask(pack, settings)
    loop.run(task, tmp_path / "parts", 2, settings.seed)  # the same learning rates, two steps
    parts = safetensors.torch.load_file(vits_decoder.train(pack, tmp_path / "parts", settings, resume=True))
    assert whole.keys() == parts.keys()
    assert all(torch.equal(whole[name], parts[name]) for name in whole)
    started = {f"decoder.{k}": v for k, v in with_subframes(pack.decoder, pack.sizes, 4).items()}
    moved = {name for name, value in started.items() if not torch.equal(value.half(), whole[name])}
    assert "decoder.noise_filter.weight" in moved
    assert not any(name.startswith("decoder.pitch.") for name in moved)  # F0 is read as it was


def test_more_filters_per_frame_sound_nearly_the_same() -> None:
    voice = tiny_voice()
    sizes = voice.config.decoder_sizes
    finer = SourceFilterDecoder(replace(sizes, subframes=4)).eval()
    finer.load_state_dict(with_subframes(voice.decoder.state_dict(), sizes, 4))
    latent, speaker = torch.randn(1, 8, 30), voice.embed_speaker.weight[:1, :, None]
    with torch.no_grad():
        pitch = voice.decoder.pitch.pitch(latent, speaker)
        old, new = (decoder.filters(latent, speaker, pitch) for decoder in (voice.decoder, finer))
    for before, after in zip(old, new, strict=True):
        assert torch.allclose(after, before[:, ::2].repeat_interleave(2, dim=2), atol=1e-5)
    with pytest.raises(InputError, match="multiple"):
        with_subframes(voice.decoder.state_dict(), sizes, 3)


def test_a_pack_is_trained_with_torch_alone(pack_file: Path, tmp_path: Path) -> None:
    """As on a rented machine: of the project's packages there are torch, numpy and safetensors."""
    blocker = f"""
import sys
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {OTHER_PACKAGES!r}:
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Absent())
from latent_edit.training.vits_decoder import main
main(["{pack_file}", "--out", "{tmp_path / "out"}", "--steps", "1", "--segment-frames", "12",
      "--adversarial-frames", "6", "--batch-size", "2"])
"""
    done = subprocess.run([sys.executable, "-c", blocker], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out" / loop.LOG_NAME).is_file()
    trained = safetensors.torch.load_file(tmp_path / "out" / vits_decoder.TRAINED_NAME)
    assert trained["decoder.noise_filter.bias"].shape == (4 * 129,)


def test_a_trained_decoder_takes_its_place_in_the_voice(tmp_path: Path) -> None:
    save_voice(tiny_voice(), tmp_path / "voice", Discriminators().state_dict())
    voice = FrozenVits.load(tmp_path / "voice")
    speech, styled = tiny_speech(6), tiny_speech(4, seed=9, full_scale=8.0)
    pack = voice_pack(voice, speech, styled, {}, 10.0, {"styled_share": 0.5})
    assert set(pack.styled.tolist()) == {True, False}
    assert float(pack.deviation.min()) > 0
    natural = next(i for i in range(len(pack.frames)) if not pack.styled[i])
    start = int(pack.frames[:natural].sum())
    frames = slice(start, start + int(pack.frames[natural]))
    originals = [i for i in range(6) if len(speech.frames(i)) == int(pack.frames[natural])]
    taken = pack.samples[frames.start * HOP : frames.stop * HOP].float().numpy()
    assert any(abs(taken - 32767 * speech.audio(i)[: len(taken)]).max() <= 1 for i in originals)
    trained = vits_decoder.train(pack, tmp_path / "out", replace(SETTINGS, segment_frames=20))
    vits_decoder.export(trained, tmp_path / "voice", voice.latent_hash, tmp_path / "new")
    new = FrozenVits.load(tmp_path / "new")
    assert new.latent_hash == voice.latent_hash  # bridges stay valid
    assert new.source_filter_decoder.subframes == 4
    z = torch.randn(1, 8, 9)
    speaker = new.speaker_embedding("ben").unsqueeze(2)
    wanted = SourceFilterDecoder(replace(pack.sizes, subframes=4)).eval()
    weights = safetensors.torch.load_file(trained)
    wanted.load_state_dict({k.removeprefix("decoder."): v for k, v in weights.items() if k.startswith("decoder.")})
    with torch.no_grad():
        assert torch.equal(new.source_filter_decoder(z, speaker), wanted(z, speaker))
    with pytest.raises(CheckpointError, match="another voice"):
        vits_decoder.export(trained, tmp_path / "voice", "other", tmp_path / "wrong")
