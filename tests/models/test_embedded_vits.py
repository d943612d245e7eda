"""The embedded voice's decoder and checkpoint."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from tiny_voices import HOP, SPEAKERS, buzz, tiny_voice
from torch import Tensor, nn

from latent_edit import checkpoint
from latent_edit.models.discriminators import Discriminators, discriminator_loss, feature_loss, generator_loss
from latent_edit.models.embedded_vits import (
    DISCRIMINATORS_NAME,
    EmbeddedVits,
    EmbeddedVitsConfig,
    initialise_for_training,
    save_voice,
)
from latent_edit.models.source_filter_decoder import SourceFilterDecoder
from latent_edit.models.spectrogram import linear_spectrogram
from latent_edit.models.vits import FrozenVits

FFT = 1024
SUBFRAMES = 2  # of a voice for which nothing else is said
FILTER_HOP, FILTER_FFT = HOP // SUBFRAMES, FFT // SUBFRAMES


def complex_frames(samples: Tensor) -> Tensor:
    """What the decoder's filters are to make of a source of ones, [1, bins, SUBFRAMES * T]."""
    padding = (FILTER_FFT - FILTER_HOP) // 2
    padded = nn.functional.pad(samples[None, None], (padding, padding), mode="reflect")[0]
    window = torch.hann_window(FILTER_FFT)
    return torch.stft(padded, FILTER_FFT, FILTER_HOP, window=window, center=False, return_complex=True)


def synthesise(spectrum: Tensor) -> Tensor:
    """What the decoder makes of filters [1, bins, SUBFRAMES * T] for a source of ones, [T * HOP]."""
    decoder = tiny_voice().decoder
    pulses = (spectrum.abs().clamp(min=1e-9).log(), spectrum.angle())
    decoder.filters = lambda *_: (torch.full(spectrum.shape, -torch.inf), *pulses)
    decoder._spectrum = lambda _: torch.ones_like(spectrum)
    with torch.no_grad():
        return decoder(torch.zeros(1, 8, spectrum.shape[2] // SUBFRAMES))[0, 0]


@pytest.mark.parametrize("frame", [0, 1, 9, 18, 19])
def test_a_frame_lies_at_the_middle_of_its_hop(frame: int) -> None:
    """An impulse at the middle of a frame comes back there, and so does one in the middle of a filter."""
    for position in (frame * HOP + HOP // 2, frame * HOP + FILTER_HOP // 2):
        samples = torch.zeros(20 * HOP)
        samples[position] = 1.0
        energies = linear_spectrogram(samples[None], FFT, HOP).square().sum(1)[0]
        assert energies.argmax() == frame
        heard = synthesise(complex_frames(samples))
        assert heard.abs().argmax() == position
        # Less of it in the first filters, of which one more stands in front.
        assert heard[position] == pytest.approx(1.0, abs=0.2 if frame == 0 else 0.001)


def test_analysis_and_synthesis_line_up() -> None:
    samples = torch.from_numpy(buzz(20 * HOP / 16_000, 180))
    heard = synthesise(complex_frames(samples))
    assert torch.allclose(heard[FFT:-FFT], samples[FFT:-FFT], atol=1e-4)
    assert np.corrcoef(heard.numpy(), samples.numpy())[0, 1] > 0.98


@pytest.mark.parametrize("samples", [16_000, 16_001, 16_127, 16_128])
def test_the_spectrogram_has_a_frame_for_each_whole_hop(samples: int) -> None:
    assert linear_spectrogram(torch.zeros(2, samples), FFT, HOP).shape == (2, FFT // 2 + 1, samples // HOP)


@pytest.mark.parametrize("frames", [1, 2, 7, 40])
def test_the_decoder_gives_a_hop_of_samples_for_each_frame(frames: int) -> None:
    voice = tiny_voice()
    z = torch.randn(2, 8, frames)
    speaker = voice.embed_speaker.weight[:, :, None]
    assert voice.decoder(z, speaker).shape == (2, 1, frames * HOP)


def test_the_decoder_hears_speaker_and_latent() -> None:
    voice = tiny_voice().eval()
    z = torch.randn(1, 8, 40)
    anna, ben = (voice.decoder(z, voice.embed_speaker.weight[i : i + 1, :, None]) for i in range(2))
    assert not torch.allclose(anna, ben)
    later = z.clone()
    later[:, :, 39] += 1
    changed = (voice.decoder(later, voice.embed_speaker.weight[:1, :, None]) - anna).abs()[0, 0] > 1e-6
    assert changed[39 * HOP + HOP // 2]
    # The pitch predictor hears nine frames, input and block three each, a window two more.
    assert not changed[: 21 * HOP].any()


def test_what_is_unvoiced_does_not_buzz_at_the_frame_rate() -> None:
    """One latent frame over and over is noise: no frame is like the one before it."""
    decoder = tiny_voice().eval().decoder
    with torch.no_grad():
        heard = decoder(torch.ones(1, 8, 60), pitch=torch.zeros(1, 60))[0, 0, 4 * HOP : -4 * HOP].numpy()
    assert heard.std() > 0
    assert abs(np.corrcoef(heard[HOP:], heard[:-HOP])[0, 1]) < 0.15


def test_a_loud_frame_is_bounded() -> None:
    """Early in training a wild magnitude must not become infinite."""
    decoder, latent, pitch = tiny_voice().decoder, torch.zeros(1, 8, 5), torch.full((1, 5), 100.0)
    with torch.no_grad():
        for layer in (decoder.noise_filter, decoder.pulse_filter):
            layer.bias.fill_(1e30)
        assert torch.isfinite(decoder(latent, torch.zeros(1, 4, 1), pitch)).all()


def test_saved_and_loaded_by_transformers(tmp_path: Path) -> None:
    voice = tiny_voice().eval()
    voice.save_pretrained(tmp_path)
    loaded, information = EmbeddedVits.from_pretrained(tmp_path, output_loading_info=True)
    assert {kind: list(names) for kind, names in information.items() if names} == {}
    assert loaded.config.speakers == SPEAKERS
    assert isinstance(loaded.config, EmbeddedVitsConfig)
    assert (loaded.config.decoder_width, loaded.config.hop_length, loaded.config.fft_size) == (16, HOP, FFT)
    state = loaded.state_dict()
    assert state.keys() == voice.state_dict().keys()
    assert all(torch.equal(tensor, state[name]) for name, tensor in voice.state_dict().items())
    z, speaker = torch.randn(1, 8, 12), voice.embed_speaker.weight[:1, :, None]
    assert torch.equal(loaded.eval().decoder(z, speaker), voice.decoder(z, speaker))


def test_the_voice_checkpoint_holds_what_training_goes_on_from(tmp_path: Path) -> None:
    voice, discriminators = tiny_voice(), Discriminators()
    save_voice(voice, tmp_path, discriminators.state_dict())
    assert sorted(path.name for path in tmp_path.iterdir()) == ["config.json", DISCRIMINATORS_NAME, "model.safetensors"]
    assert json.loads((tmp_path / "config.json").read_text())["model_type"] == "istft_vits"
    frozen = FrozenVits.load(tmp_path)
    assert frozen.speakers == {"anna": 0, "ben": 1}
    assert torch.equal(frozen.speaker_embedding("ben"), voice.embed_speaker.weight[1:].half().float())
    checkpoint.strict_load(Discriminators(), checkpoint.load_tensors(tmp_path, DISCRIMINATORS_NAME))


def test_names_of_weights_are_those_of_trained_checkpoints() -> None:
    """A rename would make every trained voice useless."""
    names = {name.split(".")[0] for name in tiny_voice().state_dict()}
    assert names == {"decoder", "duration_predictor", "embed_speaker", "flow", "posterior_encoder", "text_encoder"}
    decoder = set(SourceFilterDecoder(tiny_voice().config.decoder_sizes).state_dict())
    block = {f"blocks.0.{name}" for name in ("scale", *LAYERS)}
    pitch = ("input", "speaker", "hidden.0", "hidden.1", "output")
    layers = ("input", "speaker", "pitch_input", "input_norm", "output_norm", "noise_filter", "pulse_filter")
    assert decoder == block | {
        f"{layer}.{kind}" for layer in (*layers, *(f"pitch.{name}" for name in pitch)) for kind in ("weight", "bias")
    }
    heads = {name.split(".parametrizations")[0].removesuffix(".bias") for name in Discriminators().state_dict()}
    assert heads == {f"members.{m}.{part}" for m in range(8) for part in ("output", *(f"layers.{i}" for i in range(4)))}


LAYERS = [f"{layer}.{kind}" for layer in ("depthwise", "norm", "expand", "contract") for kind in ("weight", "bias")]


def test_training_starts_with_an_identical_flow() -> None:
    voice = tiny_voice()
    initialise_for_training(voice)
    z, mask, speaker = torch.randn(1, 8, 9), torch.ones(1, 1, 9), voice.embed_speaker.weight[:1, :, None]
    flowed = voice.eval().flow(z, mask, speaker)
    assert torch.allclose(flowed.sort(dim=1).values, z.sort(dim=1).values)  # couplings only reorder channels


def test_the_losses_of_the_discriminators() -> None:
    """Least squares: real is 1 and generated is 0 for them; the generator wants 1."""
    perfect, fooled = [torch.ones(2, 5), torch.ones(2, 3)], [torch.zeros(2, 5), torch.zeros(2, 3)]
    assert discriminator_loss(perfect, fooled) == 0
    assert discriminator_loss(fooled, perfect) == 4
    assert discriminator_loss([torch.full((1, 2), 0.5)], [torch.full((1, 2), 0.5)]) == 0.5
    assert generator_loss(perfect) == 0
    assert generator_loss(fooled) == 2
    assert feature_loss([perfect], [fooled]) == 2


def test_every_discriminator_reaches_the_generator() -> None:
    real = torch.from_numpy(np.stack([buzz(0.2, 100 + 30 * i, i) for i in range(2)]))
    generated = (0.1 * torch.randn(real.shape, generator=torch.Generator().manual_seed(0))).requires_grad_(True)
    discriminators = Discriminators(periods=(2, 3), period_channels=(4, 8), fft_sizes=(256,), resolution_channels=4)
    (real_scores, real_features), (scores, features) = discriminators(real), discriminators(generated)
    assert len(scores) == len(features) == 3
    for index in range(3):
        one = slice(index, index + 1)
        for loss in (generator_loss(scores[one]), feature_loss(real_features[one], features[one])):
            (gradient,) = torch.autograd.grad(loss, generated, retain_graph=True)
            assert gradient.abs().max() > 0
    loss = discriminator_loss(real_scores, discriminators(generated.detach())[0])
    loss.backward()
    assert all(parameter.grad is not None for parameter in discriminators.parameters())
