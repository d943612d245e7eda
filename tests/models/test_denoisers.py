from __future__ import annotations

import subprocess
import sys

import pytest
import torch
from torch import Tensor, nn

from latent_edit.diffusion.guidance import guided
from latent_edit.diffusion.i2sb import I2SB
from latent_edit.models.denoisers import ImageDenoiser, PaceHead, TemporalDenoiser

CHANNELS, STYLE, SPEAKER = 6, 10, 4
LENGTHS = (11, 23, 17)


def temporal(speaker: int = SPEAKER) -> TemporalDenoiser:
    return shaken(TemporalDenoiser(CHANNELS, STYLE, speaker, width=16, depth=5))


def image(speaker: int = SPEAKER) -> ImageDenoiser:
    return shaken(ImageDenoiser(CHANNELS, STYLE, speaker, width=8, depth=2))


BOTH = pytest.mark.parametrize("build", [temporal, image])


def shaken(module: nn.Module) -> nn.Module:
    """Layers that start at zero would hide every mistake: give all weights a value."""
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter += 0.2 * torch.randn(parameter.shape, generator=generator)
    return module.eval()


def inputs(speaker: int = SPEAKER) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(1)

    def normal(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=generator)

    mask = (torch.arange(max(LENGTHS)) < torch.tensor(LENGTHS)[:, None]).float().unsqueeze(1)
    return {
        "x_t": normal(3, CHANNELS, max(LENGTHS)) * mask,
        "t": torch.tensor([0.2, 0.5, 1.0]),
        "shown": normal(3, CHANNELS, max(LENGTHS)) * mask,
        "style": nn.functional.normalize(normal(3, STYLE), dim=1),
        "keep_style": torch.tensor([True, False, True]),
        "speaker": normal(3, speaker),
        "mask": mask,
    }


def alone(batch: dict[str, Tensor], index: int) -> dict[str, Tensor]:
    """One item of the batch, cut to its own length."""
    cut = {name: value[index : index + 1] for name, value in batch.items()}
    return {name: value[..., : LENGTHS[index]] if value.dim() == 3 else value for name, value in cut.items()}


@BOTH
@torch.no_grad()
def test_an_item_gives_the_same_alone_and_padded_in_a_batch(build: object) -> None:
    network, batch = build(), inputs()
    together = network(**batch)
    assert together.shape == batch["x_t"].shape
    assert not (together * (1 - batch["mask"])).any()
    for index, length in enumerate(LENGTHS):
        torch.testing.assert_close(
            together[index : index + 1, :, :length], network(**alone(batch, index)), rtol=0, atol=1e-5
        )


@torch.no_grad()
def test_what_stands_in_the_padding_does_not_matter() -> None:
    network, batch = temporal(), inputs()
    dirty = {**batch, "x_t": batch["x_t"] + 100 * (1 - batch["mask"]), "shown": batch["shown"] - 1 + batch["mask"]}
    torch.testing.assert_close(network(**dirty), network(**batch), rtol=0, atol=1e-5)


@BOTH
@torch.no_grad()
def test_every_input_matters(build: object) -> None:
    network, batch = build(), inputs()
    before = network(**batch)[0]
    for name in ("x_t", "t", "shown", "style", "speaker"):
        changed = network(**{**batch, name: 0.5 * batch[name]})[0]
        assert (changed - before).abs().max() > 1e-4, name


@BOTH
@torch.no_grad()
def test_a_dropped_style_is_replaced_by_the_learned_one(build: object) -> None:
    network, batch = build(), inputs()
    dropped = {**batch, "keep_style": torch.zeros(3, dtype=torch.bool)}
    other = {**dropped, "style": batch["style"].flip(0)}
    assert torch.equal(network(**dropped), network(**other))
    before = network(**dropped)
    network.null_style += 1
    assert (network(**dropped) - before).abs().max() > 1e-4


@torch.no_grad()
def test_more_can_be_shown_than_the_source() -> None:
    network = shaken(TemporalDenoiser(CHANNELS, STYLE, SPEAKER, width=16, depth=5, shown_beside=2))
    batch = inputs()
    batch["shown"] = torch.cat([batch["shown"], batch["x_t"][:, :2]], dim=1)
    other = {**batch, "shown": batch["shown"] * torch.tensor([1.0] * CHANNELS + [0.5] * 2)[:, None]}
    assert (network(**batch) - network(**other)).abs().max() > 1e-4


@BOTH
@pytest.mark.filterwarnings("error::UserWarning:torch")
@torch.no_grad()
def test_a_voice_with_a_single_speaker_has_no_speaker_embedding(build: object) -> None:
    prediction = build(speaker=0)(**inputs(speaker=0))
    assert prediction.isfinite().all()
    assert prediction.any()


@BOTH
@torch.no_grad()
def test_float64_works(build: object) -> None:
    network, batch = build().double(), inputs()
    batch = {name: value if value.dtype == torch.bool else value.double() for name, value in batch.items()}
    assert network(**batch).dtype == torch.float64


@BOTH
@torch.no_grad()
def test_weights_survive_a_round_trip(build: object) -> None:
    network, batch = build(), inputs()
    expected = network(**batch)
    state = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    for parameter in network.parameters():
        parameter.zero_()
    network.load_state_dict(state)
    assert torch.equal(network(**batch), expected)


def test_an_untrained_temporal_network_predicts_zero_and_every_weight_learns() -> None:
    torch.manual_seed(0)
    network, batch = TemporalDenoiser(CHANNELS, STYLE, SPEAKER, width=16, depth=4), inputs()
    assert not network(**batch).any()
    wanted = torch.randn(batch["x_t"].shape) * batch["mask"]
    before = {name: value.clone() for name, value in network.named_parameters()}
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-2)
    losses = []
    for _ in range(30):
        loss = (network(**batch) - wanted).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0] / 2
    for name, value in network.named_parameters():
        assert not torch.equal(value, before[name]), name


def test_the_default_size_is_about_three_million() -> None:
    network = TemporalDenoiser(96, 512, 256)
    assert 2.5e6 < sum(parameter.numel() for parameter in network.parameters()) < 3.5e6


@torch.no_grad()
def test_a_guided_bridge_edit_does_not_depend_on_the_batch() -> None:
    network, batch = temporal(), inputs()

    def edit(item: dict[str, Tensor], seeds: list[int]) -> Tensor:
        def with_style(keep: bool):
            keep_style = torch.full((len(seeds),), keep)
            fixed = {"style": item["style"], "speaker": item["speaker"], "mask": item["mask"]}
            return lambda x_t, t, source: network(x_t, t, source, keep_style=keep_style, **fixed)

        generators = [torch.Generator().manual_seed(seed) for seed in seeds]
        denoise = guided(with_style(True), with_style(False), 2.0)
        *_, edited = I2SB().sample(denoise, item["shown"], item["mask"], 4, generators)
        return edited

    together = edit(batch, [7, 8, 9])
    for index, length in enumerate(LENGTHS):
        torch.testing.assert_close(
            together[index : index + 1, :, :length], edit(alone(batch, index), [7 + index]), rtol=1e-5, atol=1e-4
        )


def test_pace_is_neutral_before_training_and_bounded_after() -> None:
    style, speaker = inputs()["style"], inputs()["speaker"]
    head = PaceHead(STYLE, SPEAKER)
    assert torch.equal(head(style, speaker), torch.zeros(3))
    wild = shaken(PaceHead(STYLE, SPEAKER))
    ratios = wild(style, speaker)
    assert ratios.shape == (3,)
    assert (ratios.abs() < 0.7).all()
    assert ratios.unique().numel() == 3
    with torch.no_grad():
        wild.layers[-1].weight *= 1e6
    assert (wild(style, speaker).abs() <= 0.7).all()


def test_diffusers_is_not_loaded_until_the_image_network_is_built() -> None:
    code = "import sys; import latent_edit.models.denoisers; print('diffusers' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
