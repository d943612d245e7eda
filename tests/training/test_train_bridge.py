"""Training of a bridge: pairs, conditions and losses as configured, and resuming exactly."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tiny_bridges import CHANNELS, STYLE, configuration, tiny_latents
from tiny_voices import tiny_voice
from torch import Tensor

from latent_edit import recipes
from latent_edit.bridge import load_bridge
from latent_edit.data.latents import Latents
from latent_edit.data.world import TREMOR_HZ
from latent_edit.errors import CheckpointError, InputError
from latent_edit.models.embedded_vits import save_voice
from latent_edit.models.vits import freeze
from latent_edit.training import bridge as training
from latent_edit.training import loop
from latent_edit.training.bridge import PAPER_FRAMES, BridgeTask, needed_fields

LATENTS = tiny_latents()
VITS = freeze(tiny_voice())
ROWS: dict[str, dict[str, Any]] = {
    "ours": {},
    "i2sb": {"pairing": {"reading": 1.0}, "prosody": True, "predicts": "change"},
    "paper": {
        "method": "palette",
        "network": "image",
        "width": 8,
        "pairing": {"paper": 1.0},
        "condition": {"same_clip": 1.0},
        "null": "marginal",
        "normalise": False,
    },
}


def task_of(latents: Latents = LATENTS, **changes: Any) -> BridgeTask:
    torch.manual_seed(0)
    return BridgeTask(configuration(**changes), latents, VITS)


def tensors(state: Any, path: str = "") -> dict[str, Any]:
    """Every leaf of a nested state by its path."""
    if isinstance(state, dict):
        return {k: v for key, value in state.items() for k, v in tensors(value, f"{path}/{key}").items()}
    if isinstance(state, list | tuple):
        return {k: v for i, value in enumerate(state) for k, v in tensors(value, f"{path}/{i}").items()}
    return {path: state}


@pytest.mark.parametrize("row", ROWS)
def test_two_steps_saved_and_resumed_equal_an_uninterrupted_run(
    row: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard = {"segment_frames": 12, "plain_share": 0.2, "time_power": 3, "decoder_weight": 0.2} if row == "i2sb" else {}
    config = configuration(**ROWS[row], training={"steps": 3 if row == "paper" else 4, **heard})
    monkeypatch.setattr(training, "PAPER_FRAMES", 48)
    whole = training.train(config, LATENTS, VITS, tmp_path / "whole")
    torch.manual_seed(config.training.seed)
    loop.run(BridgeTask(config, LATENTS, VITS), tmp_path / "parts", 2, config.training.seed)
    with pytest.raises(InputError, match="holds a training state"):
        training.train(config, LATENTS, VITS, tmp_path / "parts")
    resumed = training.train(config, LATENTS, VITS, tmp_path / "parts", resume=True)
    states = [tensors(loop.read_state(tmp_path / name)) for name in ("whole", "parts")]
    assert states[0].keys() == states[1].keys()
    for name, value in states[0].items():
        other = states[1][name]
        assert torch.equal(value, other) if isinstance(value, Tensor) else value == other, name
    assert not whole.training
    for name, value in whole.state_dict().items():
        assert torch.equal(value, resumed.state_dict()[name]), name
        assert torch.equal(value, states[0][f"/task/averaged/module.{name}"]), name


def test_it_does_not_go_on_with_other_settings_or_latents(tmp_path: Path) -> None:
    training.train(configuration(), LATENTS, VITS, tmp_path)
    others = [dataclasses.replace(LATENTS, **{name: "0" * 64}) for name in ("style_hash", "voice_hash")]
    asked = [
        (configuration(width=24), LATENTS, "size mismatch"),
        *((configuration(), x, "another voice") for x in others),
    ]
    for config, latents, words in asked:
        with pytest.raises(InputError, match=f"is of other settings .*{words}"):
            training.train(config, latents, VITS, tmp_path, resume=True)


def test_it_goes_on_from_a_checkpoint_with_the_moments_of_its_own_latents(tmp_path: Path) -> None:
    first = training.train(configuration(), LATENTS, VITS, tmp_path / "first")
    first.mean += 1.0
    first.save(tmp_path / "shipped", "another voice", "another CLAP")
    still = configuration(training={"steps": 1, "learning_rate": 0.0})
    second = training.train(still, LATENTS, VITS, tmp_path / "second", start_from=tmp_path / "shipped")
    for name, value in second.state_dict().items():
        expected = first.state_dict()[name].half().float() if name not in dict(second.named_buffers()) else value
        assert torch.allclose(value, expected, atol=1e-6), name
    assert not torch.allclose(second.mean, first.mean, atol=0.5)
    with pytest.raises(CheckpointError, match="Bridge"):
        training.train(configuration(width=24), LATENTS, VITS, tmp_path / "third", start_from=tmp_path / "shipped")


def test_what_is_trained_is_saved_and_loaded(tmp_path: Path) -> None:
    class Known:
        latent_hash, hash = LATENTS.latent_hash, LATENTS.style_hash

    trained = training.train(configuration(), LATENTS, VITS, tmp_path / "run")
    trained.save(tmp_path / "out", LATENTS.latent_hash, LATENTS.style_hash)
    loaded = load_bridge(tmp_path / "out", Known(), Known())  # type: ignore[arg-type]
    assert loaded.sizes == {"channels": CHANNELS, "style_dimension": STYLE, "speaker_dimension": 4}
    assert torch.equal(loaded.mean, trained.mean.half().float())


def test_training_learns() -> None:
    task = task_of(tiny_latents(8), training={"steps": 1000, "learning_rate": 5e-3, "warmup_steps": 0, "ema": 0.9})
    losses = [task.step(index) for index in range(40)]
    for name in ("denoising", "pace"):
        assert np.mean([loss[name] for loss in losses[-8:]]) < 0.9 * np.mean([loss[name] for loss in losses[:8]]), name


def test_moments_are_those_of_natural_recordings() -> None:
    bridge = task_of().bridge
    natural = torch.cat([LATENTS.examples["target"][i].float() for i in range(0, len(LATENTS), 3)], dim=1)
    assert torch.allclose(bridge.mean[:, 0], natural.mean(1), atol=1e-4)
    assert torch.allclose(bridge.deviation[:, 0], natural.std(1), atol=1e-4)
    assert torch.allclose(bridge.style_mean[1], LATENTS.audio_style.mean(0))
    assert torch.allclose(bridge.style_mean[0], torch.stack([c.mean(0) for c in LATENTS.caption_styles]).mean(0))
    plain = task_of(normalise=False).bridge
    assert (plain.mean == 0).all()
    assert (plain.deviation == 1).all()


# -- pairs -----------------------------------------------------------------------------------------------------------

CHOSEN, KEEP = np.array([3, 7, 4]), np.array([True, True, False])


def pairs(task: BridgeTask, keep: np.ndarray = KEEP) -> tuple[Tensor, Tensor, Tensor]:
    return task._pairs(CHOSEN, keep, np.random.default_rng(0))[:3]


def normalised(task: BridgeTask, field: str, index: int) -> Tensor:
    return (LATENTS.examples[field][index].float() - task.bridge.mean) / task.bridge.deviation


@pytest.mark.parametrize(
    ("kind", "space", "field"),
    [("parallel", "post_flow", "neutral"), ("aligned", "post_flow", "text"), ("aligned", "pre_flow", "text_prior")],
)
def test_pairs_start_from_what_is_configured(kind: str, space: str, field: str) -> None:
    task = task_of(pairing={kind: 1.0}, source_space=space)
    source, target, mask = pairs(task)
    lengths = [LATENTS.examples["target"][i].shape[1] for i in CHOSEN]
    assert mask.sum((1, 2)).tolist() == lengths
    assert source.shape == target.shape == (3, CHANNELS, max(lengths))
    for row, (index, length) in enumerate(zip(CHOSEN, lengths, strict=True)):
        assert torch.allclose(source[row, :, :length], normalised(task, field, index), atol=1e-5)
        expected = "target" if KEEP[row] else "neutral"
        assert torch.allclose(target[row, :, :length], normalised(task, expected, index), atol=1e-5)
        assert (source[row, :, length:] == 0).all()
        assert (target[row, :, length:] == 0).all()


def test_a_reading_is_styled_or_stays_itself() -> None:
    task = task_of(pairing={"reading": 1.0})
    source, target, mask = pairs(task)
    for row, index in enumerate(CHOSEN):
        length = int(mask[row].sum())
        assert length == LATENTS.examples["reading"][index].shape[1]
        assert torch.allclose(source[row, :, :length], normalised(task, "reading", index), atol=1e-5)
        expected = "styled_reading" if KEEP[row] else "reading"
        assert torch.allclose(target[row, :, :length], normalised(task, expected, index), atol=1e-5)


def test_a_dropped_condition_leaves_the_target_where_the_null_is_marginal() -> None:
    task = task_of(pairing={"aligned": 1.0}, null="marginal")
    _, target, mask = pairs(task, np.array([False, False, False]))
    for row, index in enumerate(CHOSEN):
        length = int(mask[row].sum())
        assert torch.allclose(target[row, :, :length], normalised(task, "target", index), atol=1e-5)


def test_a_step_sees_the_same_stretch_of_source_and_target() -> None:
    task = task_of(pairing={"aligned": 1.0}, training={"segment_frames": 10})
    starts = set()
    for seed in range(20):
        source, target, mask, *_ = task._pairs(CHOSEN, KEEP, np.random.default_rng(seed))
        assert source.shape == target.shape == (3, CHANNELS, 10)
        assert (mask == 1).all()
        whole = normalised(task, "text", CHOSEN[0])
        found = [t for t in range(whole.shape[1] - 9) if torch.allclose(whole[:, t : t + 10], source[0], atol=1e-5)]
        assert len(found) == 1
        stretch = normalised(task, "target", CHOSEN[0])[:, found[0] : found[0] + 10]
        assert torch.allclose(target[0], stretch, atol=1e-5)
        starts.add(found[0])
    assert len(starts) > 5
    whole_again = task_of(pairing={"aligned": 1.0}, training={"segment_frames": None})
    assert pairs(whole_again)[0].shape[2] > 10


def test_the_papers_pairs_are_never_cut_into_stretches() -> None:
    """Their frames do not correspond."""
    task = task_of(**ROWS["paper"], training={"segment_frames": 10, "masked_loss": False})
    source, target, _ = pairs(task)
    for values, name in ((source, "paper"), (target, "target")):
        own = LATENTS.examples[name][CHOSEN[0]].float()
        assert torch.equal(values[0, :, : own.shape[1]], own)


@pytest.mark.parametrize(("space", "field"), [("post_flow", "paper"), ("pre_flow", "paper_prior")])
def test_the_papers_pairs_are_cut_or_padded_without_a_mask(space: str, field: str) -> None:
    task = task_of(**{**ROWS["paper"], "source_space": space}, training={"masked_loss": False})
    source, target, mask = pairs(task)
    assert source.shape == target.shape == (3, CHANNELS, PAPER_FRAMES)
    assert (mask == 1).all()
    for row, index in enumerate(CHOSEN):
        for values, name in ((source, field), (target, "target")):
            own = LATENTS.examples[name][index].float()
            assert torch.equal(values[row, :, : own.shape[1]], own)
            assert (values[row, :, own.shape[1] :] == 0).all()


def test_the_papers_pairs_are_cut_where_they_are_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "PAPER_FRAMES", 16)
    source, target, _ = pairs(task_of(**ROWS["paper"]))
    assert torch.equal(target[0], LATENTS.examples["target"][3][:, :16].float())
    assert source.shape == (3, CHANNELS, 16)


@pytest.mark.parametrize(("row", "counted"), [("paper", True), ("paper", False), ("ours", False)])
def test_padding_counts_where_the_loss_is_not_masked(row: str, counted: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """A network that is right inside each item and wrong in the padding."""
    monkeypatch.setattr(training, "PAPER_FRAMES", 64)
    temporal = {**ROWS[row], "network": "temporal", "null": "marginal"}
    task = task_of(**temporal, training={"masked_loss": not counted})
    wrong: list[Tensor] = []

    def example(source: Tensor, target: Tensor, mask: Tensor, *_: object) -> tuple[Tensor, Tensor]:
        lengths = torch.tensor([LATENTS.examples["target"][i].shape[1] for i in CHOSEN])
        padding = (torch.arange(mask.shape[2]) >= lengths[:, None])[:, None].float()
        wrong.append(padding.expand_as(target))
        return source, torch.zeros_like(target)

    class Fake:
        training_example = staticmethod(example)

    task.bridge.diffusion = Fake()  # type: ignore[assignment]
    monkeypatch.setattr(task.bridge, "predict", lambda *_: wrong[-1])
    loss = task._losses(CHOSEN, np.random.default_rng(0), task.bridge)["denoising"]
    assert wrong[-1].sum() > 0
    assert float(loss) == pytest.approx(float(wrong[-1].mean()) if counted else 0.0)


def test_a_network_is_shown_how_long_the_target_is() -> None:
    """In place of the source, while padding counts in its loss; an edit fills all of its frames."""
    task = task_of(**ROWS["paper"], condition_on_source=False, shows_length=True, training={"masked_loss": False})
    seen: list[Tensor] = []

    def denoise(x_t: Tensor, _: Tensor, shown: Tensor, *__: Tensor) -> Tensor:
        seen.append(shown)
        return torch.zeros_like(x_t, requires_grad=True)

    task.bridge.denoiser.forward = denoise  # type: ignore[method-assign]
    task._losses(CHOSEN, np.random.default_rng(0), task.bridge)
    lengths = [LATENTS.examples["target"][i].shape[1] for i in CHOSEN]
    assert seen[0].shape == (3, CHANNELS, PAPER_FRAMES)
    assert [row.sum(1).unique().tolist() for row in seen[0]] == [[length] for length in lengths]
    with pytest.raises(ValueError, match="in place of the source"):
        configuration(shows_length=True)


def test_a_regression_is_trained_where_it_is_asked() -> None:
    """At t = 1, from the source, towards the change: what it learns there is all that an edit uses."""
    task = task_of(method="regression", pairing={"reading": 1.0}, predicts="change", null="marginal")
    seen: list[tuple[Tensor, ...]] = []

    def predict(x_t: Tensor, time: Tensor, source: Tensor, *_: Any) -> Tensor:
        seen.append((x_t, time, source))
        return torch.zeros_like(x_t)

    task.bridge.predict = predict  # type: ignore[method-assign]
    loss = task._losses(CHOSEN, np.random.default_rng(0), task.bridge)["denoising"]
    [(x_t, time, source)] = seen
    assert (time == 1).all() and torch.equal(x_t, source)
    _, target, mask = pairs(task)
    assert float(loss) == pytest.approx(float((target - source).square().sum() / mask.sum() / CHANNELS), rel=1e-5)


def test_the_loss_is_the_mean_over_frames_inside_the_mask(monkeypatch: pytest.MonkeyPatch) -> None:
    task = task_of()

    class Fake:
        @staticmethod
        def training_example(source: Tensor, target: Tensor, *_: object) -> tuple[Tensor, Tensor]:
            return source, torch.zeros_like(target)

    task.bridge.diffusion = Fake()  # type: ignore[assignment]
    monkeypatch.setattr(task.bridge, "predict", lambda x_t, *_: torch.full_like(x_t, 3.0))
    assert float(task._losses(CHOSEN, np.random.default_rng(0), task.bridge)["denoising"]) == pytest.approx(9.0)


def test_the_prosody_of_a_stretch_is_that_of_its_sentence() -> None:
    """Melody and clock are those of the whole source, cut where it is cut."""
    task = task_of(prosody=True, pairing={"parallel": 1.0}, training={"segment_frames": 16})
    assert float(task.bridge.tremor_rate) == pytest.approx(TREMOR_HZ * VITS.hop_length / VITS.sampling_rate)
    source, *_, prosody = task._pairs(CHOSEN, KEEP, np.random.default_rng(0))
    assert prosody is not None
    assert prosody.shape == (3, 4, 16)
    heard = VITS.source_filter_decoder.pitch.f0_contour
    later = 0
    for row, index in enumerate(CHOSEN):
        values = normalised(task, "neutral", index)
        starts = range(values.shape[1] - 15)
        start = next(n for n in starts if torch.allclose(values[:, n : n + 16], source[row], atol=1e-5))
        whole = LATENTS.examples["neutral"][index].float()
        speaker = VITS.all_speaker_embeddings[LATENTS.speaker[index]]
        melody = heard(whole, speaker).unsqueeze(0)
        expected = task.bridge.with_clock(melody, torch.ones(1, 1, whole.shape[1]))[0, :, start : start + 16]
        assert torch.allclose(prosody[row], expected, atol=1e-4)
        later += start > 0
    assert later
    assert np.isfinite(task.step(0)["denoising"])


def test_examples_in_no_style_are_kept_to_their_share() -> None:
    everything, few = task_of().pool, task_of(training={"plain_share": 0.1}).pool
    assert everything.tolist() == list(range(len(LATENTS)))
    plain = [index for index in few if LATENTS.items[index].kind != "styled"]
    assert len(plain) == 1
    assert set(everything) - set(few) == {i for i in everything if LATENTS.items[i].kind != "styled"} - set(plain)


def test_more_times_near_the_start_of_an_edit(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: dict[float, list[float]] = {}
    for power in (1.0, 3.0):
        task = task_of(training={"time_power": power})
        example = task.bridge.diffusion.training_example
        times = drawn.setdefault(power, [])

        def seen(*arguments: Any, times: list[float] = times, example: Any = example) -> Any:
            times += arguments[3].tolist()
            return example(*arguments)

        monkeypatch.setattr(type(task.bridge.diffusion), "training_example", staticmethod(seen))
        for index in range(30):
            task._losses(CHOSEN, np.random.default_rng(index), task.bridge)
        monkeypatch.undo()
        assert np.mean(times) == pytest.approx(power / (power + 1), abs=0.08)


def test_a_voice_with_a_single_speaker_trains_as_well() -> None:
    latents = Latents(**{**vars(tiny_latents()), "speaker": np.zeros(16, dtype=int)})
    config = configuration(**ROWS["i2sb"], training={"decoder_weight": 0.2})
    losses = BridgeTask(config, latents, freeze(tiny_voice(speakers=["anna"]))).step(0)
    assert all(np.isfinite(value) for value in losses.values())


def test_latents_of_another_voice_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save_voice(tiny_voice(), tmp_path / "voice")
    monkeypatch.setattr("latent_edit.data.latents.load_latents", lambda *_: LATENTS)
    monkeypatch.setattr(recipes, "_augmentations", lambda _: None)
    with pytest.raises(InputError, match="are of another voice"):
        recipes.train_bridge(runs=tmp_path, voice=tmp_path / "voice")
    assert not list(tmp_path.glob("bridge-*"))


def test_only_the_fields_that_are_needed() -> None:
    assert needed_fields(configuration()) == ("neutral", "target", "text")
    assert needed_fields(configuration(**ROWS["paper"])) == ("neutral", "paper", "target")
    assert needed_fields(configuration(pairing={"aligned": 1.0}, source_space="pre_flow")) == (
        "neutral", "target", "text_prior",
    )  # fmt: skip
    fields = needed_fields(configuration())
    small = Latents(**{**vars(LATENTS), "examples": {field: LATENTS.examples[field] for field in fields}})
    assert np.isfinite(task_of(small).step(0)["denoising"])


# -- held out --------------------------------------------------------------------------------------------------------


def test_what_is_held_out_is_evaluated_and_never_trained_on(monkeypatch: pytest.MonkeyPatch) -> None:
    held_out = training.last_sentences(LATENTS)
    assert held_out == [4, 9, 14]  # all that say the fifth of five sentences
    config = configuration(training={"steps": 40, "learning_rate": 5e-3, "batch_size": 2})
    task = BridgeTask(config, LATENTS, VITS, held_out)
    seen: list[int] = []
    losses = task._losses

    def noted(chosen: np.ndarray, *others: Any) -> dict[str, Tensor]:
        seen.extend(chosen.tolist())
        return losses(chosen, *others)

    monkeypatch.setattr(task, "_losses", noted)
    before = task.evaluate(0)
    assert seen == held_out and before == task.evaluate(0)
    seen.clear()
    for index in range(40):
        task.step(index)
    assert set(seen) == set(range(len(LATENTS))) - set(held_out)
    after = task.evaluate(40)
    assert after.keys() == {training.VALIDATION, "held_out_pace"}
    assert after[training.VALIDATION] != before[training.VALIDATION]
    with torch.no_grad():
        for weights in task.bridge.parameters():
            weights.zero_()
    assert task.evaluate(40) == after  # of the average
    assert task_of().evaluate(0) == {}


def test_the_losses_of_unequal_batches_are_weighed(monkeypatch: pytest.MonkeyPatch) -> None:
    task = BridgeTask(configuration(training={"batch_size": 2}), LATENTS, VITS, [3, 5, 8])
    monkeypatch.setattr(task, "_losses", lambda chosen, *_: {"denoising": torch.tensor(float(len(chosen)))})
    assert task.evaluate(0)[training.VALIDATION] == pytest.approx((2 + 2 + 1) / 3)


# -- conditions ------------------------------------------------------------------------------------------------------


def styles(kind: str, example: int, count: int = 30) -> tuple[BridgeTask, list[Tensor]]:
    task = task_of(condition={kind: 1.0}, training={"condition_noise": 0.0})
    draw = np.random.default_rng(0)
    return task, [task._style(example, draw) for _ in range(count)]


def is_one_of(style: Tensor, candidates: Tensor) -> bool:
    return bool((torch.linalg.vector_norm(candidates - style, dim=1) < 1e-5).any())


def test_the_condition_may_be_the_clip_itself() -> None:
    task, drawn = styles("same_clip", 5)
    own = task.bridge.centred(LATENTS.audio_style[5:6], "audio")
    assert all(is_one_of(style, own) for style in drawn)


def test_the_condition_may_be_a_caption() -> None:
    task, drawn = styles("caption", 5)
    own = task.bridge.centred(LATENTS.caption_styles[5], "text")
    assert all(is_one_of(style, own) for style in drawn)
    assert len({tuple(style.tolist()) for style in drawn}) == 2


def test_the_condition_may_be_another_clip_in_the_same_style_that_says_something_else() -> None:
    task, drawn = styles("other_clip", 5)
    similar = LATENTS.similar[5]
    assert len(similar) > 1
    others = task.bridge.centred(LATENTS.audio_style[similar], "audio")
    own = task.bridge.centred(LATENTS.audio_style[5:6], "audio")
    assert all(is_one_of(style, others) and not is_one_of(style, own) for style in drawn)


def test_without_a_similar_clip_its_own_has_to_do() -> None:
    lonely = dataclasses.replace(LATENTS, similar=[np.zeros(0, dtype=int)] * len(LATENTS))
    task = task_of(lonely, condition={"other_clip": 1.0}, training={"condition_noise": 0.0})
    drawn = task._style(5, np.random.default_rng(0))
    assert is_one_of(drawn, task.bridge.centred(LATENTS.audio_style[5:6], "audio"))


def test_condition_noise_is_relative_to_the_norm() -> None:
    task = task_of(condition={"same_clip": 1.0}, training={"condition_noise": 0.1})
    own = task.bridge.centred(LATENTS.audio_style[5:6], "audio")[0]
    draw = np.random.default_rng(0)
    drawn = torch.stack([task._style(5, draw) for _ in range(200)])
    assert torch.allclose(drawn.norm(dim=1), torch.ones(200), atol=1e-5)
    # Noise of norm 0.1; what lies along the style itself vanishes when it is normed again.
    expected = 0.1 * ((STYLE - 1) / STYLE) ** 0.5
    assert float((drawn - own).square().sum(1).mean().sqrt()) == pytest.approx(expected, rel=0.1)


def test_conditions_are_dropped_as_often_as_configured(monkeypatch: pytest.MonkeyPatch) -> None:
    task = task_of(training={"condition_dropout": 0.25})
    kept: list[Tensor] = []

    def predict(x_t: Tensor, time: Tensor, source: Tensor, style: Tensor, keep: Tensor, *_: Tensor) -> Tensor:
        del time, source, style
        kept.append(keep)
        return torch.zeros_like(x_t)

    monkeypatch.setattr(task.bridge, "predict", predict)
    for seed in range(40):
        task._losses(np.arange(12), np.random.default_rng(seed), task.bridge)
    assert float(torch.cat(kept).float().mean()) == pytest.approx(0.75, abs=0.05)


def test_the_pace_head_learns_the_ratio_of_durations() -> None:
    task = task_of(tiny_latents(4), training={"condition_dropout": 1.0})
    with torch.no_grad():
        for parameter in task.bridge.pace.parameters():
            parameter.zero_()
    chosen = np.array([0, 1, 2])
    loss = task._losses(chosen, np.random.default_rng(0), task.bridge)["pace"]
    assert float(loss.detach()) == pytest.approx(float((task.latents.log_ratio[chosen] ** 2).mean()), rel=1e-4)


def test_too_few_examples_and_wild_gradients_are_errors() -> None:
    with pytest.raises(InputError, match="3 recordings are fewer than one batch of 4"):
        task_of(tiny_latents(3)).step(0)
    task = task_of()
    with torch.no_grad():
        task.bridge.mean.fill_(float("nan"))
    before = task.bridge.denoiser.input.weight.clone()
    with pytest.raises(RuntimeError, match="non-finite"):
        task.step(0)
    assert torch.equal(task.bridge.denoiser.input.weight, before)
