"""The bridge as the editor uses it: exact identities, batches, guidance, and its checkpoint."""

from __future__ import annotations

import json
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from tiny_bridges import CHANNELS, SPEAKER, STYLE, configuration, tiny_bridge
from torch import Tensor

from latent_edit import checkpoint
from latent_edit.bridge import Bridge, load_bridge
from latent_edit.errors import CheckpointError
from latent_edit.models.vits import TextEncoding
from latent_edit.types import Alignment, Latent

VOICE: Any = SimpleNamespace(latent_hash="v" * 64)
CLAP: Any = SimpleNamespace(hash="c" * 64)
METHODS: dict[str, dict[str, Any]] = {
    "i2sb": {},
    "ot-ode": {"ot_ode": True},
    "noisy source": {"source_noise": 1.0, "condition_on_source": False},
    "palette": {"method": "palette"},
    "prosody": {"prosody": True},
    "image": {"network": "image", "width": 8, "normalise": False},
}


def seeds(*numbers: int) -> list[torch.Generator]:
    return [torch.Generator().manual_seed(number) for number in numbers]


def random(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def latents(*lengths: int) -> Latent:
    return Latent.collate([Latent(random(1, CHANNELS, n, seed=n), torch.ones(1, 1, n)) for n in lengths])


def unit(count: int, seed: int = 0) -> Tensor:
    return torch.nn.functional.normalize(random(count, STYLE, seed=seed), dim=1)


def edit(bridge: Bridge, source: Latent, style: Tensor, guidance: float = 1.0, steps: int = 3, seed: int = 0) -> Latent:
    count = len(style)
    speaker = random(count, SPEAKER, seed=9)
    generators, contour = seeds(*range(seed, seed + count)), f0_contours(bridge, source)
    return last(bridge.sample(source, style, speaker, guidance, steps, generators, contour))


def last(steps: Iterable[Latent]) -> Latent:
    *_, edited = steps
    return edited


def f0_contours(bridge: Bridge, source: Latent) -> Tensor | None:
    """Something to show to a bridge that is shown F0 contours."""
    return source.z[:, :2] if bridge.config.prosody else None


def test_an_edit_starts_where_its_method_was_trained_to() -> None:
    reading = TextEncoding(latents(5), latents(6), Alignment(torch.ones(1, 5, dtype=torch.long)))
    assert tiny_bridge().start(reading) is reading.latent
    pre_flow = tiny_bridge(pairing={"aligned": 1.0}, source_space="pre_flow")
    assert pre_flow.start(reading) is reading.prior_sample


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("guidance", [1.0, 2.5])
def test_an_edit_does_not_depend_on_the_batch(method: str, guidance: float) -> None:
    bridge = tiny_bridge(**METHODS[method])
    source, style, speaker = latents(30, 17, 24), unit(3), random(3, SPEAKER, seed=9)
    contour = f0_contours(bridge, source)
    together = last(bridge.sample(source, style, speaker, guidance, 4, seeds(0, 1, 2), contour))
    assert torch.equal(together.mask, source.mask)
    assert (together.z * (1 - source.mask) == 0).all()
    for index in range(3):
        item = slice(index, index + 1)
        own = source.item(index)
        contour = f0_contours(bridge, own)
        alone = last(bridge.sample(own, style[item], speaker[item], guidance, 4, seeds(index), contour))
        assert torch.allclose(together.item(index).z, alone.z, atol=1e-4)
        assert not torch.allclose(alone.z, source.item(index).z, atol=0.1)


@pytest.mark.parametrize("method", METHODS)
def test_the_same_seed_gives_the_same_edit(method: str) -> None:
    bridge = tiny_bridge(**METHODS[method])
    one, again, other = (edit(bridge, latents(20), unit(1), seed=seed) for seed in (1, 1, 2))
    assert torch.equal(one.z, again.z)
    assert torch.equal(one.z, other.z) == (method == "ot-ode")  # the only one that draws no noise


def test_guidance_0_ignores_the_style_and_1_is_the_plain_model() -> None:
    bridge, source = tiny_bridge(null="marginal"), latents(20)
    angry, calm = unit(1, seed=1), unit(1, seed=2)
    none, again, plain, strong = (edit(bridge, source, angry, g) for g in (0.0, 0.0, 1.0, 3.0))
    assert torch.equal(none.z, again.z)
    assert torch.equal(none.z, edit(bridge, source, calm, 0.0).z)
    assert not torch.allclose(plain.z, edit(bridge, source, calm, 1.0).z, atol=1e-3)
    assert not torch.allclose(plain.z, none.z, atol=1e-3)
    assert not torch.allclose(plain.z, strong.z, atol=1e-3)
    # In a single step everything is linear in the guidance, so that it can be checked in the result.
    none, plain, strong = (edit(bridge, source, angry, g, steps=1).z for g in (0.0, 1.0, 3.0))
    assert torch.allclose(strong, none + 3 * (plain - none), atol=1e-4)


def test_outside_the_interval_nothing_is_extrapolated() -> None:
    never = tiny_bridge(guidance_interval=[2.0, 3.0])
    source, style = latents(20), unit(1)
    assert torch.allclose(edit(never, source, style, 5.0).z, edit(never, source, style, 1.0).z, atol=1e-6)


def test_a_bridge_that_predicts_nothing_leaves_the_source() -> None:
    """Before training, the optimal-transport path is the identity, through normalisation and back."""
    bridge = tiny_bridge(ot_ode=True)
    with torch.no_grad():
        bridge.denoiser.output.weight.zero_()
        bridge.denoiser.output.bias.zero_()
    source = latents(20, 11)
    assert torch.allclose(edit(bridge, source, unit(2)).z, source.z, atol=1e-5)


def test_normalisation_is_inverted() -> None:
    bridge, latent = tiny_bridge(), latents(20, 11)
    values = bridge.normalised(latent)
    assert torch.allclose(values[0], (latent.z[0] - bridge.mean) / bridge.deviation)
    assert (values[1, :, 11:] == 0).all()
    restored = bridge.restored(values, latent.mask)
    assert torch.allclose(restored.z, latent.z, atol=1e-5)
    assert (restored.z[1, :, 11:] == 0).all()


def test_each_modality_is_centred_on_its_own_mean() -> None:
    bridge, style = tiny_bridge(), unit(3)
    text, audio = bridge.centred(style, "text"), bridge.centred(style, "audio")
    for centred, mean in ((text, bridge.style_mean[0]), (audio, bridge.style_mean[1])):
        assert torch.allclose(centred.norm(dim=1), torch.ones(3))
        assert torch.allclose(centred, torch.nn.functional.normalize(style - mean, dim=1))
    assert not torch.allclose(text, audio, atol=1e-3)


@pytest.mark.parametrize("method", ["i2sb", "palette"])
def test_every_step_shows_a_clean_latent_in_the_voices_scale(method: str) -> None:
    bridge, source = tiny_bridge(**METHODS[method]), latents(20, 12)
    steps = list(bridge.sample(source, unit(2), random(2, SPEAKER), 2.0, 4, seeds(0, 1)))
    assert len(steps) == 4
    assert all(torch.equal(clean.mask, source.mask) and (clean.z * (1 - source.mask) == 0).all() for clean in steps)
    assert not torch.allclose(steps[0].z, steps[-1].z, atol=1e-3)
    assert abs(float(steps[-1].z.std() / bridge.deviation.mean())) < 10


@pytest.mark.parametrize("method", METHODS)
def test_guidance_steers_the_edit(method: str) -> None:
    """It is what the result depends on, and at 0 the style does not matter at all."""
    bridge, source = tiny_bridge(**METHODS[method]), latents(20)
    edits = {guidance: edit(bridge, source, unit(1), guidance).z for guidance in (0.0, 0.5, 1.0, 2.0)}
    for one, other in pairwise(edits.values()):
        assert not torch.allclose(one, other, atol=1e-4)
    assert torch.equal(edits[0.0], edit(bridge, source, unit(1, seed=5), 0.0).z)


def test_without_guidance_a_neutral_null_condition_changes_nothing() -> None:
    source = latents(20, 12)
    assert edit(tiny_bridge(null="neutral"), source, unit(2), 0.0) is source
    assert edit(tiny_bridge(null="marginal"), source, unit(2), 0.0) is not source


def test_a_hidden_source_is_only_the_start() -> None:
    """Palette that does not see its source starts from noise: the source cannot matter."""
    blind, seeing = (tiny_bridge(method="palette", condition_on_source=shown) for shown in (False, True))
    one, other = latents(20), Latent(latents(20).z + 1, latents(20).mask)
    assert torch.equal(edit(blind, one, unit(1)).z, edit(blind, other, unit(1)).z)
    assert not torch.allclose(edit(seeing, one, unit(1)).z, edit(seeing, other, unit(1)).z, atol=1e-3)


def test_the_clock_tells_where_a_tremor_is() -> None:
    """Six swings a second at 62.5 frames a second; the same source comes out otherwise later in the sentence."""
    bridge = tiny_bridge(prosody=True)
    bridge.tremor_rate.fill_(6 / 62.5)
    mask, melody = torch.ones(1, 1, 125), random(1, 2, 125)
    prosody = bridge.with_clock(melody, mask)
    assert torch.equal(prosody[:, :2], melody)
    cosine = prosody[0, 2]
    assert int((cosine[1:] * cosine[:-1] < 0).sum()) == 2 * 6 * 2  # two seconds, two zeros a swing
    values, speaker, keep = random(1, CHANNELS, 125), random(1, SPEAKER), torch.ones(1, dtype=torch.bool)
    later = bridge.with_clock(melody, mask, torch.tensor([4]))
    assert torch.allclose(later[..., :-4], torch.cat([melody, prosody[:, 2:].roll(-4, 2)], 1)[..., :-4], atol=1e-5)
    with torch.no_grad():
        results = [
            bridge.predict(values, torch.ones(1), values, unit(1), keep, speaker, mask, shown)
            for shown in (prosody, later)
        ]
    assert (results[0] - results[1]).abs().max() > 1e-3


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"network": "image", "prosody": True}, "temporal"),
        ({"pairing": {"aligned": 1.0}, "source_space": "pre_flow", "prosody": True}, "only z"),
        ({"condition_on_source": False, "prosody": True}, "the source's"),
        ({"method": "palette", "predicts": "change"}, "starts from noise"),
        ({"training": {"plain_share": 1.0}}, "plain_share"),
        ({"training": {"time_power": 0.0}}, "time_power"),
    ],
)
def test_settings_that_make_no_sense_are_refused(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        configuration(**changes)


def test_pace_depends_on_style_and_speaker_and_is_bounded() -> None:
    bridge = tiny_bridge()
    ratio = bridge.log_duration_ratio(unit(5), random(5, SPEAKER))
    assert ratio.shape == (5,)
    assert len(set(ratio.tolist())) == 5
    with torch.no_grad():
        bridge.pace.layers[-1].weight.mul_(1e4)
    assert bridge.log_duration_ratio(unit(5), random(5, SPEAKER)).abs().max() <= 0.7


# -- checkpoint ------------------------------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    tiny_bridge().save(tmp_path / "bridge-tiny", VOICE.latent_hash, CLAP.hash)
    return tmp_path / "bridge-tiny"


def saved_with(folder: Path, bridge: Bridge, **settings: Any) -> Path:
    """The same weights with other settings."""
    config = bridge.config
    bridge.config = config.model_copy(update=settings)
    bridge.save(folder / "other", VOICE.latent_hash, CLAP.hash)
    bridge.config = config
    return folder / "other"


@pytest.mark.parametrize("method", METHODS)
def test_saved_and_loaded(method: str, tmp_path: Path) -> None:
    bridge = tiny_bridge(**METHODS[method])
    bridge.save(tmp_path / "one", VOICE.latent_hash, CLAP.hash)
    loaded = load_bridge(tmp_path / "one", VOICE, CLAP)
    assert loaded.config == bridge.config
    assert not loaded.training
    assert all(not parameter.requires_grad for parameter in loaded.parameters())
    assert loaded.state_dict().keys() == bridge.state_dict().keys()
    for name, tensor in bridge.state_dict().items():
        assert torch.equal(loaded.state_dict()[name], tensor.half().float()), name
    source, style = latents(20), unit(1)
    assert torch.allclose(edit(loaded, source, style).z, edit(bridge, source, style).z, atol=0.05)
    # What is loaded is saved without a further loss.
    loaded.save(tmp_path / "two", VOICE.latent_hash, CLAP.hash)
    again = load_bridge(tmp_path / "two", VOICE, CLAP)
    assert again.hash == loaded.hash
    assert load_bridge(saved_with(tmp_path, bridge, guidance_rescale=0.3), VOICE, CLAP).hash != loaded.hash
    assert torch.equal(edit(again, source, style).z, edit(loaded, source, style).z)


@pytest.mark.parametrize(
    ("voice", "clap", "what"), [("x" * 64, CLAP.hash, "voice"), (VOICE.latent_hash, "x" * 64, "CLAP")]
)
def test_a_bridge_belongs_to_a_voice_and_a_clap(folder: Path, voice: str, clap: str, what: str) -> None:
    """The message says which, and the command that trains one that fits."""
    message = f"bridge-tiny was trained for another {what} .*not xxxxxxxxxxxx.*python -m latent_edit train bridge"
    with pytest.raises(CheckpointError, match=message):
        load_bridge(folder, SimpleNamespace(latent_hash=voice), SimpleNamespace(hash=clap))  # type: ignore[arg-type]


def test_other_checkpoints_are_no_bridges(folder: Path) -> None:
    content = checkpoint.load_config(folder)
    (folder / "config.json").write_text(json.dumps({**content, "type": "clap-mini"}))
    with pytest.raises(CheckpointError, match="is no bridge; train one: python -m latent_edit train bridge"):
        load_bridge(folder, VOICE, CLAP)
    (folder / "config.json").write_text(json.dumps({**content, "method": {**content["method"], "magic": 1}}))
    with pytest.raises(CheckpointError, match=r"method of bridge-tiny is not one of this version .*magic"):
        load_bridge(folder, VOICE, CLAP)
    (folder / "config.json").unlink()
    with pytest.raises(CheckpointError, match=r"config\.json is missing"):
        load_bridge(folder, VOICE, CLAP)


def test_weights_must_fit(folder: Path) -> None:
    tensors, content = checkpoint.load_tensors(folder), checkpoint.load_config(folder)
    checkpoint.save(folder, content, {name: t for name, t in tensors.items() if name != "mean"})
    with pytest.raises(CheckpointError, match=r"1 missing .mean."):
        load_bridge(folder, VOICE, CLAP)
    checkpoint.save(folder, content, {**tensors, "odd": torch.zeros(1)})
    with pytest.raises(CheckpointError, match=r"1 unexpected .odd."):
        load_bridge(folder, VOICE, CLAP)


# -- configuration ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"pairing": {}}, "pairing needs shares"),
        ({"condition": {"caption": 0.0}}, "condition needs shares"),
        ({"pairing": {"aligned": -1.0, "parallel": 2.0}}, "pairing needs shares"),
        ({"source_space": "pre_flow"}, "only aligned and paper pairs have a source"),
        ({"method": "magic"}, "method"),
        ({"magic": 1}, "magic"),
        ({"training": {"magic": 1}}, "magic"),
    ],
)
def test_configurations_that_cannot_be_trained(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        configuration(**changes)
