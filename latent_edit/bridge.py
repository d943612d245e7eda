"""The bridge: a denoiser, the diffusion it was trained for, normalisation and pace, kept in one checkpoint.

It turns the latent of a plain synthesis into the latent of a styled one (Z_text -> Z').
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

import torch
from pydantic import Field, ValidationError, model_validator
from torch import Tensor, nn

from latent_edit import checkpoint
from latent_edit.config import StrictModel, problems
from latent_edit.diffusion.guidance import guided
from latent_edit.diffusion.i2sb import I2SB
from latent_edit.diffusion.palette import Palette
from latent_edit.diffusion.process import Diffusion
from latent_edit.diffusion.regression import Regression
from latent_edit.errors import CheckpointError
from latent_edit.models.clap import StyleEncoder
from latent_edit.models.denoisers import ImageDenoiser, PaceHead, TemporalDenoiser
from latent_edit.models.vits import FrozenVits, TextEncoding
from latent_edit.types import Latent


class BridgeTraining(StrictModel):
    """How a bridge is trained."""

    steps: int
    batch_size: int = Field(default=16, ge=1)
    # Frames of each example that a step sees, None for all of them; the frames of pairs correspond.
    segment_frames: int | None = 96
    learning_rate: float = 3e-4
    warmup_steps: int = 200
    ema: float = 0.999
    condition_dropout: float = 0.1
    # Share of examples in no style at all, of which many are prepared and little is to be learned; None for all.
    plain_share: float | None = Field(default=None, ge=0, lt=1)
    # Times are drawn as u to the power of 1 / time_power: 1 evenly, more near t = 1, where an edit sets out.
    time_power: float = Field(default=1.0, gt=0)
    # False: what pads an example counts in the loss as well (in the paper).
    masked_loss: bool = True
    # Weight of how differently the voice's decoder would speak prediction and target; for the embedded voice only.
    decoder_weight: float = 0.0
    # Standard deviation of noise added to a style embedding, relative to its norm.
    condition_noise: float = 0.1
    seed: int = 0


class BridgeConfig(StrictModel):
    """A method of editing: every row of every table is one of these (presets/bridge)."""

    title: str
    method: Literal["palette", "i2sb", "regression"]
    network: Literal["temporal", "image"]
    width: int = 256
    depth: int = 8
    # Share of each kind of pair in training.
    pairing: dict[Literal["paper", "aligned", "parallel", "reading", "takes"], float]
    source_space: Literal["post_flow", "pre_flow"] = "post_flow"
    # Share of each kind of style embedding in training.
    condition: dict[Literal["same_clip", "other_clip", "caption"], float]
    null: Literal["marginal", "neutral"] = "neutral"
    condition_on_source: bool = True
    # Whether the network is shown, in place of the source, which frames the target fills (in the authors' code; an edit
    # fills all that it has).
    shows_length: bool = False
    # Whether the network is shown the source's F0 contour, and how far a tremor is in its swing. It cannot see where in
    # a sentence it is, and the mean of all tremors, which it would learn, is none. For the embedded voice only.
    prosody: bool = False
    source_noise: float = 0.0
    ot_ode: bool = False
    predicts: Literal["label", "change"] = "label"
    # Time of the last prediction of i2sb's sampler. Near the target a network takes what has changed already for less
    # than all of the change, and adds to it each time: predicted down to 0.01, 100 steps of the method `i2sb` changed
    # 1.6 to 1.9 times as much as one; down to 0.5 both change as much as ten, within a tenth.
    last_prediction: float = Field(default=0.01, gt=0, le=1)
    normalise: bool = True
    # Whether Z' is brought to the axes of its style afterwards (`optimize.corrections`): for a CLAP with an axis head.
    correction: bool = False
    guidance_interval: tuple[float, float] = (0.0, 1.0)
    guidance_rescale: float = 0.0
    training: BridgeTraining

    @model_validator(mode="after")
    def _consistent(self) -> BridgeConfig:
        for name in ("pairing", "condition"):
            shares = getattr(self, name)
            if not shares or min(shares.values()) < 0 or sum(shares.values()) == 0:
                raise ValueError(f"{name} needs shares of zero or more, and one above zero")
        if self.source_space == "pre_flow" and not self.pairing.keys() <= {"aligned", "paper"}:
            raise ValueError("only aligned and paper pairs have a source before the flow")
        if "takes" in self.pairing and (len(self.pairing) > 1 or "caption" in self.condition):
            raise ValueError("takes are prepared by themselves and have no captions: no other pairs, no caption")
        if self.network == "image" and not 1 <= self.depth <= 5:
            raise ValueError("the image network has 1 to 5 resolutions: set depth")
        if self.prosody and (self.network != "temporal" or self.source_space != "post_flow"):
            raise ValueError("only the temporal network can be shown the prosody, which only z has")
        if self.prosody and not self.condition_on_source:
            raise ValueError("the prosody is the source's: a network that is not to see the one cannot see the other")
        if self.shows_length and self.condition_on_source:
            raise ValueError("the length is shown in place of the source: set condition_on_source: false")
        if self.predicts == "change" and self.method == "palette":
            raise ValueError("palette starts from noise: it cannot predict the change from the source")
        return self

    def diffusion(self) -> Diffusion:
        """The mathematics this method was trained for."""
        if self.method == "palette":
            return Palette()
        if self.method == "regression":
            return Regression(self.predicts)
        return I2SB(
            ot_ode=self.ot_ode,
            source_noise=self.source_noise,
            predicts=self.predicts,
            last_prediction=self.last_prediction,
        )


class Bridge(nn.Module):
    """Network and normalisation of one method. Latents come and go in the voice's own scale."""

    mean: Tensor
    deviation: Tensor
    style_mean: Tensor
    tremor_rate: Tensor

    def __init__(self, config: BridgeConfig, channels: int, style_dimension: int, speaker_dimension: int) -> None:
        super().__init__()
        self.config = config
        self.diffusion = config.diffusion()
        self.sizes = {
            "channels": channels,
            "style_dimension": style_dimension,
            "speaker_dimension": speaker_dimension,
        }
        network = TemporalDenoiser if config.network == "temporal" else ImageDenoiser
        beside = {"shown_beside": 4} if config.prosody else {}
        self.denoiser = network(**self.sizes, width=config.width, depth=config.depth, **beside)
        self.pace = PaceHead(style_dimension, speaker_dimension)
        # Per-channel moments of natural Z_audio frames: the noise of I2SB has an absolute size.
        self.register_buffer("mean", torch.zeros(channels, 1))
        self.register_buffer("deviation", torch.ones(channels, 1))
        # CLAP's text and audio embeddings lie in two separate cones: each is centred on its own mean, and normed again.
        self.register_buffer("style_mean", torch.zeros(2, style_dimension))
        if config.prosody:
            # Swings of a tremor in a frame of the latent.
            self.register_buffer("tremor_rate", torch.zeros(1))
        self.hash = ""

    def start(self, source: TextEncoding) -> Latent:
        """What of a sentence this method starts from: z, or z_p before the inverse flow."""
        return source.latent if self.config.source_space == "post_flow" else source.prior_sample

    def normalised(self, latent: Latent) -> Tensor:
        """[B, C, T] with natural speech at mean 0 and deviation 1 per channel; zero outside the mask."""
        return (latent.z - self.mean) / self.deviation * latent.mask

    def restored(self, values: Tensor, mask: Tensor) -> Latent:
        """Inverse of `normalised`."""
        return Latent((values * self.deviation + self.mean) * mask, mask)

    def centred(self, style: Tensor, modality: Literal["text", "audio"]) -> Tensor:
        """A CLAP embedding [B, D] centred for its modality, unit norm."""
        return nn.functional.normalize(style - self.style_mean[("text", "audio").index(modality)], dim=1)

    def predict(
        self,
        x_t: Tensor,
        time: Tensor,
        source: Tensor,
        style: Tensor,
        keep: Tensor,
        speaker: Tensor,
        mask: Tensor,
        prosody: Tensor | None = None,
        filled: Tensor | None = None,
    ) -> Tensor:
        """The network's prediction from normalised values; the source is hidden where the method does not show it.

        prosody: [B, 4, T] of `with_clock`, for a method that is shown it. filled: [B, 1, T], one where the target has
        frames, for a method that is shown its length; by default the mask.
        """
        shown = source if self.config.condition_on_source else torch.zeros_like(source)
        if self.config.shows_length:
            shown = (mask if filled is None else filled).expand_as(source)
        if self.config.prosody:
            assert prosody is not None
            shown = torch.cat([shown, prosody], dim=1)
        return self.denoiser(x_t, time, shown, style, keep, speaker, mask)

    def with_clock(self, f0_contour: Tensor, mask: Tensor, first_frame: Tensor | None = None) -> Tensor:
        """The prosody to show: F0 contour [B, 2, T], and cosine and sine of the tremor's phase in each frame.

        first_frame: [B], where in its sentence each item begins; without it, at the beginning.
        """
        frames = torch.arange(mask.shape[2], device=mask.device).expand(len(mask), -1) + 0.5
        if first_frame is not None:
            frames = frames + first_frame[:, None]
        phase = 2 * math.pi * self.tremor_rate * frames
        return torch.cat([f0_contour, torch.stack([phase.cos(), phase.sin()], dim=1)], dim=1) * mask

    def log_duration_ratio(self, style: Tensor, speaker: Tensor) -> Tensor:
        """Logarithm of how much longer the style makes a sentence, [B]. style: centred [B, D]."""
        return self.pace(style, speaker)

    @torch.no_grad()
    def sample(
        self,
        source: Latent,
        style: Tensor,
        speaker: Tensor,
        guidance: float,
        steps: int,
        generators: Sequence[torch.Generator],
        f0_contour: Tensor | None = None,
    ) -> Iterator[Latent]:
        """The clean latent of every item that each step predicts; the last is Z'.

        Args:
            source: the time-scaled latent. style: centred [B, D]. speaker: [B, G].
            guidance: 0 is the null condition, 1 the plain conditional model, above 1 the style is extrapolated
                (arXiv 2207.12598, eq. 6). Where the null condition means no change, 0 is the source itself.
            generators: one per item.
            f0_contour: [B, 2, T] of the source, for a method that is shown the prosody.
        """
        if guidance == 0 and self.config.null == "neutral":
            yield from [source] * steps
            return
        mask = source.mask
        prosody = None if f0_contour is None else self.with_clock(f0_contour, mask)

        def branch(keep: bool) -> Any:
            kept = torch.full((len(style),), keep, device=style.device)
            return lambda x_t, t, start: self.predict(x_t, t, start, style, kept, speaker, mask, prosody)

        interval, rescale = self.config.guidance_interval, self.config.guidance_rescale
        denoise = guided(branch(True), branch(False), guidance, interval, rescale)
        for clean in self.diffusion.sample(denoise, self.normalised(source), mask, steps, generators):
            yield self.restored(clean, mask)

    def save(self, folder: Path, latent_hash: str, style_hash: str) -> None:
        """Write the checkpoint; the hashes say which latent space and which CLAP it belongs to."""
        config = {
            "type": "bridge",
            "method": self.config.model_dump(mode="json"),
            "sizes": self.sizes,
            "latent_hash": latent_hash,
            "style_hash": style_hash,
        }
        checkpoint.save(folder, config, self.state_dict())


def load_bridge(folder: Path, vits: FrozenVits, style_encoder: StyleEncoder) -> Bridge:
    """Load a bridge for a voice's latent space and a CLAP.

    Raises CheckpointError when it was trained for others, with the command that trains one that fits.
    """
    stored = checkpoint.load_config(folder)
    if stored.get("type") != "bridge":
        raise CheckpointError(f"{folder} is no bridge; train one: python -m latent_edit train bridge --out {folder}")
    for what, expected, key in (("voice", vits.latent_hash, "latent_hash"), ("CLAP", style_encoder.hash, "style_hash")):
        if stored[key] != expected:
            raise CheckpointError(
                f"the bridge in {folder.name} was trained for another {what} "
                f"({stored[key][:12]}, not {expected[:12]}); "
                f"train one for this {what}: python -m latent_edit prepare latents, then "
                f"python -m latent_edit train bridge --out {folder}"
            )
    try:
        config = BridgeConfig.model_validate(stored["method"])
    except ValidationError as error:
        raise CheckpointError(
            f"the method of {folder.name} is not one of this version ({problems(error)}); train it again"
        ) from None
    bridge = Bridge(config, **stored["sizes"])
    tensors = checkpoint.load_tensors(folder)
    checkpoint.strict_load(bridge, tensors)
    # Weights and settings: some of them, such as those of guidance, act only when an edit is made.
    method = torch.tensor(list(json.dumps(stored["method"], sort_keys=True).encode()), dtype=torch.uint8)
    bridge.hash = checkpoint.content_hash({**tensors, "method": method})
    return bridge.eval().requires_grad_(False)
