"""CLAP as transformers' `ClapModel` (laion/clap-htsat-unfused and its relatives), from the hub or a local folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from latent_edit import checkpoint
from latent_edit.axes import AxisValue
from latent_edit.errors import CheckpointError
from latent_edit.types import Waveform

PROBES = ["a whisper", "an angry shout"]


class TransformersClap:
    """`StyleEncoder` over a frozen `ClapModel` and its processor."""

    def __init__(self, model: Any, processor: Any, name: str) -> None:
        self.name = name
        self._model = model.eval().requires_grad_(False)
        self._tokenizer, self._features = processor.tokenizer, processor.feature_extractor
        self.dimension: int = model.config.projection_dim
        self.sampling_rate: int = self._features.sampling_rate
        self.hash = checkpoint.content_hash(model.state_dict())
        _check_text_side(self, len(self._tokenizer), model.config.text_config.vocab_size)

    @staticmethod
    def load(source: str | Path) -> TransformersClap:
        """A local folder (the network is not touched) or a hub name. Raises CheckpointError."""
        from transformers import ClapModel, ClapProcessor

        local = isinstance(source, Path)
        try:
            loaded: Any = ClapModel.from_pretrained(source, local_files_only=local, output_loading_info=True)
            processor = ClapProcessor.from_pretrained(source, local_files_only=local)
        except (OSError, ValueError, RuntimeError) as error:
            reason = str(error).strip().split("\n")[0]
            raise CheckpointError(f"CLAP {source} cannot be loaded ({reason}); give a complete ClapModel") from error
        model, report = loaded
        if absent := sorted(report["missing_keys"]):
            raise CheckpointError(f"CLAP {source} lacks {len(absent)} weights ({absent[0]}, ...); get it again")
        return TransformersClap(model, processor, str(source))

    @torch.no_grad()
    def embed_text(self, prompts: list[str]) -> Tensor:
        """[B, D], unit norm."""
        tokens = self._tokenizer(list(prompts), padding=True, truncation=True, return_tensors="pt")
        features = self._model.get_text_features(
            input_ids=tokens["input_ids"], attention_mask=tokens["attention_mask"]
        ).pooler_output
        return torch.nn.functional.normalize(features.float(), dim=1)

    @torch.no_grad()
    def embed_audio(self, waveform: Waveform) -> Tensor:
        """[B, D], unit norm. One clip at a time: in a batch the extractor marks one at random as "longer"."""
        return torch.cat([self._embed_clip(clip) for clip in model_clips(waveform, self.sampling_rate, self._longest)])

    @property
    def _longest(self) -> int:
        return int(self._features.nb_max_samples)

    def _embed_clip(self, clip: Tensor) -> Tensor:
        fusion = bool(self._model.config.audio_config.enable_fusion)
        inputs = self._features(
            clip.numpy(),
            sampling_rate=self.sampling_rate,
            truncation="fusion" if fusion else "rand_trunc",
            padding="repeatpad",
            return_tensors="pt",
        )
        return torch.nn.functional.normalize(self._model.get_audio_features(**inputs).pooler_output.float(), dim=1)

    def axes(self, embedding: Tensor) -> dict[str, AxisValue]:  # noqa: ARG002
        """Empty: it was trained without any."""
        return {}

    def unknown_words(self, prompt: str) -> list[str]:  # noqa: ARG002
        """Empty: its byte-level vocabulary is open."""
        return []


def model_clips(waveform: Waveform, sampling_rate: int, longest: int) -> list[Tensor]:
    """The clips [N_i] at another rate, cut to their middle `longest` samples (the models would crop at random)."""
    from torchaudio.functional import resample

    clips = []
    for index in range(waveform.samples.shape[0]):
        clip = resample(waveform.item(index), waveform.sampling_rate, sampling_rate)
        start = max(0, clip.shape[0] - longest) // 2
        clips.append(clip[start : start + longest].float().cpu())
    return clips


def _check_text_side(encoder: TransformersClap, tokens: int, vocabulary: int) -> None:
    """A tokenizer that is missing does not fail to load: it comes with five tokens and hears every prompt alike."""
    if not vocabulary // 2 <= tokens <= vocabulary:
        raise CheckpointError(
            f"CLAP {encoder.name} expects {vocabulary} tokens and its tokenizer has {tokens}; "
            "its tokenizer files are missing: get vocab.json and merges.txt (or tokenizer.json) as well"
        )
    embeddings = encoder.embed_text(PROBES)
    if torch.allclose(embeddings[0], embeddings[1], atol=1e-4):
        raise CheckpointError(f"CLAP {encoder.name} gives the same embedding for every prompt; get it again")
