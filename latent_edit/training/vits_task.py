"""One stage of the voice's training: batches, losses and optimisers (VITS, Kim et al. 2021, arXiv 2106.06103)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from latent_edit.data.speech import Speech, SpeechBatch, batch_of_step
from latent_edit.errors import InputError
from latent_edit.models.alignment import expand, length_mask, prior_log_likelihood, search_durations
from latent_edit.models.discriminators import Discriminators, discriminator_loss, feature_loss, generator_loss
from latent_edit.models.embedded_vits import EmbeddedVits
from latent_edit.models.harmonic_source import f0_errors
from latent_edit.models.source_filter_decoder import SourceFilterDecoder
from latent_edit.models.spectrogram import LogMel, linear_spectrogram
from latent_edit.training import loop
from latent_edit.training.losses import frame_moments, multi_resolution_stft_loss
from latent_edit.training.vits_config import VitsStage, VitsTrainingConfig

Judge = Callable[[EmbeddedVits], dict[str, float]]
"""Measures a voice on held-out sentences."""


def slice_frames(values: Tensor, starts: Tensor, frames: int, hop: int = 1) -> Tensor:
    """Cut [B, ..., T * hop] to `frames` frames from each item's start."""
    return torch.stack([v[..., s * hop : (s + frames) * hop] for v, s in zip(values, starts.tolist(), strict=True)])


_STATE = ("voice", "averaged", "discriminators", "optimizer", "discriminator_optimizer")


class VitsTask:
    """One stage on one machine; see `training.loop.Task`."""

    def __init__(
        self,
        config: VitsTrainingConfig,
        stage: VitsStage,
        voice: EmbeddedVits,
        speech: Speech,
        styled: Speech | None = None,
        judge: Judge | None = None,
    ) -> None:
        self.config, self.stage, self.voice, self.speech = config, stage, voice, speech
        self.styled, self.judge = styled, judge
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        nn.Module.to(self.voice, self.device).train()
        self.bfloat16 = config.bfloat16 and loop.has_bfloat16(self.device)
        self.hop, self.fft_size = voice.config.hop_length, voice.config.fft_size
        self.log_mel = LogMel(speech.sampling_rate, self.fft_size, self.hop, config.mel_bins).to(self.device)
        self.discriminators = Discriminators().to(self.device)
        self.speaker_ids = {name: index for index, name in enumerate(voice.config.speakers)}
        self._refuse_other_speech()
        trained: dict[str, list[nn.Module]] = {
            "all": [voice],
            "posterior_and_decoder": [voice.posterior_encoder, voice.decoder],
            "decoder": [voice.decoder],
            "text_side": [voice.text_encoder, voice.flow, voice.duration_predictor],
        }
        self.voice.requires_grad_(False)
        for module in trained[stage.train]:
            module.requires_grad_(True)
        # VITS's own optimiser settings (config of the authors' code), with a higher rate for the smaller network.
        settings: dict[str, Any] = {"lr": stage.learning_rate, "betas": (0.8, 0.99), "eps": 1e-9, "weight_decay": 0.01}
        self.parameters = [p for p in voice.parameters() if p.requires_grad]
        self.optimizer = torch.optim.AdamW(self.parameters, **settings)
        self.discriminator_optimizer = torch.optim.AdamW(self.discriminators.parameters(), **settings)
        # Mean and deviation per channel of natural speech, which styled speech is pulled to.
        self.natural_moments = self._measure_moments() if stage.moment_weight else None
        # Scores of real crops (with their graph) and generated crops, from the generator's half of a step to the other.
        self._pending: tuple[list[Tensor], Tensor] | None = None
        self.averaged = loop.moving_average(voice, config.ema)

    # -- batches -------------------------------------------------------------------------------------------------

    def batch(self, speech: Speech, index: int, size: int) -> SpeechBatch:
        """The batch of step `index`: the same whether or not training was interrupted."""
        chosen = batch_of_step(speech.lengths, size, index, self.config.seed)
        batch = speech.batch(chosen.tolist(), self.speaker_ids)
        return SpeechBatch(**{name: value.to(self.device) for name, value in vars(batch).items()})

    def _speaker(self, batch: SpeechBatch) -> Tensor | None:
        """Speaker embeddings [B, G, 1]; none for a voice with a single speaker."""
        if self.voice.config.num_speakers == 1:
            return None
        return self.voice.embed_speaker(batch.speaker).unsqueeze(-1)

    def _refuse_other_speech(self) -> None:
        rates = self.speech.sampling_rate, self.voice.config.sampling_rate
        if rates[0] != rates[1]:
            raise InputError(f"the recordings have {rates[0]} Hz, but the preset asks for a voice of {rates[1]} Hz")
        heard = {*self.speech.speakers, *(self.styled.speakers if self.styled else ())}
        if strangers := sorted(heard - self.speaker_ids.keys()):
            raise InputError(f"the voice has no speaker {strangers[0]!r}; it has {', '.join(self.speaker_ids)}")

    # -- one step ------------------------------------------------------------------------------------------------

    def step(self, index: int) -> dict[str, float]:
        """Generator and, once the adversarial loss has started, discriminators."""
        for optimizer in (self.optimizer, self.discriminator_optimizer):
            loop.set_learning_rate(
                optimizer,
                self.stage.learning_rate,
                index,
                self.stage.steps,
                self.config.warmup_steps,
                self.stage.final_learning_rate_share,
            )
        adversarial = index >= self.stage.adversarial_from
        styled_size = round(self.config.batch_size * self.stage.styled_share)
        with self._autocast():
            losses = self._natural(index, self.config.batch_size - styled_size, adversarial)
            if styled_size:
                losses |= self._styled(index, styled_size)
        total = torch.stack(list(losses.values())).sum()
        self.optimizer.zero_grad(set_to_none=True)
        total.backward()
        norm = nn.utils.clip_grad_norm_(self.parameters, self.config.largest_gradient_norm)
        if not torch.isfinite(norm):
            raise RuntimeError(f"the gradient of step {index} is not finite: lower the learning rate and resume")
        self.optimizer.step()
        self.averaged.update_parameters(self.voice)
        values = {name: float(loss.detach()) for name, loss in losses.items()}
        if "mel" in values:  # logged as it is, without its weight
            values["mel"] /= self.config.mel_weight
        return {**values, "gradient": float(norm), **self._train_discriminators()}

    def _natural(self, index: int, size: int, adversarial: bool) -> dict[str, Tensor]:
        batch = self.batch(self.speech, index, size)
        speaker = self._speaker(batch)
        frames = batch.lengths // self.hop
        mask = length_mask(frames)
        z, log_deviation = self._posterior(batch.samples, mask, speaker)[:2]
        losses = {}
        if self.stage.train != "decoder":
            losses = self._prior_losses(batch, z, log_deviation, mask, speaker)
        if self.stage.train == "text_side":  # nothing of what is spoken from z can change
            return losses
        losses |= self._pitch(batch.pitch, z, mask, speaker)
        real, generated = self._decode_segment(batch, frames, z, speaker)
        losses["mel"] = self.config.mel_weight * self._mel_distance(real, generated)
        if adversarial:
            losses |= self._adversarial(real, generated)
        return losses

    def _autocast(self, wanted: bool = True) -> torch.autocast:
        """bfloat16 for what costs time, where the processor has units for it; off for sums that need the digits."""
        return torch.autocast(self.device.type, torch.bfloat16, enabled=wanted and self.bfloat16)

    def _mel_distance(self, real: Tensor, generated: Tensor) -> Tensor:
        with self._autocast(False):
            return F.l1_loss(self.log_mel(generated), self.log_mel(real))

    def _posterior(self, samples: Tensor, mask: Tensor, speaker: Tensor | None) -> tuple[Tensor, Tensor, Tensor]:
        spectrogram = linear_spectrogram(samples, self.fft_size, self.hop)[:, :, : mask.shape[2]]
        z, mean, log_deviation = self.voice.posterior_encoder(spectrogram, mask, speaker)
        return z, log_deviation, mean

    def _prior_losses(
        self, batch: SpeechBatch, z: Tensor, log_deviation: Tensor, mask: Tensor, speaker: Tensor | None
    ) -> dict[str, Tensor]:
        """Duration loss and KL between posterior and aligned prior (VITS, equations 3 and 4)."""
        z_p = self.voice.flow(z, mask, speaker)
        phoneme_mask = length_mask(batch.id_lengths, batch.ids.shape[1])
        text = self.voice.text_encoder(batch.ids, phoneme_mask.transpose(1, 2), phoneme_mask.squeeze(1))
        mean_p, log_deviation_p = text.prior_means.transpose(1, 2), text.prior_log_variances.transpose(1, 2)
        with self._autocast(False):
            likelihood = prior_log_likelihood(z_p.float(), mean_p.float(), log_deviation_p.float())
        durations = search_durations(likelihood, mask, phoneme_mask)
        hidden = text.last_hidden_state.transpose(1, 2)
        predicted = self.voice.duration_predictor(hidden, phoneme_mask, speaker)
        # Unlike the squared error of logarithms, this is least at the mean: sentences get their whole length.
        surprise = F.poisson_nll_loss(predicted.squeeze(1), durations.float(), reduction="none")
        duration = (surprise * phoneme_mask.squeeze(1)).sum() / phoneme_mask.sum()
        mean_p, log_deviation_p = expand(mean_p, durations), expand(log_deviation_p, durations)
        divergence = log_deviation_p - log_deviation - 0.5
        divergence = divergence + 0.5 * (z_p - mean_p).square() * torch.exp(-2 * log_deviation_p)
        kl = (divergence * mask).sum() / mask.sum()
        return {"kl": self.config.kl_weight * kl, "duration": duration}

    def _pitch(self, pitch: Tensor, z: Tensor, mask: Tensor, speaker: Tensor | None) -> dict[str, Tensor]:
        """How far the F0 and voicing that the decoder reads from the latent are from the recording's."""
        octaves, voicing = cast(SourceFilterDecoder, self.voice.decoder).pitch(z, speaker)
        semitones, doubt = f0_errors(octaves, voicing, pitch, mask.squeeze(1))
        return {"pitch": self.config.pitch_weight * semitones, "voicing": self.config.voicing_weight * doubt}

    def _decode_segment(
        self, batch: SpeechBatch, frames: Tensor, z: Tensor, speaker: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        """A random cut of the recordings, and the same as the decoder speaks it at the recordings' own F0."""
        length = min(self.config.segment_frames, int(frames.min()))
        starts = (torch.rand(len(frames), device=self.device) * (frames - length + 1)).long()
        z, pitch = slice_frames(z, starts, length), slice_frames(batch.pitch, starts, length)
        generated = self.voice.decoder(z, speaker, pitch).squeeze(1)
        return slice_frames(batch.samples, starts, length, self.hop), generated

    def _adversarial(self, real: Tensor, generated: Tensor) -> dict[str, Tensor]:
        """The generator's losses on random crops; what the discriminators' own step needs is kept for after it."""
        frames = min(self.config.adversarial_frames, real.shape[1] // self.hop)
        room = real.shape[1] // self.hop - frames + 1
        starts = torch.randint(room, (real.shape[0],), device=self.device)
        real, generated = (slice_frames(x, starts, frames, self.hop) for x in (real, generated))
        real_scores, real_features = self.discriminators(real)
        self._pending = (real_scores, generated.detach())
        self.discriminators.requires_grad_(False)
        scores, features = self.discriminators(generated)
        self.discriminators.requires_grad_(True)
        matching = feature_loss(real_features, features)
        return {"adversarial": generator_loss(scores), "features": self.config.feature_weight * matching}

    def _train_discriminators(self) -> dict[str, float]:
        """The discriminators' own step, on the crops that the generator was just judged by."""
        if self._pending is None:
            return {}
        real_scores, generated = self._pending
        with self._autocast():
            loss = discriminator_loss(real_scores, self.discriminators(generated)[0])
        self.discriminator_optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.discriminator_optimizer.step()
        self._pending = None
        return {"discriminator": float(loss.detach())}

    def _styled(self, index: int, size: int) -> dict[str, Tensor]:
        """Reconstruction of styled augmentations, and a weak pull of their moments to those of natural speech."""
        assert self.styled is not None
        batch = self.batch(self.styled, index, size)
        speaker = self._speaker(batch)
        frames = batch.lengths // self.hop
        mask = length_mask(frames)
        z, _, mean = self._posterior(batch.samples, mask, speaker)
        real, generated = self._decode_segment(batch, frames, z, speaker)
        losses = {
            "styled_mel": self.config.mel_weight * self._mel_distance(real, generated),
            "styled_stft": self.config.mel_weight * 0.5 * multi_resolution_stft_loss(real, generated),
        }
        pitch = self._pitch(batch.pitch, z, mask, speaker)
        losses |= {f"styled_{name}": loss for name, loss in pitch.items()}
        if self.natural_moments is not None:
            moments = torch.stack(frame_moments(mean, mask))
            losses["moments"] = self.stage.moment_weight * (moments - self.natural_moments).square().mean()
        return losses

    @torch.no_grad()
    def _measure_moments(self) -> Tensor:
        """Posterior moments [2, C] of natural speech before this stage changes anything."""
        moments = []
        for index in range(10):
            batch = self.batch(self.speech, index, self.config.batch_size)
            speaker = self._speaker(batch)
            mask = length_mask(batch.lengths // self.hop)
            moments.append(torch.stack(frame_moments(self._posterior(batch.samples, mask, speaker)[2], mask)))
        return torch.stack(moments).mean(0)

    def state_dict(self) -> dict[str, Any]:
        """Networks, average and optimisers, and whose embedding is in which row."""
        state = {name: getattr(self, name).state_dict() for name in _STATE}
        return {**state, "natural_moments": self.natural_moments, "speakers": list(self.speaker_ids)}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Strict: every part must fit."""
        for name in _STATE:
            getattr(self, name).load_state_dict(state[name])
        if self.natural_moments is not None:
            self.natural_moments = state["natural_moments"].to(self.device)

    def evaluate(self, index: int) -> dict[str, float]:
        """Whatever the judge measures on the averaged voice."""
        del index
        return self.judge(cast(EmbeddedVits, self.averaged.module.eval())) if self.judge else {}
