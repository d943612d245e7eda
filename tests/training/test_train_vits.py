"""The voice's four stages on a tiny voice and made-up sound: what trains, what stays, and that resuming is exact."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tiny_voices import ARCHITECTURE, HOP, RATE, SPEAKERS, buzz, tiny_speech, tiny_voice
from torch import Tensor

from latent_edit import checkpoint
from latent_edit.config import load_preset
from latent_edit.data.augmentations import Augmentations
from latent_edit.data.speech import Speech
from latent_edit.data.styles import Style
from latent_edit.errors import CheckpointError, InputError
from latent_edit.models.alignment import prior_log_likelihood
from latent_edit.models.discriminators import Discriminators
from latent_edit.models.embedded_vits import DISCRIMINATORS_NAME, EmbeddedVits
from latent_edit.models.spectrogram import LogMel
from latent_edit.models.vits import LATENT_PARTS, FrozenVits, freeze
from latent_edit.training import loop, vits, vits_task
from latent_edit.training.losses import frame_moments, multi_resolution_stft_loss
from latent_edit.training.vits import STYLED_FULL_SCALE, build_voice
from latent_edit.training.vits_config import VitsTrainingConfig
from latent_edit.training.vits_task import VitsTask, slice_frames
from latent_edit.types import Waveform

STAGES = {
    "neutral": {"train": "all", "steps": 4, "learning_rate": 1e-3, "adversarial_from": 0},
    "styled": {
        "train": "posterior_and_decoder",
        "steps": 4,
        "learning_rate": 1e-3,
        "adversarial_from": 1,
        "styled_share": 0.5,
        "moment_weight": 1.0,
    },
    "text": {"train": "text_side", "steps": 4, "learning_rate": 1e-3},
    "decoder": {"train": "decoder", "steps": 4, "learning_rate": 1e-3, "adversarial_from": 0, "styled_share": 0.5},
}
CONFIG = VitsTrainingConfig.model_validate(
    {
        "architecture": ARCHITECTURE,
        "stages": STAGES,
        "batch_size": 4,
        "segment_frames": 12,
        "adversarial_frames": 6,
        "warmup_steps": 2,
        "mel_bins": 20,
        "ema": 0.5,
    }
)
SPEECH, STYLED = tiny_speech(8), tiny_speech(6, seed=100, full_scale=STYLED_FULL_SCALE)
State = dict[str, Any]


def task_state(folder: Path) -> State:
    return loop.read_state(folder)["task"]


def run_stage(name: str, runs: Path, **options: Any) -> Path:
    styled = STYLED if CONFIG.stages[name].styled_share else None
    return vits.train(CONFIG, name, SPEECH, runs, styled=styled, **options)


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All four stages, run without an interruption."""
    runs = tmp_path_factory.mktemp("runs")
    for name in STAGES:
        assert run_stage(name, runs) == runs / name
    return runs


def differing(one: Any, other: Any, path: str = "") -> list[str]:
    """Where two nested states are not equal bit for bit."""
    if isinstance(one, Tensor):
        return [] if torch.equal(one, other) else [path]
    if isinstance(one, dict):
        assert one.keys() == other.keys(), path
        return [name for key in one for name in differing(one[key], other[key], f"{path}/{key}")]
    if isinstance(one, list | tuple):
        assert len(one) == len(other), path
        return [
            name for i, (a, b) in enumerate(zip(one, other, strict=True)) for name in differing(a, b, f"{path}/{i}")
        ]
    return [] if one == other else [path]


@pytest.mark.parametrize("name", STAGES)
def test_two_steps_saved_and_resumed_equal_an_uninterrupted_run(
    name: str, runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The adversarial loss is on from the first or second step."""
    earlier = list(STAGES)[: list(STAGES).index(name)]
    for stage in earlier:
        (tmp_path / stage).symlink_to(runs / stage)
    plain_step = VitsTask.step

    def step(self: VitsTask, index: int) -> dict[str, float]:
        if index == 2:
            raise KeyboardInterrupt
        return plain_step(self, index)

    plain_run = loop.run
    monkeypatch.setattr(loop, "run", lambda *a, **k: plain_run(*a, **k, save_every_seconds=0.0))
    monkeypatch.setattr(VitsTask, "step", step)
    with pytest.raises(KeyboardInterrupt):
        run_stage(name, tmp_path)
    monkeypatch.undo()
    assert loop.read_state(tmp_path / name)["index"] == 2
    assert differing(task_state(tmp_path / name), task_state(runs / name)) != []
    run_stage(name, tmp_path, resume=True)
    assert differing(loop.read_state(tmp_path / name), loop.read_state(runs / name)) == []


def moved(before: dict[str, Tensor], after: dict[str, Tensor]) -> set[str]:
    """Parts of the voice in which any value differs."""
    return {name.split(".")[0] for name, tensor in after.items() if not torch.equal(tensor, before[name])}


def test_what_each_stage_trains(runs: Path) -> None:
    torch.manual_seed(CONFIG.seed)
    start = build_voice(ARCHITECTURE, SPEAKERS).state_dict()
    voices = {name: (task_state(runs / name)["voice"], vits.load_averaged(runs / name).voice) for name in STAGES}
    parts = {"text_encoder", "flow", "posterior_encoder", "duration_predictor", "embed_speaker", "decoder"}
    for trained in voices["neutral"]:
        assert moved(start, trained) == parts
    for trained in voices["styled"]:
        assert moved(voices["neutral"][1], trained) == {"posterior_encoder", "decoder"}
    for trained in voices["text"]:
        assert moved(voices["styled"][1], trained) == {"text_encoder", "flow", "duration_predictor"}
    for trained in voices["decoder"]:
        assert moved(voices["text"][1], trained) == {"decoder"}
    for name in STAGES:
        assert moved(*voices[name]) != set()  # the average is another voice than the last step's


def test_the_last_stage_keeps_the_latent_space(runs: Path, tmp_path: Path) -> None:
    hashes = {}
    for name in STAGES:
        vits.export(CONFIG, runs / name, tmp_path / name, SPEECH)
        hashes[name] = FrozenVits.load(tmp_path / name)
    assert hashes["decoder"].latent_hash == hashes["text"].latent_hash != hashes["styled"].latent_hash
    assert hashes["decoder"].hash != hashes["text"].hash
    assert set(LATENT_PARTS) <= {f"{part}." for part in moved(*(tiny_voice(s).state_dict() for s in (0, 1)))}


def test_losses_of_each_stage() -> None:
    for name, expected in {
        "neutral": {"kl", "duration", "mel", "adversarial", "features", "discriminator"},
        "styled": {"kl", "duration", "mel", "styled_mel", "styled_stft", "moments"},
        "text": {"kl", "duration"},
        "decoder": {"mel", "adversarial", "features", "discriminator", "styled_mel", "styled_stft"},
    }.items():
        task = VitsTask(CONFIG, CONFIG.stages[name], tiny_voice(), SPEECH, STYLED)
        losses = task.step(0)
        heard = {"pitch", "voicing"} if "mel" in expected else set()
        heard |= {f"styled_{loss}" for loss in heard if "styled_mel" in expected}
        assert set(losses) == expected | heard | {"gradient"}, name
        assert all(np.isfinite(value) for value in losses.values())


def test_training_learns() -> None:
    """A few steps on one batch bring down what they train for."""
    torch.manual_seed(0)
    config = CONFIG.model_copy(update={"warmup_steps": 0})
    stage = config.stages["neutral"].model_copy(update={"learning_rate": 5e-3, "steps": 1000, "adversarial_from": 999})
    task = VitsTask(config, stage, build_voice(ARCHITECTURE, SPEAKERS), tiny_speech(4))
    losses = [task.step(index) for index in range(12)]
    for name in ("mel", "duration"):
        assert np.mean([loss[name] for loss in losses[-3:]]) < 0.9 * np.mean([loss[name] for loss in losses[:3]]), name


def test_the_learning_rate_rises_and_falls() -> None:
    task = VitsTask(CONFIG, CONFIG.stages["neutral"], tiny_voice(), SPEECH)
    for index, warm in ((0, 0.5), (3, 1.0)):
        task.step(index)
        for optimizer in (task.optimizer, task.discriminator_optimizer):
            assert optimizer.param_groups[0]["lr"] == pytest.approx(1e-3 * warm * 0.1 ** (index / 4))


def step_with(bfloat16: bool, name: str, monkeypatch: pytest.MonkeyPatch) -> tuple[dict[str, float], set[torch.dtype]]:
    """Losses of one step on a processor with or without units for bfloat16, and in what the network computed them."""

    def exact(*given: Tensor) -> Tensor:
        assert not torch.is_autocast_enabled("cpu")
        assert {x.dtype for x in given} == {torch.float32}
        return prior_log_likelihood(*given)

    monkeypatch.setattr(loop, "has_bfloat16", lambda _: bfloat16)
    monkeypatch.setattr(vits_task, "prior_log_likelihood", exact)
    stage = CONFIG.stages[name].model_copy(update={"adversarial_from": 0})
    task, computed = VitsTask(CONFIG, stage, tiny_voice(), SPEECH, STYLED), set()
    task.voice.posterior_encoder.conv_proj.register_forward_hook(lambda *seen: computed.add(seen[-1].dtype))
    task.log_mel.register_forward_hook(lambda *seen: computed.add(seen[-1].dtype))
    torch.manual_seed(0)
    losses = task.step(0)
    assert {parameter.dtype for parameter in task.voice.parameters()} == {torch.float32}
    return losses, computed


@pytest.mark.parametrize("name", STAGES)
def test_bfloat16_changes_little(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The network computes in it where the processor can; alignment and mel keep the digits of float32."""
    plain, computed = step_with(False, name, monkeypatch)
    assert computed == {torch.float32}
    halved, computed = step_with(True, name, monkeypatch)
    assert computed == ({torch.bfloat16, torch.float32} if "mel" in plain else {torch.bfloat16})
    assert halved != plain
    assert halved == pytest.approx(plain, rel=0.05, abs=0.05)


def test_a_gradient_that_is_not_finite_stops_the_training() -> None:
    task = VitsTask(CONFIG, CONFIG.stages["neutral"], tiny_voice(), SPEECH)
    with torch.no_grad():
        task.voice.posterior_encoder.conv_proj.bias.fill_(float("nan"))
    with pytest.raises(RuntimeError, match="gradient of step 0 is not finite"):
        task.step(0)


def test_a_run_is_not_overwritten(runs: Path) -> None:
    with pytest.raises(InputError, match="holds a training state"):
        run_stage("neutral", runs)


def test_a_stage_needs_the_one_before_it(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="neutral holds no training state"):
        run_stage("styled", tmp_path)
    with pytest.raises(InputError, match="there is no stage 'last'; known: neutral, styled, text, decoder"):
        vits.train(CONFIG, "last", SPEECH, tmp_path)
    with pytest.raises(InputError, match="8 recordings are fewer than one batch of 64"):
        vits.train(CONFIG.model_copy(update={"batch_size": 64}), "neutral", SPEECH, tmp_path / "few")
    other = ARCHITECTURE.model_copy(update={"sampling_rate": 22_050})
    with pytest.raises(InputError, match="recordings have 16000 Hz, but the preset asks for a voice of 22050 Hz"):
        vits.train(CONFIG.model_copy(update={"architecture": other}), "neutral", SPEECH, tmp_path / "faster")


def test_a_stage_needs_the_whole_of_the_one_before_it(runs: Path, tmp_path: Path) -> None:
    (tmp_path / "neutral").symlink_to(runs / "neutral")
    longer = CONFIG.stages["neutral"].model_copy(update={"steps": 9_000})
    config = CONFIG.model_copy(update={"stages": {**CONFIG.stages, "neutral": longer}})
    with pytest.raises(InputError, match=r"stage neutral before it has \d of 9,000 steps: train it to the end"):
        vits.train(config, "styled", SPEECH, tmp_path, styled=STYLED)
    assert not (tmp_path / "styled").exists()


def test_a_stage_may_start_from_a_checkpoint(runs: Path, tmp_path: Path) -> None:
    vits.export(CONFIG, runs / "neutral", tmp_path / "voice", SPEECH)
    config = CONFIG.model_copy(update={"stages": {"styled": CONFIG.stages["styled"].model_copy(update={"steps": 1})}})
    folder = vits.train(config, "styled", SPEECH, tmp_path, styled=STYLED, start_from=tmp_path / "voice")
    given = checkpoint.load_tensors(tmp_path / "voice")
    assert moved(given, task_state(folder)["voice"]) == {"posterior_encoder", "decoder"}
    discriminators = checkpoint.load_tensors(tmp_path / "voice", DISCRIMINATORS_NAME)
    trained = task_state(folder)["discriminators"]  # not yet at work: the adversarial loss starts at step 1
    assert all(torch.equal(trained[name], tensor) for name, tensor in discriminators.items())
    (tmp_path / "odd").mkdir()
    (tmp_path / "odd" / "config.json").write_text("{}")
    with pytest.raises(CheckpointError, match="odd is no voice of the embedded kind"):
        vits.train(config, "styled", SPEECH, tmp_path / "more", styled=STYLED, start_from=tmp_path / "odd")


@pytest.mark.shipped
def test_training_can_go_on_from_the_shipped_voice() -> None:
    """Its sizes are those of the preset, and the discriminators are with it."""
    folder = checkpoint.default_root() / "vits-mini"
    speakers = checkpoint.load_config(folder)["speakers"]
    network = build_voice(load_preset(VitsTrainingConfig, "vits", "mini").architecture, speakers)
    checkpoint.strict_load(network, checkpoint.load_tensors(folder))
    checkpoint.strict_load(Discriminators(), checkpoint.load_tensors(folder, DISCRIMINATORS_NAME))


def test_each_speaker_keeps_its_embedding(tmp_path: Path) -> None:
    """Rows follow the names of the checkpoint, whatever the order in which a corpus lists its speakers."""
    names = ["zoe", "anna"]
    speech = tiny_speech(4, names)
    vits.save_voice(tiny_voice(speakers=names), tmp_path / "voice", VitsTask(
        CONFIG, CONFIG.stages["neutral"], tiny_voice(speakers=names), speech).discriminators.state_dict(),
    )  # fmt: skip
    stages = {name: CONFIG.stages[name].model_copy(update={"steps": 1}) for name in ("styled", "decoder")}
    config = CONFIG.model_copy(update={"stages": stages, "batch_size": 2})
    styled = tiny_speech(2, names)
    vits.train(config, "styled", speech, tmp_path, styled=styled, start_from=tmp_path / "voice")
    vits.train(config, "styled", speech, tmp_path, styled=styled, resume=True)
    vits.train(config, "decoder", speech, tmp_path, styled=styled)
    vits.export(config, tmp_path / "decoder", tmp_path / "out", speech)
    before, after = FrozenVits.load(tmp_path / "voice"), FrozenVits.load(tmp_path / "out")
    assert list(after.speakers) == names
    for name in names:
        assert torch.equal(before.speaker_embedding(name), after.speaker_embedding(name))


def test_speakers_that_the_voice_does_not_have_are_refused(runs: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="the voice has no speaker 'carl'; it has anna, ben"):
        VitsTask(CONFIG, CONFIG.stages["styled"], tiny_voice(), SPEECH, tiny_speech(4, ["anna", "carl"]))
    (tmp_path / "neutral").symlink_to(runs / "neutral")
    with pytest.raises(InputError, match="the voice has no speaker 'carl'; it has anna, ben"):
        vits.train(CONFIG, "neutral", tiny_speech(8, ["anna", "carl"]), tmp_path, resume=True)


def test_a_voice_of_one_speaker_trains(tmp_path: Path) -> None:
    """LJSpeech is one."""
    speech, styled = tiny_speech(4, ["lj"]), tiny_speech(4, ["lj"], seed=9)
    for name in STAGES:
        stages = {s: CONFIG.stages[s].model_copy(update={"steps": 1}) for s in STAGES}
        vits.train(CONFIG.model_copy(update={"stages": stages}), name, speech, tmp_path, styled=styled)
    vits.export(CONFIG, tmp_path / "decoder", tmp_path / "out", speech)
    voice = FrozenVits.load(tmp_path / "out")
    assert voice.speakers == {"lj": 0}
    assert voice.speaker_embedding("lj").shape == (1, 0)
    reading = voice.encode_text(voice.phonemize("hi"), "lj")
    assert torch.isfinite(voice.decode(reading.latent, "lj").samples).all()


def test_the_judge_hears_the_average_and_harms_nothing(tmp_path: Path) -> None:
    heard: list[dict[str, Tensor]] = []

    def judge(voice: EmbeddedVits) -> dict[str, float]:
        assert not voice.training
        frozen = freeze(voice)
        frozen.decode(frozen.encode_text(frozen.phonemize("hi"), "anna").latent, "anna")
        heard.append({name: tensor.clone() for name, tensor in voice.state_dict().items()})
        return {"wer_say": 1.0}

    stage = CONFIG.stages["neutral"].model_copy(update={"steps": 2})
    task = VitsTask(CONFIG, stage, tiny_voice(), SPEECH, judge=judge)
    loop.run(task, tmp_path / "judged", 2, 0, evaluate_every=1)
    quiet = VitsTask(CONFIG, stage, tiny_voice(), SPEECH)
    loop.run(quiet, tmp_path / "quiet", 2, 0, evaluate_every=1)
    assert differing(task_state(tmp_path / "judged"), task_state(tmp_path / "quiet")) == []
    assert len(heard) == 2
    averaged = vits.load_averaged(tmp_path / "judged").voice
    assert all(torch.equal(heard[1][name], tensor) for name, tensor in averaged.items())


def test_an_exported_voice_reads_and_is_the_average(runs: Path, tmp_path: Path) -> None:
    vits.export(CONFIG, runs / "neutral", tmp_path, SPEECH)
    tensors, averaged = checkpoint.load_tensors(tmp_path), vits.load_averaged(runs / "neutral").voice
    assert tensors.keys() == averaged.keys()
    assert all(torch.equal(tensor, averaged[name].half().float()) for name, tensor in tensors.items())
    assert list(FrozenVits.load(tmp_path).speakers) == SPEAKERS


def test_styled_augmentations_are_kept_above_full_scale(tmp_path: Path) -> None:
    class Item:
        def __init__(self, kind: str, split: str) -> None:
            self.kind, self.split, self.speaker, self.text = kind, split, "ben", f"{kind} text"
            self.style = Style(breathiness=1.0 if kind == "styled" else 0.0).as_array().tolist()

    items = [Item("raw", "train"), Item("neutral", "train"), Item("styled", "train"), Item("styled", "test")]

    class Loud(Augmentations):
        def audio(self, items: Sequence[Any]) -> Iterator[np.ndarray]:
            for item in items:
                yield (3.0 if item.kind == "styled" else 0.5) * buzz(0.5, 100) / np.abs(buzz(0.5, 100)).max()

    augmentations = Loud(tmp_path, RATE, tuple(items))  # type: ignore[arg-type]
    speech = vits.styled_speech(augmentations, HOP)
    assert speech.texts == ["neutral text", "styled text"]
    assert [np.abs(speech.audio(i)).max() for i in range(2)] == pytest.approx([0.5, 3.0], abs=STYLED_FULL_SCALE / 32767)
    assert speech.speakers == ["ben", "ben"]
    assert (speech.frames(0) > 0).any()
    assert not speech.frames(1).any()  # it is a whisper
    assert isinstance(speech, Speech)


# -- losses ----------------------------------------------------------------------------------------------------------


def test_slices_of_latent_and_sound_belong_together() -> None:
    frames = torch.arange(20.0).expand(2, 3, 20)
    samples = frames[:, 0].repeat_interleave(HOP, dim=1)
    starts = torch.tensor([0, 13])
    latent, sound = slice_frames(frames, starts, 7), slice_frames(samples, starts, 7, HOP)
    assert latent[:, 0].tolist() == [list(range(7)), list(range(13, 20))]
    assert torch.equal(sound[:, ::HOP], latent[:, 0])
    assert sound.shape == (2, 7 * HOP)


def test_log_mel_and_stft_losses() -> None:
    one, other = (torch.from_numpy(buzz(0.5, pitch))[None] for pitch in (100, 170))
    mel = LogMel(RATE, 1024, HOP, 20)
    assert mel(one).shape == (1, 20, one.shape[1] // HOP)
    assert torch.allclose((mel(2 * one) - mel(one)).median(), torch.tensor(2.0).log(), atol=0.02)
    assert multi_resolution_stft_loss(one, one) == 0
    assert multi_resolution_stft_loss(one, other) > 0.1


def test_moments_are_of_the_frames_inside_the_mask() -> None:
    values = torch.randn(2, 3, 10)
    mask = torch.zeros(2, 1, 10)
    mask[0, :, :10], mask[1, :, :4] = 1, 1
    inside = torch.cat([values[0], values[1, :, :4]], dim=1)
    mean, deviation = frame_moments(values * mask + 99 * (1 - mask), mask)
    assert torch.allclose(mean, inside.mean(1), atol=1e-5)
    assert torch.allclose(deviation, inside.std(1, correction=0), atol=1e-5)


def test_an_exported_voice_knows_the_range_of_its_recordings(runs: Path, tmp_path: Path) -> None:
    """In semitones, in the order of its speakers; none for a speaker without recordings."""
    speech = tiny_speech(6)
    vits.export(CONFIG, runs / "neutral", tmp_path / "both", speech)
    voice = FrozenVits.load(tmp_path / "both")
    wanted: dict[str, list[float]] = {name: [] for name in SPEAKERS}
    for index, name in enumerate(speech.speakers):
        audio = Waveform.of(torch.from_numpy(speech.audio(index)), RATE)
        embedding = voice.speaker_embedding(name).unsqueeze(2)
        pitch = voice.source_filter_decoder.pitch.pitch(voice.encode_speech(audio, name).z, embedding).numpy()
        low, high = np.percentile(12 * np.log2(pitch[pitch > 0]), [10, 90])
        wanted[name].append(high - low)
    means = [np.prod(wanted[name]) ** (1 / len(wanted[name])) for name in SPEAKERS]
    assert voice.f0_ranges == pytest.approx(means, abs=0.01) and min(means) > 0.05
    vits.export(CONFIG, runs / "neutral", tmp_path / "one", tiny_speech(2, ["ben"]))
    assert FrozenVits.load(tmp_path / "one").f0_ranges[0] == 0.0
