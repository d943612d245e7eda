"""A pretrained VITS, frozen: text and recordings to latents, latents to speech.

Works with any transformers `VitsModel` (kakao-enterprise/vits-vctk, vits-ljs, facebook/mms-tts-*) and the embedded one.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import torch
from torch import Tensor

from latent_edit.checkpoint import content_hash
from latent_edit.errors import CheckpointError, InputError
from latent_edit.models.alignment import draw_prior, prior_log_likelihood, search_durations, whole_frames
from latent_edit.models.phonemes import FrontEnd, PhonemeSequence, encode_text, load_front_end
from latent_edit.models.spectrogram import linear_spectrogram
from latent_edit.types import Alignment, Latent, Waveform

if TYPE_CHECKING:
    from latent_edit.models.source_filter_decoder import SourceFilterDecoder

# A bridge belongs to these parts of a voice; the decoder may improve without invalidating it.
LATENT_PARTS = ("text_encoder.", "flow.", "posterior_encoder.", "embed_speaker.")
SHORTEST_RECORDING_SECONDS = 0.2


@dataclass(frozen=True)
class TextEncoding:
    """One sentence, or a recording, in the voice's latent space.

    latent: what the decoder eats, z [1, C, T]. prior_sample: before the inverse flow, z_p [1, C, T].
    alignment: frames per phoneme, [1, P]; P is 0 for a recording of which nothing else is known.
    """

    latent: Latent
    prior_sample: Latent
    alignment: Alignment

    def resampled(self, log_ratio: float) -> TextEncoding:
        """A sentence exp(log_ratio) times as long, all of it alike; sums of durations are kept, an F0 contour too."""
        given = self.alignment.durations[0]
        old = given if len(given) else self.latent.lengths  # a recording is like one long symbol
        durations = whole_frames(old.double() * math.exp(log_ratio))
        frames = int(durations.sum())
        if log_ratio == 0 or not frames:
            return self
        lasting = Alignment(durations[None, : len(given)])
        return TextEncoding(self.latent.stretched(frames), self.prior_sample.stretched(frames), lasting)


class FrozenVits:
    """A VITS in evaluation mode, without gradients. Items are coded one by one, so results never depend on a batch."""

    def __init__(self, model: Any, front_end: FrontEnd, speakers: dict[str, int]) -> None:
        self._model = model.float().eval().requires_grad_(False)
        self._front_end = front_end
        self.speakers = speakers
        self.sampling_rate: int = model.config.sampling_rate
        self.latent_channels: int = model.config.flow_size
        self.fft_size: int = 2 * (model.config.spectrogram_bins - 1)
        self.hop_length: int = int(torch.tensor(model.config.upsample_rates).prod())
        state = model.state_dict()
        # Of each speaker, the range of F0 in recordings, in semitones; 0 where it was not measured.
        self.f0_ranges: list[float] = getattr(model.config, "f0_ranges_semitones", None) or [0.0] * len(speakers)
        ranges = {"f0_ranges_semitones": torch.tensor(self.f0_ranges)} if any(self.f0_ranges) else {}
        self.hash = content_hash(state | ranges)
        self.latent_hash = content_hash({k: v for k, v in state.items() if k.startswith(LATENT_PARTS)})
        _fold_weight_norm(model)

    @classmethod
    def load(cls, source: str | Path) -> FrozenVits:
        """Load a folder, or by a name (no Path) that is no folder a model of the hub. Raises CheckpointError."""
        from safetensors import SafetensorError
        from transformers import AutoConfig, VitsConfig, VitsModel

        from latent_edit.models.embedded_vits import EmbeddedVits, EmbeddedVitsConfig

        AutoConfig.register(EmbeddedVitsConfig.model_type, EmbeddedVitsConfig, exist_ok=True)
        local = isinstance(source, Path) or Path(source).is_dir()
        try:
            if local and not Path(source).is_dir():
                raise ValueError("there is no such folder")
            config = AutoConfig.from_pretrained(str(source), local_files_only=local)
            if not isinstance(config, VitsConfig):
                raise ValueError(f"it is a model of type {config.model_type!r}")
            network: Any = EmbeddedVits if isinstance(config, EmbeddedVitsConfig) else VitsModel
            with _quiet_transformers():
                model, information = network.from_pretrained(
                    str(source), config=config, dtype=torch.float32, local_files_only=local,
                    output_loading_info=True, ignore_mismatched_sizes=True,  # they are reported below
                )  # fmt: skip
            embedded = network is EmbeddedVits
            front_end = FrontEnd(encode_text) if embedded else load_front_end(str(source), config.vocab_size, local)
        except (OSError, ValueError, SafetensorError) as error:
            raise CheckpointError(f"no VITS voice can be loaded from {source}: {str(error).splitlines()[0]}") from error
        if problems := [f"{kind}: {sorted(information[kind])[:3]}" for kind in _LOADING_PROBLEMS if information[kind]]:
            raise CheckpointError(f"the weights in {source} do not fit the model ({'; '.join(problems)})")
        names = getattr(config, "speakers", None) or [str(index) for index in range(max(1, config.num_speakers))]
        return cls(model, front_end, {name: index for index, name in enumerate(names)})

    def phonemize(self, text: str) -> PhonemeSequence:
        """Symbols and ids of a text, in this voice's vocabulary."""
        return self._front_end(text)

    @property
    def reads_english(self) -> bool:
        """Whether texts are to be normalised as English ones before they are phonemized."""
        return self._front_end.english

    def speaker_id(self, speaker: str | int) -> int:
        """Index of a speaker given by name or index. Raises InputError that lists the known ones."""
        if isinstance(speaker, str) and speaker in self.speakers:
            return self.speakers[speaker]
        if isinstance(speaker, int) and not isinstance(speaker, bool) and 0 <= speaker < len(self.speakers):
            return speaker
        known = ", ".join(list(self.speakers)[:12]) + (", ..." if len(self.speakers) > 12 else "")
        raise InputError(f"this voice has no speaker {speaker!r}; known speakers: {known}")

    def speaker_embedding(self, speaker: str | int) -> Tensor:
        """[1, G]; G is 0 for a voice with a single speaker."""
        index = self.speaker_id(speaker)
        if self._model.config.num_speakers <= 1:
            return torch.zeros(1, 0, device=self._device)
        return self._model.embed_speaker.weight[index : index + 1]

    @property
    def all_speaker_embeddings(self) -> Tensor:
        """[speakers, G], in the order of `speakers`."""
        return torch.cat([self.speaker_embedding(index) for index in range(len(self.speakers))])

    # -- text to latent ------------------------------------------------------------------------------------------

    @torch.no_grad()
    def encode_text(
        self,
        phonemes: PhonemeSequence,
        speaker: str | int,
        *,
        prior_noise: float = 0.667,
        duration_noise: float = 0.8,
        pace: float = 1.0,
        generator: torch.Generator | None = None,
        durations: Tensor | None = None,
    ) -> TextEncoding:
        """Z_text of one sentence (VITS, arXiv 2106.06103, section 2.1, run backwards).

        prior_noise, duration_noise: standard deviations of the noise of prior and duration predictor (a deterministic
        predictor draws none). pace: factor on durations. durations: [P] frames, instead of predicted ones.
        """
        conditioning = self._conditioning(speaker)
        mean, log_deviation, hidden = self._prior(phonemes)
        if durations is None:
            durations = self._predict_durations(hidden, conditioning, duration_noise, pace, generator)
            if not durations.any():
                durations[0] = 1  # something has to last
        durations = durations.flatten()
        sample = draw_prior(mean, log_deviation, durations, prior_noise, generator)
        return TextEncoding(self.from_prior(sample, speaker), sample, Alignment(durations[None]))

    @torch.no_grad()
    def sample_prior(
        self, phonemes: PhonemeSequence, durations: Tensor, prior_noise: float, generator: torch.Generator | None
    ) -> Latent:
        """z_p of one sentence whose symbols last `durations` [P] frames: drawn from the prior (VITS, equation 4)."""
        mean, log_deviation, _ = self._prior(phonemes)
        return draw_prior(mean, log_deviation, durations, prior_noise, generator)

    @torch.no_grad()
    def from_prior(self, sample: Latent, speaker: str | int) -> Latent:
        """z of a z_p: the flow inverted, as in synthesis."""
        return Latent(self._model.flow(sample.z, sample.mask, self._conditioning(speaker), reverse=True), sample.mask)

    @torch.no_grad()
    def to_prior(self, latent: Latent, speaker: str | int) -> Latent:
        """z_p of a latent: the flow run forwards, as in training (VITS, equation 3)."""
        return Latent(self._model.flow(latent.z, latent.mask, self._conditioning(speaker)), latent.mask)

    def _prior(self, phonemes: PhonemeSequence) -> tuple[Tensor, Tensor, Tensor]:
        """Mean and log standard deviation [1, C, P] and hidden states [1, H, P] of the text encoder."""
        ids = torch.tensor([phonemes.ids], device=self._device)
        mask = torch.ones_like(ids)
        text = self._model.text_encoder(ids, padding_mask=mask.unsqueeze(-1).float(), attention_mask=mask)
        values = (text.prior_means, text.prior_log_variances, text.last_hidden_state)
        mean, log_deviation, hidden = (value.transpose(1, 2) for value in values)
        return mean, log_deviation, hidden

    def _predict_durations(
        self,
        hidden: Tensor,
        conditioning: Tensor | None,
        noise: float,
        pace: float,
        generator: torch.Generator | None,
    ) -> Tensor:
        """Frames per phoneme, [P] int64."""
        mask, config = torch.ones_like(hidden[:, :1]), self._model.config
        scale = pace / config.speaking_rate
        if not config.use_stochastic_duration_prediction:
            log_durations = self._model.duration_predictor(hidden, mask, conditioning)
            return whole_frames(log_durations.exp().flatten() * scale)
        # transformers draws from the global generator: seed it from ours, and put it back afterwards.
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(int(torch.randint(2**31, (1,), generator=generator)))
            log_durations = self._model.duration_predictor(hidden, mask, conditioning, reverse=True, noise_scale=noise)
        # The stochastic predictor was trained on durations less a draw from (0, 1): rounding up undoes it.
        return torch.ceil(log_durations.exp().flatten() * scale).long()

    # -- speech to latent and back -------------------------------------------------------------------------------

    @torch.no_grad()
    def encode_speech(self, waveform: Waveform, speaker: str | int) -> Latent:
        """Z_audio: the posterior's mean. Speech at the voice's own rate."""
        if waveform.sampling_rate != self.sampling_rate:
            raise ValueError(f"resample to {self.sampling_rate} Hz first (got {waveform.sampling_rate} Hz)")
        conditioning = self._conditioning(speaker)
        items = []
        for index in range(waveform.samples.shape[0]):
            samples = waveform.item(index).to(self._device)
            if len(samples) < SHORTEST_RECORDING_SECONDS * self.sampling_rate:
                raise InputError(f"the recording is too short: at least {SHORTEST_RECORDING_SECONDS} s are needed")
            spectrogram = linear_spectrogram(samples.unsqueeze(0), self.fft_size, self.hop_length)
            mask = torch.ones_like(spectrogram[:, :1])
            _, mean, _ = self._model.posterior_encoder(spectrogram, mask, conditioning)
            items.append(Latent(mean, mask))
        return Latent.collate(items)

    @torch.no_grad()
    def posterior_deviation(self, waveform: Waveform, speaker: str | int) -> Tensor:
        """How far the posterior of one recording lets a latent be from its mean: standard deviation [C] over frames."""
        spectrogram = linear_spectrogram(waveform.samples.to(self._device), self.fft_size, self.hop_length)
        mask = torch.ones_like(spectrogram[:, :1])
        _, _, log_deviation = self._model.posterior_encoder(spectrogram, mask, self._conditioning(speaker))
        return log_deviation[0].exp().mean(1)

    @torch.no_grad()
    def align(self, latent: Latent, phonemes: PhonemeSequence, speaker: str | int) -> Alignment:
        """Frames per phoneme of one recording by monotonic alignment search against the text's prior."""
        if latent.z.shape[2] < len(phonemes.ids):
            raise InputError(
                f"the recording has {latent.z.shape[2]} frames, fewer than its text has symbols ({len(phonemes.ids)}): "
                "check that the transcript belongs to it"
            )
        mean, log_deviation, _ = self._prior(phonemes)
        likelihood = prior_log_likelihood(self.to_prior(latent, speaker).z, mean, log_deviation)
        return Alignment(search_durations(likelihood, latent.mask, torch.ones_like(mean[:, :1])))

    @torch.no_grad()
    def decode(self, latent: Latent, speaker: str | int) -> Waveform:
        """Speech of every item, [B, T * hop_length]."""
        conditioning = self._conditioning(speaker)
        audio = [self._model.decoder(latent.item(n).z, conditioning)[0, 0].cpu() for n in range(len(latent.z))]
        samples = torch.nn.utils.rnn.pad_sequence(audio, batch_first=True)
        return Waveform(samples, torch.tensor([len(a) for a in audio]), self.sampling_rate)

    @property
    def frames_per_second(self) -> float:
        """Latent frames in a second of speech."""
        return self.sampling_rate / self.hop_length

    @property
    def has_source_filter(self) -> bool:
        """Whether the decoder reads F0 and filters from a latent, as that of the embedded voice does."""
        return hasattr(self._model.decoder, "filters")

    @property
    def source_filter_decoder(self) -> SourceFilterDecoder:
        """The decoder of the embedded voice. Raises InputError for another's."""
        if not self.has_source_filter:
            raise InputError("only the embedded voice has a source-filter decoder: train with the preset i2sb-plain")
        return cast("SourceFilterDecoder", self._model.decoder)

    def _conditioning(self, speaker: str | int) -> Tensor | None:
        embedding = self.speaker_embedding(speaker)
        return embedding.unsqueeze(-1) if embedding.shape[1] else None

    @cached_property
    def _device(self) -> torch.device:
        return next(self._model.parameters()).device


_LOADING_PROBLEMS = ("missing_keys", "unexpected_keys", "mismatched_keys")


def _fold_weight_norm(model: Any) -> None:
    """Replace weight normalisation by plain weights: the same values, computed once."""
    for module in model.modules():
        if torch.nn.utils.parametrize.is_parametrized(module, "weight"):
            torch.nn.utils.parametrize.remove_parametrizations(module, "weight")


@contextmanager
def _quiet_transformers() -> Iterator[None]:
    """No loading report on the terminal; what matters in it is raised as an error."""
    from transformers.utils import logging

    before, bar = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(before)
        if bar:
            logging.enable_progress_bar()


def freeze(voice: Any) -> FrozenVits:
    """A frozen copy of an embedded voice that is still being trained."""
    # Not deepcopy: its copies share the classes of weight normalisation, so that folding one would break the other.
    frozen = type(voice)(voice.config).to(voice.device)
    frozen.load_state_dict(voice.state_dict())
    return FrozenVits(frozen, FrontEnd(encode_text), {name: index for index, name in enumerate(voice.config.speakers)})
