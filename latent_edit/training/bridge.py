"""Training of a bridge on prepared latents (arXiv 2302.05872, algorithm 1; Palette: arXiv 2111.05826)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import torch
from torch import Tensor, nn

from latent_edit import checkpoint
from latent_edit.bridge import Bridge, BridgeConfig
from latent_edit.data.latents import Latents
from latent_edit.data.speech import batch_of_step
from latent_edit.data.world import TREMOR_HZ
from latent_edit.models.alignment import length_mask
from latent_edit.models.vits import FrozenVits
from latent_edit.optimize.decoder_params import SpeakerDecoder
from latent_edit.optimize.objectives import ParameterMatch
from latent_edit.training import loop

if TYPE_CHECKING:
    from latent_edit.data.augmentations import Augmentation

# Fields of a pair of each kind in each space: its source, its target, and its target where the style is dropped.
PAIR_FIELDS = {
    ("reading", "post_flow"): ("reading", "styled_reading", "reading"),
    ("parallel", "post_flow"): ("neutral", "target", "neutral"),
    ("aligned", "post_flow"): ("text", "target", "neutral"),
    ("aligned", "pre_flow"): ("text_prior", "target", "neutral"),
    ("takes", "post_flow"): ("neutral", "target", "neutral"),
    ("paper", "post_flow"): ("paper", "target", "neutral"),
    ("paper", "pre_flow"): ("paper_prior", "target", "neutral"),
}
# The authors cut or pad every latent to this many frames (their configurations; 384 at 86 frames a second).
PAPER_FRAMES = 384
FINAL_RATE = 0.1  # of the learning rate, at the last step
HELD_OUT = 32  # one sentence in so many
EVALUATIONS = 10  # of a training, besides that of the untrained bridge
VALIDATION = "held_out_denoising"  # name of the validation loss in the log
_STATE = ("bridge", "averaged", "optimizer")


def needed_fields(config: BridgeConfig) -> tuple[str, ...]:
    """Fields of `data.latents.Example` that this method trains on."""
    fields = {field for kind in config.pairing for field in PAIR_FIELDS[kind, config.source_space]}
    return tuple(sorted(fields | {"target"}))  # lengths and moments are those of the targets


class BridgeTask:
    """See `training.loop.Task`."""

    def __init__(self, config: BridgeConfig, latents: Latents, vits: FrozenVits, held_out: Sequence[int] = ()) -> None:
        """vits: the voice that the latents are of. held_out: examples to evaluate on, and not to train on."""
        self.config, self.latents = config, latents
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.speaker_embeddings = vits.all_speaker_embeddings.to(self.device)
        targets = latents.examples["target"]
        pool = _pool(latents, config.training.plain_share)
        unseen = np.isin(pool, held_out)
        self.pool, self.held_out = pool[~unseen], pool[unseen]
        self.lengths = np.array([targets[i].shape[1] for i in self.pool])
        sizes = (targets[0].shape[0], latents.audio_style.shape[1], self.speaker_embeddings.shape[1])
        self.bridge = Bridge(config, *sizes).to(self.device).train()
        self._measure_moments()
        if config.prosody:
            self.bridge.tremor_rate.fill_(TREMOR_HZ * vits.hop_length / vits.sampling_rate)
        if config.prosody or config.training.decoder_weight:
            self.decoder = vits.source_filter_decoder.to(self.device)
        training = config.training
        self.optimizer = torch.optim.AdamW(self.bridge.parameters(), lr=training.learning_rate, weight_decay=0.01)
        self.averaged = loop.moving_average(self.bridge, training.ema)

    def _measure_moments(self) -> None:
        """Normalisation from natural, unpadded Z_audio frames, and the centres of CLAP's two cones."""
        latents = self.latents
        if self.config.normalise:
            chosen = np.flatnonzero(latents.natural)
            frames = torch.cat([latents.examples["target"][i].float() for i in chosen], dim=1).to(self.device)
            self.bridge.mean.copy_(frames.mean(1, keepdim=True))
            self.bridge.deviation.copy_(frames.std(1, keepdim=True))
        audio = latents.audio_style.mean(0)
        captioned = [own.mean(0) for own in latents.caption_styles if len(own)]
        text = torch.stack(captioned).mean(0) if captioned else audio  # takes have no captions
        self.bridge.style_mean.copy_(torch.stack([text, audio]))

    def start_from(self, folder: Path) -> None:
        """Take the weights of a checkpoint, and keep the moments of these latents."""
        moments = dict(self.bridge.named_buffers())
        checkpoint.strict_load(self.bridge, {**checkpoint.load_tensors(folder), **moments})
        self.averaged.module.load_state_dict(self.bridge.state_dict())

    def step(self, index: int) -> dict[str, float]:
        """One optimisation step of denoiser and pace head."""
        training = self.config.training
        chosen = self.pool[batch_of_step(self.lengths, training.batch_size, index, training.seed)]
        draw = np.random.default_rng([training.seed, index])
        losses = self._losses(chosen, draw, self.bridge)
        loop.set_learning_rate(
            self.optimizer, training.learning_rate, index, training.steps, training.warmup_steps, FINAL_RATE
        )
        self.optimizer.zero_grad(set_to_none=True)
        torch.stack(list(losses.values())).sum().backward()
        norm = nn.utils.clip_grad_norm_(self.bridge.parameters(), 1.0, error_if_nonfinite=True)
        self.optimizer.step()
        self.averaged.update_parameters(self.bridge)
        return {**{name: float(loss.detach()) for name, loss in losses.items()}, "gradient": float(norm)}

    def _losses(self, chosen: np.ndarray, draw: np.random.Generator, bridge: Bridge) -> dict[str, Tensor]:
        config, size = self.config, len(chosen)
        keep = torch.from_numpy(draw.random(size) >= config.training.condition_dropout).to(self.device)
        source, target, mask, filled, prosody = self._pairs(chosen, keep.cpu().numpy(), draw)
        style = torch.stack([self._style(int(i), draw) for i in chosen]).to(self.device)
        speaker = self.speaker_embeddings[torch.from_numpy(self.latents.speaker[chosen]).to(self.device)]
        # Frames of both are close, so that all but the first part of the way, near t = 1, says what the end is.
        time = torch.from_numpy(draw.random(size) ** (1 / config.training.time_power)).float().to(self.device)
        if config.method == "regression":
            time = torch.ones_like(time)  # the only one at which it is asked
        generators = [torch.Generator().manual_seed(int(seed)) for seed in draw.integers(2**62, size=size)]
        x_t, label = bridge.diffusion.training_example(source, target, mask, time, generators)
        prediction = bridge.predict(x_t, time, source, style, keep, speaker, mask, prosody, filled)
        error = ((prediction - label).square() * mask).sum() / (mask.sum() * label.shape[1])
        ratio = torch.from_numpy(self.latents.log_ratio[chosen]).to(self.device)
        pace = (bridge.log_duration_ratio(style, speaker) - ratio).square().mean()
        losses = {"denoising": error, "pace": pace}
        if config.training.decoder_weight:
            clean = bridge.diffusion.predict_clean(x_t, source, time, prediction)
            spoken, wanted = (bridge.restored(values, mask).z for values in (clean, target))
            voice = SpeakerDecoder.embedded(self.decoder, speaker)
            with torch.no_grad():
                goal = voice.analyse(wanted)
            difference = ParameterMatch(voice, goal, mask).residual(spoken)
            losses["decoder"] = config.training.decoder_weight * difference
        return losses

    def _pairs(
        self, chosen: np.ndarray, keep: np.ndarray, draw: np.random.Generator
    ) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor | None]:
        """Normalised source and target [B, C, T], the mask of the loss and of the target, and the prosody to show."""
        kinds = draw.choice(list(self.config.pairing), size=len(chosen), p=_shares(self.config.pairing))
        sources, targets, contours, first_frames = [], [], [], []
        for i, kind, kept in zip(chosen, kinds, keep, strict=True):
            null = not kept and self.config.null == "neutral"
            fields = PAIR_FIELDS[str(kind), self.config.source_space]
            source, styled, plain = (self.latents.examples[field][i] for field in fields)
            target = plain if null else styled
            frames = self._segment(target.shape[1], draw)
            targets.append(target[:, frames].float())
            sources.append(source[:, frames].float())
            first_frames.append(frames.start or 0)
            if self.config.prosody:
                voice = self.speaker_embeddings[self.latents.speaker[i]]
                contour = self.decoder.pitch.f0_contour(source.float().to(self.device), voice)
                contours.append(contour[:, frames])
        lengths = torch.tensor([t.shape[1] for t in targets])
        longest = PAPER_FRAMES if "paper" in self.config.pairing else int(lengths.max())
        filled = length_mask(lengths.clamp(max=longest), longest).to(self.device)
        mask = filled if self.config.training.masked_loss else torch.ones_like(filled)
        stacked = [torch.stack([_cut_or_pad(x, longest) for x in part]) for part in (sources, targets)]
        source, target = ((x.to(self.device) - self.bridge.mean) / self.bridge.deviation * mask for x in stacked)
        if not contours:
            return source, target, mask, filled, None
        f0_contours = torch.stack([_cut_or_pad(contour, mask.shape[2]) for contour in contours])
        return (
            source,
            target,
            mask,
            filled,
            self.bridge.with_clock(f0_contours, mask, torch.tensor(first_frames, device=self.device)),
        )

    def _segment(self, length: int, draw: np.random.Generator) -> slice:
        """The frames of one example to train on: of aligned pairs a random stretch, of the paper's all."""
        longest = self.config.training.segment_frames
        if longest is None or length <= longest or "paper" in self.config.pairing:
            return slice(None)
        start = int(draw.integers(length - longest + 1))
        return slice(start, start + longest)

    def _style(self, example: int, draw: np.random.Generator) -> Tensor:
        """A style embedding of one example [D]: its clip, another clip in the same style, or one of its captions."""
        latents = self.latents
        kind = str(draw.choice(list(self.config.condition), p=_shares(self.config.condition)))
        if kind == "caption":
            own = latents.caption_styles[example]
            style = self.bridge.centred(own[draw.integers(len(own))][None].to(self.device), "text")
        else:
            clip = example
            if kind == "other_clip" and len(latents.similar[example]):
                clip = int(draw.choice(latents.similar[example]))
            style = self.bridge.centred(latents.audio_style[clip][None].to(self.device), "audio")
        noise = torch.from_numpy(draw.standard_normal(style.shape[1])).float().to(self.device)
        style = style[0] + self.config.training.condition_noise / style.shape[1] ** 0.5 * noise
        return nn.functional.normalize(style, dim=0)

    @torch.no_grad()
    def evaluate(self, index: int) -> dict[str, float]:
        """The losses of the averaged bridge on held-out examples; nothing without them."""
        del index
        # The same times, noise and dropped conditions whenever it is asked, so that only the bridge changes the losses.
        draw = np.random.default_rng(self.config.training.seed)
        size = self.config.training.batch_size
        batches = [self.held_out[start : start + size] for start in range(0, len(self.held_out), size)]
        found = [self._losses(batch, draw, cast(Bridge, self.averaged.module)) for batch in batches]
        shares = [len(batch) / len(self.held_out) for batch in batches]
        return {
            f"held_out_{name}": sum(share * float(losses[name]) for share, losses in zip(shares, found, strict=True))
            for name in (found[0] if found else ())
        }

    def state_dict(self) -> dict[str, Any]:
        """Networks, average and optimiser, and what the latents were made with."""
        return {name: getattr(self, name).state_dict() for name in _STATE} | {"made_with": self._made_with}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Strict. Raises ValueError for a state of other latents."""
        if state.get("made_with") != self._made_with:
            raise ValueError("its latents were made with another voice or CLAP")
        for name in _STATE:
            getattr(self, name).load_state_dict(state[name])

    @property
    def _made_with(self) -> list[str]:
        return [self.latents.voice_hash, self.latents.style_hash]


def train(
    config: BridgeConfig,
    latents: Latents,
    vits: FrozenVits,
    folder: Path,
    *,
    resume: bool = False,
    start_from: Path | None = None,
    held_out: Sequence[int] = (),
) -> Bridge:
    """Train in `folder` and return the averaged bridge.

    It starts from random weights or from those of `start_from`, a bridge of the same shape, be it of another voice or
    CLAP; resumed, from its own state. held_out: examples that are not trained on, and whose losses are logged. Raises
    CheckpointError or InputError.
    """
    torch.manual_seed(config.training.seed)
    task = BridgeTask(config, latents, vits, held_out)
    if start_from is not None and not resume:
        task.start_from(start_from)
    steps, every = config.training.steps, max(1, config.training.steps // EVALUATIONS)
    loop.run(task, folder, steps, config.training.seed, resume, config, evaluate_every=every, evaluate_first=True)
    return cast(Bridge, task.averaged.module.eval())


def last_sentences(latents: Latents) -> list[int]:
    """Examples of the last sentences, one in 32 of all, in whatever voice and style: what can be held out together."""
    said = [cast("Augmentation", item).sentence for item in latents.items]
    sentences = list(dict.fromkeys(said))
    last = set(sentences[-max(1, len(sentences) // HELD_OUT) :])
    return [index for index, sentence in enumerate(said) if sentence in last]


def _pool(latents: Latents, plain_share: float | None) -> np.ndarray:
    """Examples to train on: all in a style, and evenly taken others up to their share."""
    plain = np.flatnonzero(~latents.styled)
    if plain_share is not None:
        wanted = min(len(plain), round(plain_share / (1 - plain_share) * latents.styled.sum()))
        plain = plain[np.linspace(0, len(plain) - 1, wanted).round().astype(int)]
    return np.sort(np.concatenate([np.flatnonzero(latents.styled), plain]))


def _cut_or_pad(values: Tensor, frames: int) -> Tensor:
    return nn.functional.pad(values[:, :frames], (0, max(0, frames - values.shape[1])))


def _shares(parts: dict[Any, float]) -> np.ndarray:
    weights = np.array(list(parts.values()))
    return weights / weights.sum()
