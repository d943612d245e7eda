"""Training of clap-mini: it runs, it learns, and resuming changes nothing."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import save_file

from latent_edit.axes import AXES
from latent_edit.config import load_preset
from latent_edit.data.augmentations import Augmentations
from latent_edit.data.captions import preset_caption
from latent_edit.data.drawn_styles import AugmentationConfig
from latent_edit.data.styles import Style
from latent_edit.errors import CheckpointError, InputError
from latent_edit.models.clap import load_style_encoder
from latent_edit.training import clap
from latent_edit.training.clap_config import ClapConfig, ClapSizes

RATE = 8_000
SIZES = ClapSizes(
    dimension=16, sampling_rate=RATE, mel_bands=16, audio_width=16, audio_blocks=1, text_width=16, text_layers=1,
    text_heads=2,
)  # fmt: skip
CONFIG = ClapConfig(
    sizes=SIZES, steps=4, batch_size=6, text_batch_size=8, captions=60, vocabulary=200, crop_seconds=0.3,
    warmup_steps=1, evaluate_every=2,
)  # fmt: skip


@pytest.fixture(scope="module")
def augmentations(tmp_path_factory: pytest.TempPathFactory) -> Augmentations:
    """A prepared folder, written by hand: noise whose level says which style it is."""
    folder = tmp_path_factory.mktemp("augmentations")
    generator = np.random.default_rng(0)
    samples, lines = {}, []
    for number in range(16):
        prompt = ("an angry shout", "a whisper", "speak normally")[number % 3]
        style = Style.named(prompt)
        axes = [float(value) for value in style.as_array()]
        noise = generator.standard_normal(RATE // 2) * 1000 * 10 ** (style.level_db / 20)
        samples[str(number)] = noise.clip(-32767, 32767).astype(np.int16)
        split = "test" if number >= 13 else "train"
        caption = preset_caption(prompt, generator, "train" if split == "train" else "test")
        named = {"speaker": "anna", "text": f"S{number}.", "sentence": f"s{number}", "split": split, "preset": prompt}
        stored = {"shard": 0, "number": number, "utterance": number, "scale": 1.0, "kind": "styled", "warp": 1.0}
        captions = [{"text": caption, "axes": axes}]
        lines.append(json.dumps({**named, **stored, "style": axes, "heard": axes, "captions": captions}))
    save_file(samples, folder / "shard-00000.safetensors")
    (folder / "shard-00000.jsonl").write_text("\n".join(lines) + "\n")
    info = {"config": AugmentationConfig(sampling_rate=RATE).model_dump(), "shards": 1}
    (folder / "augmentations.json").write_text(json.dumps(info))
    return Augmentations.open(folder)


def test_training_writes_a_checkpoint_that_loads(augmentations: Augmentations, tmp_path: Path) -> None:
    encoder = clap.train(CONFIG, augmentations, tmp_path / "run")
    log = [json.loads(line) for line in (tmp_path / "run" / "log.jsonl").open()]
    assert {"contrastive", "audio_axes", "text_axes", "held_out_axes", "held_out_preset"} <= {k for e in log for k in e}
    assert all(np.isfinite(value) for entry in log for value in entry.values())
    encoder.save(tmp_path / "clap-mini")
    loaded = load_style_encoder(tmp_path / "clap-mini")
    assert loaded.hash == encoder.hash  # what was trained is what is shipped, rounding included
    assert torch.equal(loaded.embed_text(["a whisper"]), encoder.embed_text(["a whisper"]))
    assert loaded.unknown_words("a quiet zebra") == ["zebra"]
    assert encoder.axes(encoder.embed_text(["calm"])).keys() == AXES.keys()


def test_resume_equals_uninterrupted(augmentations: Augmentations, tmp_path: Path) -> None:
    whole = clap.train(CONFIG, augmentations, tmp_path / "whole")

    class Task(clap.ClapTask):
        def step(self, index: int) -> dict[str, float]:
            if index == 2:
                raise InterruptedError
            losses = super().step(index)
            clap.loop.save_state(tmp_path / "parts", self, index + 1)
            return losses

    with pytest.MonkeyPatch.context() as patch, pytest.raises(InterruptedError):
        patch.setattr(clap, "ClapTask", Task)
        clap.train(CONFIG, augmentations, tmp_path / "parts")
    resumed = clap.train(CONFIG, augmentations, tmp_path / "parts", resume=True)
    assert resumed.hash == whole.hash
    assert resumed.tokenizer.to_str() == whole.tokenizer.to_str()


def test_it_goes_on_from_a_checkpoint_with_its_tokenizer(augmentations: Augmentations, tmp_path: Path) -> None:
    first = clap.train(CONFIG, augmentations, tmp_path / "first")
    first.save(tmp_path / "shipped")
    other = CONFIG.model_copy(update={"steps": 1, "learning_rate": 0.0, "captions": 30, "vocabulary": 100, "seed": 1})
    start = tmp_path / "shipped"
    second = clap.train(other, augmentations, tmp_path / "second", start_from=start)
    assert second.hash == first.hash and second.tokenizer.to_str() == first.tokenizer.to_str()
    resumed = clap.train(other.model_copy(update={"steps": 2}), augmentations, tmp_path / "second", resume=True)
    assert resumed.hash == first.hash and resumed.tokenizer.to_str() == first.tokenizer.to_str()
    wider = CONFIG.model_copy(update={"sizes": SIZES.model_copy(update={"audio_width": 24})})
    with pytest.raises(CheckpointError, match="shape"):
        clap.train(wider, augmentations, tmp_path / "third", start_from=start)


def test_it_learns(augmentations: Augmentations, tmp_path: Path) -> None:
    """Forty steps on three styles that differ in level: the losses fall and held-out clips find their preset."""
    config = CONFIG.model_copy(update={"steps": 40, "evaluate_every": 40, "learning_rate": 3e-3})
    encoder = clap.train(config, augmentations, tmp_path)
    log = [json.loads(line) for line in (tmp_path / "log.jsonl").open()]
    assert log[-1]["audio_axes"] < 0.8 * log[0]["audio_axes"]
    loud, quiet = (encoder.axes(encoder.embed_text([words]))["level_db"] for words in ("an angry shout", "a whisper"))
    assert loud.steps > quiet.steps


def test_a_clip_prefers_all_captions_of_its_style(augmentations: Augmentations, tmp_path: Path) -> None:
    """Two captions that mean the same are equally right for a clip: the loss is lowest where both are near."""
    task = clap.ClapTask(CONFIG.model_copy(update={"own_share": 0.0}), augmentations, tmp_path)
    meant = torch.zeros(3, len(AXES))
    meant[2] = 3.0
    heard = meant[[0, 2]]
    text = torch.eye(3, 16)
    both = torch.nn.functional.normalize(text[:1] + text[1:2], dim=1)
    visible = torch.ones(2, len(AXES))

    @torch.no_grad()
    def loss(first: torch.Tensor) -> float:
        return float(task._contrastive(torch.cat([first, text[2:]]), text[[0, 2, 1]], heard, meant[[0, 2, 1]], visible))

    assert loss(both) < loss(text[:1])
    assert loss(text[:1]) < loss(text[2:])


def test_words_in_between_change_neither_the_others_nor_their_order(
    augmentations: Augmentations, tmp_path: Path
) -> None:
    caption = "a loud, angry voice"
    words = caption.replace(",", "").split()
    for share, filled in ((0.0, 0), (0.5, 50), (1.0, 100)):
        task = clap.ClapTask(CONFIG.model_copy(update={"filler_share": share}), augmentations, tmp_path)
        draw = np.random.default_rng(0)
        texts = [task._filled(caption, draw) for _ in range(100)]
        changed = [text.split() for text in texts if text != caption]
        assert abs(len(changed) - filled) <= 15
        for result in changed:
            assert 1 <= len(result) - len(words) <= clap.MAX_FILLERS
            rest = iter(result)
            assert all(word in rest for word in words)
            assert set(result) - set(words) <= set(task.fillers)


def test_a_whisper_has_no_pitch() -> None:
    heard = torch.zeros(2, len(AXES))
    heard[0, clap.BREATH] = 1.0 / AXES["breathiness"].floor
    visible = clap.audible(heard)
    pitch = list(AXES).index("pitch_semitones")
    assert visible[0, pitch] == pytest.approx(0.0, abs=1e-6) and visible[0, clap.LEVEL] == 1.0
    assert (visible[1] == 1).all()


def test_too_few_augmentations_are_refused(augmentations: Augmentations, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="fewer than one batch"):
        clap.train(CONFIG.model_copy(update={"batch_size": 64}), augmentations, tmp_path)


def test_the_preset_is_valid() -> None:
    config = load_preset(ClapConfig, "clap", "mini")
    network = config.sizes.network(config.vocabulary)
    assert network.axes == tuple(AXES)
