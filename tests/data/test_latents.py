"""Prepared latents: every source stands beside its target frame by frame, and a folder is what it says it is."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from tiny_voices import RATE, SPEAKERS, buzz, shake, tiny_voice

from latent_edit.axes import AxisValue
from latent_edit.data import latents as latents_module
from latent_edit.data.augmentations import Augmentation, Augmentations
from latent_edit.data.drawn_styles import AugmentationCaption
from latent_edit.data.latents import (
    FIELDS,
    embed_styles,
    load_latents,
    make_examples,
    prepare_latents,
    similar_styles,
)
from latent_edit.data.styles import Style
from latent_edit.data.world import analyse, synthesise
from latent_edit.errors import InputError
from latent_edit.models.vits import FrozenVits, freeze
from latent_edit.request import EditRequest
from latent_edit.types import Latent, Waveform

NEUTRAL, STYLED = (0.0,) * 7, (3.0, *(0.0,) * 6)
NORMAL = AugmentationCaption("speak normally", NEUTRAL)


class Memory(Augmentations):
    """Augmentations whose samples are not in files."""

    def audio(self, items: Sequence[Augmentation]) -> Iterator[np.ndarray]:
        """What `augmentation` made for each item."""
        for item in items:
            yield augmentation(item)


def augmentation(item: Augmentation) -> np.ndarray:
    return buzz(0.8 * item.warp, 120 + 10 * item.utterance + 30 * (item.kind == "styled"), item.utterance)


def make_item(utterance: int, kind: str, warp: float = 1.0, text: str = "hi", split: str = "train") -> Augmentation:
    captions = (NORMAL, AugmentationCaption("a little lower", (-1.0, *(0.0,) * 6)))
    if kind == "styled":
        captions = tuple(AugmentationCaption(f"style {name} of {utterance}", STYLED) for name in "ab")
    style = STYLED if kind == "styled" else NEUTRAL
    return Augmentation(
        shard=0,
        number=0,
        utterance=utterance,
        speaker=SPEAKERS[utterance % 2],
        text=text,
        sentence=text,
        split=split,  # type: ignore[arg-type]
        kind=kind,  # type: ignore[arg-type]
        preset=None,
        style=style,
        heard=style,
        warp=warp,
        scale=1.0,
        captions=captions,
    )


def make_items(utterance: int, **fields: str) -> list[Augmentation]:
    kinds = (("raw", 1.0), ("neutral", 1.0), ("styled", 1.3), ("styled", 1.0))
    return [make_item(utterance, kind, warp, **fields) for kind, warp in kinds]


def made(*items: Augmentation, rate: int = RATE) -> Augmentations:
    return Memory(Path("nowhere"), rate, items)


@pytest.fixture(scope="module")
def vits() -> FrozenVits:
    return freeze(tiny_voice())


class Ear:
    """A style encoder that embeds the length of what it is given."""

    name, dimension, hash, sampling_rate = "ear", 3, "e" * 64, RATE

    def embed_text(self, prompts: list[str]) -> torch.Tensor:
        """[B, 3]."""
        return torch.nn.functional.normalize(torch.tensor([[1.0, len(p), ord(p[-1])] for p in prompts]), dim=1)

    def embed_audio(self, waveform: Waveform) -> torch.Tensor:
        """[B, 3]."""
        assert waveform.sampling_rate == RATE
        features = torch.stack([waveform.lengths, torch.zeros(1), torch.full((1,), 9000)], dim=1)
        return torch.nn.functional.normalize(features.float(), dim=1)

    def axes(self, embedding: torch.Tensor) -> dict[str, AxisValue]:
        """None."""
        del embedding
        return {}

    def unknown_words(self, prompt: str) -> list[str]:
        """None."""
        del prompt
        return []


# -- examples --------------------------------------------------------------------------------------------------------


def test_sources_are_as_long_as_their_target(vits: FrozenVits) -> None:
    items = make_items(0)
    audio = [augmentation(item) for item in items]
    examples = make_examples(vits, items, audio, seed=0)
    ids = len(vits.phonemize("hi").ids)
    for samples, example in zip(audio, examples, strict=True):
        frames = len(samples) // vits.hop_length
        assert frames > ids
        for field in ("target", "neutral", "text", "text_prior"):
            tensor = getattr(example, field)
            assert tensor.shape == (vits.latent_channels, frames), field
            assert tensor.dtype == torch.float16
            assert torch.isfinite(tensor).all()
    # The paper's pairs have durations of their own, the same reading for every augmentation.
    assert len({example.paper.shape for example in examples}) == 1
    assert torch.equal(examples[0].paper, examples[2].paper)
    assert not torch.equal(examples[0].paper_prior, examples[0].paper)


def test_the_target_is_the_posterior_of_the_augmentation(vits: FrozenVits) -> None:
    items = make_items(1)
    examples = make_examples(vits, items, [augmentation(item) for item in items], seed=0)
    for item, example in zip(items, examples, strict=True):
        heard = vits.encode_speech(Waveform.of(torch.from_numpy(augmentation(item)), RATE), item.speaker)
        assert torch.equal(example.target, heard.z[0].half())


def test_a_recording_goes_with_itself_and_what_world_made_with_the_neutral_augmentation(
    vits: FrozenVits,
) -> None:
    items = make_items(0)
    audio = [augmentation(item) for item in items]
    audio[1] = audio[1] * 0.5  # so that the neutral augmentation differs from the recording
    raw, neutral, slow, same_pace = make_examples(vits, items, audio, seed=0)
    assert torch.allclose(raw.neutral.float(), raw.target.float(), atol=0.01)
    assert torch.allclose(neutral.neutral.float(), neutral.target.float(), atol=0.01)
    assert not torch.allclose(neutral.target.float(), raw.target.float(), atol=0.01)
    assert torch.equal(same_pace.neutral, neutral.neutral)
    # Slower by 1.3: the known warp is a linear one.
    rested = vits.encode_speech(Waveform.of(torch.from_numpy(audio[1]), RATE), "anna")
    assert torch.equal(slow.neutral, rested.stretched(slow.target.shape[1]).z[0].half())
    text = Latent(raw.text[None].float(), torch.ones(1, 1, raw.text.shape[1]))
    assert torch.allclose(slow.text.float(), text.stretched(slow.target.shape[1]).z[0], atol=0.01)


def test_the_reading_follows_the_recordings_alignment(vits: FrozenVits) -> None:
    items = make_items(0)
    audio = [augmentation(item) for item in items]
    raw = make_examples(vits, items, audio, seed=5)[0]
    recording = vits.encode_speech(Waveform.of(torch.from_numpy(audio[0]), RATE), "anna")
    phonemes = vits.phonemize("hi")
    path = vits.align(recording, phonemes, "anna").durations
    generator = torch.Generator().manual_seed(5 * 1_000_003)
    noise = EditRequest.prior_noise
    reading = vits.encode_text(phonemes, "anna", prior_noise=noise, generator=generator, durations=path)
    assert torch.equal(raw.text_prior, reading.prior_sample.z[0].half())
    assert torch.allclose(raw.text.float(), reading.latent.z[0], atol=0.01)


def test_a_reading_is_what_an_edit_starts_from(vits: FrozenVits) -> None:
    items = make_items(0)
    raw, neutral, slow, same_pace = make_examples(vits, items, [augmentation(item) for item in items], seed=0)
    for example in (raw, neutral):  # nothing was asked for, so nothing changes
        assert torch.equal(example.reading, example.paper)
        assert torch.equal(example.styled_reading, example.reading)
    assert torch.equal(same_pace.reading, raw.paper)
    assert slow.reading.shape[1] == round(1.3 * raw.paper.shape[1])


def test_a_reading_is_carried_as_far_as_its_style_carries_speech(vits: FrozenVits) -> None:
    items = make_items(0)
    audio = [augmentation(item) for item in items]
    example = make_examples(vits, items, audio, seed=0)[3]
    recording = vits.encode_speech(Waveform.of(torch.from_numpy(audio[0]), RATE), "anna")
    phonemes, generator = vits.phonemize("hi"), torch.Generator().manual_seed(0)
    path = vits.align(recording, phonemes, "anna").durations
    noise = EditRequest.prior_noise
    _, reading = (
        vits.encode_text(phonemes, "anna", prior_noise=noise, generator=generator, durations=d) for d in (path, None)
    )
    assert torch.equal(example.reading, reading.latent.z[0].half())
    spoken = vits.decode(reading.latent, "anna").item(0).numpy()
    heard = [
        vits.encode_speech(Waveform.of(torch.from_numpy(synthesise(analyse(spoken, RATE), style)), RATE), "anna").z[0]
        for style in (Style(), Style(pitch_semitones=3.0))
    ]
    carried = example.styled_reading.float() - example.reading.float()
    assert carried.abs().max() > 0.01
    assert torch.allclose(carried, heard[1] - heard[0], atol=0.01)


def test_examples_depend_on_seed_and_recording_alone(vits: FrozenVits) -> None:
    items = make_items(0)
    audio = [augmentation(item) for item in items]
    one, again, other = (make_examples(vits, items, audio, seed=seed)[0] for seed in (1, 1, 2))
    assert all(torch.equal(getattr(one, field), getattr(again, field)) for field in FIELDS)
    assert not torch.equal(one.text_prior, other.text_prior)
    assert torch.equal(one.target, other.target)


# -- folders ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def prepared(vits: FrozenVits, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Augmentations, Path]:
    """Three training recordings in two shards, and one held out."""
    monkeypatch.setattr(latents_module, "SHARD_RECORDINGS", 2)
    items = [*make_items(0), *make_items(1, split="test"), *make_items(2, text="a hat"), *make_items(3)]
    augmentations = made(*items)
    prepare_latents(vits, augmentations, tmp_path / "latents")
    return augmentations, tmp_path / "latents"


def test_what_was_prepared_is_loaded(vits: FrozenVits, prepared: tuple[Augmentations, Path]) -> None:
    augmentations, folder = prepared
    embed_styles(Ear(), augmentations, folder)
    loaded = load_latents(folder, augmentations)
    assert len(loaded) == 12  # nothing of the held-out recording
    assert loaded.items == [*augmentations.items[:4], *augmentations.items[8:]]
    assert loaded.speaker.tolist() == [0] * 8 + [1] * 4
    assert (loaded.latent_hash, loaded.voice_hash, loaded.style_hash) == (vits.latent_hash, vits.hash, Ear.hash)
    assert loaded.natural.tolist() == [True, False, False, False] * 3
    assert np.allclose(loaded.log_ratio, np.log([1, 1, 1.3, 1] * 3))
    assert loaded.log_ratio.dtype == np.float32
    for group in range(3):
        items = loaded.items[4 * group : 4 * group + 4]
        for offset, expected in enumerate(make_examples(vits, items, [augmentation(i) for i in items], seed=0)):
            for field in FIELDS:
                assert torch.equal(loaded.examples[field][4 * group + offset], getattr(expected, field))


def test_styles_stand_beside_their_examples(prepared: tuple[Augmentations, Path]) -> None:
    augmentations, folder = prepared
    embed_styles(Ear(), augmentations, folder)
    loaded = load_latents(folder, augmentations, ("target",))
    assert list(loaded.examples) == ["target"]
    assert loaded.audio_style.shape == (12, 3)
    for index, item in enumerate(loaded.items):
        heard = Ear().embed_audio(Waveform.of(torch.from_numpy(augmentation(item)), RATE))
        assert torch.equal(loaded.audio_style[index], heard[0])
        # What says how a natural recording deviates from its voice does not say what to change in a reading.
        texts = ["speak normally"] if item.kind != "styled" else [caption.text for caption in item.captions]
        assert torch.allclose(loaded.caption_styles[index], Ear().embed_text(texts))


def test_an_interrupted_preparation_goes_on(vits: FrozenVits, prepared: tuple[Augmentations, Path]) -> None:
    augmentations, folder = prepared
    first, second = (folder / f"latents-00{shard}.safetensors" for shard in range(2))
    known, finished = first.read_bytes(), second.stat().st_mtime_ns
    first.with_suffix(".jsonl").unlink()
    first.write_bytes(b"half a fi")
    prepare_latents(vits, augmentations, folder)
    assert first.read_bytes() == known
    assert second.stat().st_mtime_ns == finished


def test_a_folder_belongs_to_one_voice_and_its_augmentations(
    vits: FrozenVits, prepared: tuple[Augmentations, Path]
) -> None:
    augmentations, folder = prepared
    other_voice, other_decoder = freeze(tiny_voice(seed=1)), tiny_voice()
    shake(other_decoder.decoder)
    fewer = made(*augmentations.items[4:])
    asked = (
        (other_voice, augmentations, 0),
        (freeze(other_decoder), augmentations, 0),
        (vits, fewer, 0),
        (vits, augmentations, 1),
    )
    for voice, given, seed in asked:
        with pytest.raises(InputError, match="prepared with another voice or other augmentations: delete it"):
            prepare_latents(voice, given, folder, seed)


def test_recordings_too_short_for_their_text_are_left_out(vits: FrozenVits, tmp_path: Path) -> None:
    long = "a very long sentence that nobody could ever say in less than one second"
    augmentations = made(*make_items(0, text=long), *make_items(2))
    prepare_latents(vits, augmentations, tmp_path)
    embed_styles(Ear(), augmentations, tmp_path)
    loaded = load_latents(tmp_path, augmentations)
    assert [item.utterance for item in loaded.items] == [2] * 4
    assert len(loaded.examples["target"]) == 4


def test_a_shard_may_have_nothing(vits: FrozenVits, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(latents_module, "SHARD_RECORDINGS", 1)
    augmentations = made(*make_items(0, text="much too long to be said within a second"), *make_items(2))
    prepare_latents(vits, augmentations, tmp_path)
    embed_styles(Ear(), augmentations, tmp_path)
    assert len(load_latents(tmp_path, augmentations)) == 4


def test_augmentations_must_fit_the_voice(vits: FrozenVits, tmp_path: Path) -> None:
    stranger = [dataclasses.replace(item, speaker="carl") for item in make_items(0)]
    with pytest.raises(InputError, match="no speaker 'carl'"):
        prepare_latents(vits, made(*stranger), tmp_path / "latents")
    with pytest.raises(InputError, match="augmentations have 22050 Hz, but the voice 16000 Hz"):
        prepare_latents(vits, made(*make_items(0), rate=22_050), tmp_path / "latents")
    assert not (tmp_path / "latents").exists()


def test_what_is_missing_is_said(prepared: tuple[Augmentations, Path], tmp_path: Path) -> None:
    augmentations, folder = prepared
    with pytest.raises(InputError, match="holds no style embeddings: run"):
        load_latents(folder, augmentations)
    with pytest.raises(InputError, match="holds no prepared latents: run"):
        load_latents(tmp_path / "nothing", augmentations)
    embed_styles(Ear(), augmentations, folder)
    with pytest.raises(InputError, match="was prepared from other augmentations: delete it"):
        load_latents(folder, made(*augmentations.items[4:], *augmentations.items[:4]))
    assert json.loads((folder / "voice.json").read_text())["seed"] == 0


@pytest.mark.parametrize(("breathiness", "able", "sought"), [(0.5, True, 2), (1.0, True, 0), (0.5, False, 0)])
def test_light_breath_is_sought_and_a_whisper_heard(
    breathiness: float, able: bool, sought: int, vits: FrozenVits, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For the augmentation and for the reading, and only where the voice's decoder can be asked for it."""
    style = Style(pitch_semitones=3.0, breathiness=breathiness)
    *plain, last = make_items(0)
    items = [*plain, dataclasses.replace(last, style=tuple(style.as_array().tolist()))]
    asked: list[float] = []

    def seek(_: FrozenVits, latent: Latent, speaker: str, amount: float) -> Latent:
        assert speaker == last.speaker
        asked.append(amount)
        return Latent(latent.z + 1, latent.mask)

    monkeypatch.setattr(latents_module, "breathy", seek)
    monkeypatch.setattr(FrozenVits, "has_source_filter", able)
    audio = [augmentation(item) for item in items]
    made_now = make_examples(vits, items, audio, seed=0)
    assert asked == [breathiness] * sought
    if sought:
        clear = synthesise(analyse(audio[0], RATE), Style(pitch_semitones=3.0))
        heard = vits.encode_speech(Waveform.of(torch.from_numpy(clear), RATE), last.speaker)
        assert torch.equal(made_now[-1].target, (heard.z[0] + 1).half())


def test_similar_clips_sound_alike_and_say_something_else() -> None:
    here, near, far = (make_item(n, "styled", text=f"sentence {n}") for n in range(3))
    near = dataclasses.replace(near, heard=(3.5, *(0.0,) * 6))
    far = dataclasses.replace(far, heard=(-3.0, *(0.0,) * 6))
    again = dataclasses.replace(near, sentence=here.sentence)  # what is nearest comes first
    assert [list(found) for found in similar_styles([here, near, far, again])] == [[1], [3, 0], [], [1]]
