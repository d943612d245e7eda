"""The frozen voice: embedded and transformers' own, loaded from folders, without a network."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from tiny_voices import HOP, RATE, SPEAKERS, buzz, tiny_voice, transformers_voice

from latent_edit.checkpoint import content_hash
from latent_edit.errors import CheckpointError, InputError
from latent_edit.models.embedded_vits import save_voice
from latent_edit.models.phonemes import VITS_VOCABULARY, PhonemeSequence
from latent_edit.models.vits import FrozenVits, TextEncoding, freeze
from latent_edit.types import Latent, Waveform


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def noise(frames: int, channels: int = 8, seed: int = 0) -> Latent:
    return Latent(torch.randn(1, channels, frames, generator=seeded(seed)), torch.ones(1, 1, frames))


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as of kakao-enterprise/vits-vctk: 109 speakers, stochastic durations."""
    return transformers_voice(tmp_path_factory.mktemp("many"), 109)


@pytest.fixture(scope="module")
def single(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as of kakao-enterprise/vits-ljs."""
    return transformers_voice(tmp_path_factory.mktemp("single"), 1)


@pytest.fixture(scope="module")
def hello(vits: FrozenVits) -> PhonemeSequence:
    return vits.phonemize("Hello there.")


def same(one: TextEncoding, other: TextEncoding) -> bool:
    return all(
        torch.equal(a, b)
        for a, b in (
            (one.latent.z, other.latent.z),
            (one.prior_sample.z, other.prior_sample.z),
            (one.alignment.durations, other.alignment.durations),
        )
    )


# -- text ----------------------------------------------------------------------------------------------------------


def test_the_same_seed_gives_the_same_latent_bit_for_bit(vits: FrozenVits, hello: PhonemeSequence) -> None:
    encoding = vits.encode_text(hello, "anna", generator=seeded(3))
    frames = int(encoding.alignment.durations.sum())
    assert encoding.alignment.durations.shape == (1, len(hello.ids))
    assert encoding.latent.z.shape == encoding.prior_sample.z.shape == (1, vits.latent_channels, frames)
    torch.manual_seed(99)  # the global generator does not matter
    assert same(vits.encode_text(hello, "anna", generator=seeded(3)), encoding)
    assert not same(vits.encode_text(hello, "anna", generator=seeded(4)), encoding)


def test_the_speaker_changes_the_latent(vits: FrozenVits, hello: PhonemeSequence) -> None:
    durations = torch.full((len(hello.ids),), 2)
    anna, ben = (vits.encode_text(hello, name, generator=seeded(), durations=durations) for name in SPEAKERS)
    assert torch.equal(anna.prior_sample.z, ben.prior_sample.z)  # the text encoder does not know the speaker
    assert not torch.allclose(anna.latent.z, ben.latent.z)
    assert same(vits.encode_text(hello, 0, generator=seeded(), durations=durations), anna)


def test_given_durations_are_kept(vits: FrozenVits, hello: PhonemeSequence) -> None:
    durations = torch.arange(len(hello.ids)) % 3
    encoding = vits.encode_text(hello, "anna", generator=seeded(), durations=durations)
    assert encoding.alignment.durations[0].tolist() == durations.tolist()
    assert encoding.latent.z.shape[2] == int(durations.sum())
    with pytest.raises(ValueError, match=f"{len(hello.ids)} symbols need as many durations, not 3"):
        vits.encode_text(hello, "anna", durations=torch.ones(3, dtype=torch.long))


def test_without_prior_noise_each_phoneme_stands_still(vits: FrozenVits, hello: PhonemeSequence) -> None:
    durations = torch.full((len(hello.ids),), 3)
    still = vits.encode_text(hello, "anna", prior_noise=0.0, durations=durations).prior_sample.z
    frames = still[0].reshape(vits.latent_channels, -1, 3)
    assert torch.equal(frames, frames[:, :, :1].expand_as(frames))
    single, double = (
        vits.encode_text(hello, "anna", prior_noise=n, durations=durations, generator=seeded()).prior_sample.z - still
        for n in (0.5, 1.0)
    )
    assert torch.allclose(2 * single, double, atol=1e-5)
    assert single.abs().max() > 0.1


def test_pace_multiplies_durations(vits: FrozenVits, many: Path, hello: PhonemeSequence) -> None:
    def durations(voice: FrozenVits, pace: float) -> torch.Tensor:
        return voice.encode_text(hello, 0, pace=pace, generator=seeded()).alignment.durations[0]

    exact = durations(vits, 64.0) / 64
    for pace in (0.5, 1.0, 4.0):  # every partial sum is the rounded one: nothing drifts
        drift = durations(vits, pace).cumsum(0) - pace * exact.cumsum(0)
        assert drift.abs().max() <= 0.5 + pace / 128
    stochastic = FrozenVits.load(many)  # rounds up, as it was trained
    more = durations(stochastic, 4.0) - 4 * durations(stochastic, 64.0) / 64
    assert -4 / 64 <= more.min() <= more.max() < 1


def test_a_reading_lasts_a_frame_at_least(vits: FrozenVits) -> None:
    assert vits.encode_text(vits.phonemize(""), "anna", pace=1e-6).latent.z.shape[2] == 1


def test_duration_noise_is_for_stochastic_predictors(many: Path, vits: FrozenVits, hello: PhonemeSequence) -> None:
    def durations(voice: FrozenVits, level: float, seed: int) -> list[int]:
        encoding = voice.encode_text(hello, 0, duration_noise=level, pace=10, generator=seeded(seed))
        return encoding.alignment.durations[0].tolist()

    stochastic = FrozenVits.load(many)
    assert durations(stochastic, 0.8, 1) == durations(stochastic, 0.8, 1) != durations(stochastic, 0.8, 2)
    assert durations(stochastic, 0.0, 1) == durations(stochastic, 0.0, 2) != durations(stochastic, 0.8, 2)
    assert durations(vits, 0.8, 1) == durations(vits, 0.0, 2)


def test_the_global_generator_is_left_alone(many: Path, hello: PhonemeSequence) -> None:
    stochastic = FrozenVits.load(many)
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    stochastic.encode_text(hello, 7, generator=seeded())
    assert torch.equal(torch.rand(3), expected)


# -- speech ----------------------------------------------------------------------------------------------------------


def test_speech_to_latent(vits: FrozenVits) -> None:
    samples = torch.from_numpy(buzz(1.003, 150))
    latent = vits.encode_speech(Waveform.of(samples, RATE), "anna")
    assert latent.z.shape == (1, 8, len(samples) // HOP)
    assert torch.equal(vits.encode_speech(Waveform.of(samples, RATE), "anna").z, latent.z)
    assert not torch.allclose(vits.encode_speech(Waveform.of(samples, RATE), "ben").z, latent.z)


def test_recordings_are_coded_one_by_one(vits: FrozenVits) -> None:
    long, short = (torch.from_numpy(buzz(seconds, 120)) for seconds in (1.0, 0.7))
    padded = torch.stack([long, torch.nn.functional.pad(short, (0, len(long) - len(short)))])
    batch = vits.encode_speech(Waveform(padded, torch.tensor([len(long), len(short)]), RATE), "ben")
    assert batch.lengths.tolist() == [len(long) // HOP, len(short) // HOP]
    for index, samples in enumerate((long, short)):
        assert torch.equal(batch.item(index).z, vits.encode_speech(Waveform.of(samples, RATE), "ben").z)


def test_speech_that_cannot_be_coded(vits: FrozenVits) -> None:
    with pytest.raises(InputError, match=r"too short: at least 0\.2 s"):
        vits.encode_speech(Waveform.of(torch.zeros(3000), RATE), "anna")
    with pytest.raises(ValueError, match="resample to 16000 Hz first"):
        vits.encode_speech(Waveform.of(torch.zeros(30_000), 22_050), "anna")


def test_decoding_gives_a_hop_of_samples_for_each_frame(vits: FrozenVits) -> None:
    batch = Latent.collate([noise(20), noise(7, seed=1)])
    speech = vits.decode(batch, "anna")
    assert speech.samples.shape == (2, 20 * HOP)
    assert speech.lengths.tolist() == [20 * HOP, 7 * HOP]
    assert speech.sampling_rate == RATE
    for index in range(2):
        assert torch.equal(speech.item(index), vits.decode(batch.item(index), "anna").item(0))
    assert (speech.samples[1, 7 * HOP :] == 0).all()
    assert not torch.allclose(vits.decode(batch, "ben").samples, speech.samples)


def test_the_flow_is_inverted(vits: FrozenVits, hello: PhonemeSequence) -> None:
    reading = vits.encode_text(hello, "anna", generator=seeded())
    prior = vits.to_prior(reading.latent, "anna")
    assert not torch.allclose(prior.z, reading.latent.z, atol=0.1)
    assert torch.allclose(prior.z, reading.prior_sample.z, atol=1e-4)


def test_a_reading_is_aligned_to_its_own_text(hello: PhonemeSequence) -> None:
    voice = tiny_voice()
    with torch.no_grad():  # one deviation for all phonemes: the most likely path is then the true one
        for parameter in voice.text_encoder.project.parameters():
            parameter[voice.config.flow_size :] = 0.0
    vits = freeze(voice)
    durations = torch.arange(len(hello.ids)) % 3 + 1
    reading = vits.encode_text(hello, "ben", prior_noise=0.0, durations=durations)
    means = vits.encode_text(hello, "ben", prior_noise=0.0, durations=torch.ones(len(hello.ids), dtype=torch.long))
    found = vits.align(reading.latent, hello, "ben").durations
    assert found.sum() == durations.sum()
    heard = means.prior_sample.z[:, :, torch.repeat_interleave(found[0])]
    # Random weights make neighbouring blanks alike; whatever is chosen must sound the same.
    torch.testing.assert_close(heard, reading.prior_sample.z, atol=1e-4, rtol=1e-4)


def test_a_recording_shorter_than_its_text_is_not_aligned(vits: FrozenVits, hello: PhonemeSequence) -> None:
    with pytest.raises(InputError, match=f"10 frames, fewer than its text has symbols .{len(hello.ids)}."):
        vits.align(noise(10), hello, "anna")


def test_only_the_embedded_voice_tells_filters_apart(many: Path) -> None:
    assert freeze(tiny_voice()).source_filter_decoder.sampling_rate == RATE
    with pytest.raises(InputError, match="preset i2sb-plain"):
        _ = FrozenVits.load(many).source_filter_decoder


# -- frozen ----------------------------------------------------------------------------------------------------------


def test_nothing_changes_it_and_no_gradient_flows(many: Path, hello: PhonemeSequence) -> None:
    for voice in (freeze(tiny_voice()), FrozenVits.load(many)):
        model = voice._model
        before = content_hash(model.state_dict())
        assert not model.training
        assert [name for name, parameter in model.named_parameters() if parameter.requires_grad] == []
        with torch.enable_grad():
            start = noise(30)
            start.z.requires_grad_(True)
            recording = torch.from_numpy(buzz(1.0, 150)).requires_grad_(True)
            reading = voice.encode_text(hello, 0, generator=seeded())
            waveform = Waveform.of(recording, voice.sampling_rate)
            results = [
                reading.latent.z,
                voice.sample_prior(voice.phonemize("Hello there."), reading.alignment.durations[0], 1.0, seeded()).z,
                voice.from_prior(start, 0).z,
                voice.to_prior(start, 0).z,
                voice.encode_speech(waveform, 0).z,
                voice.decode(start, 0).samples,
                voice.speaker_embedding(0),
                voice.all_speaker_embeddings,
            ]
            voice.align(voice.encode_speech(waveform, 0), voice.phonemize("hi"), 0)
        assert [result.requires_grad for result in results] == [False] * len(results)
        with pytest.raises(RuntimeError, match="does not require grad"):
            voice.decode(start, 0).samples.sum().backward()
        optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
        optimizer.step()
        assert content_hash(model.state_dict()) == before
        assert all(parameter.grad is None for parameter in model.parameters())


def test_freezing_copies_and_folding_weight_norm_changes_no_value() -> None:
    voice = tiny_voice()
    before = content_hash(voice.state_dict())
    frozen = freeze(voice)
    assert content_hash(voice.state_dict()) == before == frozen.hash
    latent = noise(25)
    speaker = voice.embed_speaker.weight[:1, :, None]
    with torch.no_grad():
        plain = voice.eval().flow(latent.z, latent.mask, speaker)
        voice.decoder.noise_filter.bias.add_(1.0)  # the copy does not hear of it
    assert torch.allclose(frozen.to_prior(latent, "anna").z, plain, atol=1e-5)
    assert freeze(voice).latent_hash == frozen.latent_hash  # bridges outlive a better decoder
    assert freeze(voice).hash != frozen.hash
    for part in ("text_encoder", "flow", "posterior_encoder", "embed_speaker"):
        changed = tiny_voice()
        with torch.no_grad():
            next(getattr(changed, part).parameters()).add_(0.1)
        assert freeze(changed).latent_hash != frozen.latent_hash, part


# -- speakers --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("speaker", [None, "carl", "", 2, -1, True, 0.0])
def test_a_missing_or_unknown_speaker_is_an_error(vits: FrozenVits, hello: PhonemeSequence, speaker: object) -> None:
    calls: list[Callable[[], object]] = [
        lambda: vits.speaker_id(speaker),  # type: ignore[arg-type]
        lambda: vits.encode_text(hello, speaker),  # type: ignore[arg-type]
        lambda: vits.decode(noise(5), speaker),  # type: ignore[arg-type]
        lambda: vits.encode_speech(Waveform.of(torch.zeros(RATE), RATE), speaker),  # type: ignore[arg-type]
    ]
    for call in calls:
        with pytest.raises(InputError, match=r"no speaker .*known speakers: anna, ben"):
            call()


def test_the_speakers_of_a_hub_voice_are_numbers(many: Path) -> None:
    voice = FrozenVits.load(many)
    assert len(voice.speakers) == 109
    assert voice.speaker_id("108") == voice.speaker_id(108) == 108
    assert voice.all_speaker_embeddings.shape == (109, 6)
    assert torch.equal(voice.speaker_embedding(7), voice.all_speaker_embeddings[7:8])
    with pytest.raises(InputError, match=r"no speaker 109; known speakers: 0, 1, .*11, \.\.\."):
        voice.speaker_id(109)


def test_a_voice_of_one_speaker(single: Path) -> None:
    voice = FrozenVits.load(single)
    assert voice.speakers == {"0": 0}
    assert voice.speaker_embedding("0").shape == (1, 0)
    reading = voice.encode_text(voice.phonemize("Hello."), 0, generator=seeded(), pace=5)
    speech = voice.decode(reading.latent, "0")
    assert speech.samples.shape[1] == int(reading.alignment.durations.sum()) * voice.hop_length
    again = voice.encode_speech(speech, 0)
    assert again.z.shape[2] == reading.latent.z.shape[2]
    voice.align(again, voice.phonemize("hi"), 0)
    with pytest.raises(InputError, match="no speaker None"):
        voice.encode_text(voice.phonemize("Hello."), None)  # type: ignore[arg-type]


# -- checkpoints -----------------------------------------------------------------------------------------------------


def test_a_hub_voice_does_what_transformers_does(many: Path) -> None:
    """The whole way from ids to samples agrees with VitsModel's own forward without noise."""
    from transformers import VitsModel

    voice, model = FrozenVits.load(many), VitsModel.from_pretrained(many).eval()
    model.noise_scale, model.noise_scale_duration, model.speaking_rate = 0.0, 0.0, 0.5
    phonemes = voice.phonemize("Hello there.")
    with torch.no_grad():
        expected = model(input_ids=torch.tensor([phonemes.ids]), speaker_id=42).waveform
    reading = voice.encode_text(phonemes, 42, prior_noise=0.0, duration_noise=0.0, pace=2.0)
    assert torch.allclose(voice.decode(reading.latent, 42).samples, expected, atol=1e-5)


def test_loading_twice_gives_the_same_hash(many: Path, single: Path) -> None:
    assert FrozenVits.load(many).hash == FrozenVits.load(str(many)).hash != FrozenVits.load(single).hash


def test_weights_of_older_libraries_load(many: Path, tmp_path: Path) -> None:
    """The checkpoints on the hub were saved with the old names of weight normalisation."""
    folder = Path(shutil.copytree(many, tmp_path / "old"))
    names = {"parametrizations.weight.original0": "weight_g", "parametrizations.weight.original1": "weight_v"}
    tensors = load_file(folder / "model.safetensors")
    for new, old in names.items():
        tensors = {name.replace(new, old): tensor for name, tensor in tensors.items()}
    assert any(name.endswith("weight_g") for name in tensors)
    save_file(tensors, folder / "model.safetensors", {"format": "pt"})
    assert FrozenVits.load(folder).hash == FrozenVits.load(many).hash


def change_weights(folder: Path, change: Callable[[dict[str, torch.Tensor]], object]) -> None:
    tensors = load_file(folder / "model.safetensors")
    change(tensors)
    save_file(tensors, folder / "model.safetensors", {"format": "pt"})


EMBEDDING = "text_encoder.embed_tokens.weight"
DAMAGE: dict[str, tuple[Callable[[Path], object], str]] = {
    "missing": (lambda f: change_weights(f, lambda t: t.pop(EMBEDDING)), f"do not fit .*missing_keys.*{EMBEDDING}"),
    "unexpected": (lambda f: change_weights(f, lambda t: t.update(odd=torch.zeros(1))), "do not fit .*unexpected.*odd"),
    "misshapen": (
        lambda f: change_weights(f, lambda t: t.update({EMBEDDING: torch.zeros(3, 16)})),
        f"do not fit .*mismatched_keys.*{EMBEDDING}",
    ),
    "damaged": (lambda f: (f / "model.safetensors").write_bytes(b"junk"), "no VITS voice can be loaded"),
    "no weights": (lambda f: (f / "model.safetensors").unlink(), "no file named model.safetensors"),
    "no config": (lambda f: (f / "config.json").unlink(), "no VITS voice can be loaded"),
    "broken config": (lambda f: (f / "config.json").write_text("{"), "not a valid JSON"),
    "another model": (lambda f: (f / "config.json").write_text('{"model_type": "clap"}'), "of type 'clap'"),
}
TOKENIZER_DAMAGE: dict[str, tuple[Callable[[Path], object], str]] = {
    "no vocabulary": (lambda f: (f / "vocab.json").unlink(), "lacks vocab.json"),
    "another vocabulary": (
        lambda f: (f / "vocab.json").write_text(json.dumps({"a": 0, "b": 1})),
        "tokenizer has 2 symbols, but the model 178",
    ),
    "a larger vocabulary": (
        lambda f: (f / "vocab.json").write_text(json.dumps({**VITS_VOCABULARY, "€": 178})),
        "tokenizer has 179 symbols, but the model 178",
    ),
}


@pytest.mark.parametrize("damage", [*DAMAGE, *TOKENIZER_DAMAGE])
def test_a_damaged_hub_voice_is_refused(many: Path, tmp_path: Path, damage: str) -> None:
    folder = Path(shutil.copytree(many, tmp_path / "voice"))
    harm, message = (DAMAGE | TOKENIZER_DAMAGE)[damage]
    harm(folder)
    with pytest.raises(CheckpointError, match=message):
        FrozenVits.load(folder)


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_embedded_voice_is_refused(tmp_path: Path, damage: str) -> None:
    folder = tmp_path / "voice"
    save_voice(tiny_voice(), folder)
    harm, message = DAMAGE[damage]
    harm(folder)
    with pytest.raises(CheckpointError, match=message):
        FrozenVits.load(folder)


def test_a_hub_voice_of_full_size(tmp_path: Path) -> None:
    """The sizes of kakao-enterprise/vits-vctk, random weights: 22.05 kHz, 109 speakers, HiFi-GAN."""
    sizes = {"speaker_embedding_size": 256, "sampling_rate": 22_050}
    voice = FrozenVits.load(transformers_voice(tmp_path, 109, **sizes))
    assert (voice.latent_channels, voice.hop_length, voice.fft_size, voice.sampling_rate) == (192, 256, 1024, 22_050)
    phonemes = voice.phonemize("Hi.")
    durations = torch.full((len(phonemes.ids),), 2)
    reading = voice.encode_text(phonemes, "3", generator=seeded(), durations=durations)
    assert reading.latent.z.shape == (1, 192, 2 * len(phonemes.ids))
    speech = voice.decode(reading.latent, 100)
    assert speech.samples.shape == (1, 2 * len(phonemes.ids) * 256)
    assert torch.isfinite(speech.samples).all()
    again = voice.encode_speech(speech, "3")
    assert voice.align(again, phonemes, "3").durations.sum() == 2 * len(phonemes.ids)
