"""Training of clap-mini on styled augmentations and captions (contrastive loss: CLIP, Radford et al. 2021, 2103.00020).

Two changes to the plain recipe. Many captions mean nearly the same, so a clip's target is its own caption and, in
proportion, every caption of a similar style. And a head reads the style axes from embeddings of either kind.
"""

from __future__ import annotations

import hashlib
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from latent_edit import checkpoint
from latent_edit.axes import AXES
from latent_edit.config import preset_prompts
from latent_edit.data.augmentations import Augmentation, Augmentations
from latent_edit.data.captions import preset_caption, sample_pair
from latent_edit.data.styles import Style
from latent_edit.errors import InputError
from latent_edit.files import whole
from latent_edit.models.clap_mini import (
    ClapMini,
    ClapMiniConfig,
    ClapMiniEncoder,
    log_mel,
    pad_mels,
    read_tokenizer,
    tokenize,
    train_tokenizer,
)
from latent_edit.prompts.lexicon import FLOORS, load_lexicon
from latent_edit.prompts.words import prompt_words
from latent_edit.training import loop
from latent_edit.training.clap_config import ClapConfig

if TYPE_CHECKING:
    from tokenizers import Tokenizer

PRESET_SHARE = 0.15  # of the captions without a recording: a preset in its own or other words
MAX_FILLERS = 3  # words without a meaning, anywhere in a caption: people join words in more ways than templates do
NOTHING_SHARE = 0.005  # an empty caption asks for no change: a prompt of which no word is known
DB_TO_LOG_POWER = math.log(10) / 10
FARTHEST = 4.0  # floors; two styles that differ by more on one axis are no more different
AXIS_NAMES = tuple(AXES)
LEVEL, BREATH = AXIS_NAMES.index("level_db"), AXIS_NAMES.index("breathiness")
# What cannot be heard in a whisper.
VOICED_AXES = [AXIS_NAMES.index(name) for name in ("pitch_semitones", "range_ratio_log2", "tremor_semitones")]


class ClapTask:
    """See `training.loop.Task`."""

    def __init__(
        self, config: ClapConfig, augmentations: Augmentations, folder: Path, tokenizer: Tokenizer | None = None
    ) -> None:
        """folder: where computed features are kept. tokenizer: of the weights to go on from; None learns one."""
        self.config = config
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.items = augmentations.of_split("train")
        self.held_out = [item for item in augmentations.items if item.split != "train"]
        if len(self.items) < config.batch_size:
            raise InputError(
                f"{len(self.items)} training augmentations are fewer than one batch of {config.batch_size}"
            )
        texts, axes = caption_bank(config.captions, config.seed)
        if tokenizer is None:
            own = [caption.text for item in self.items for caption in item.captions]
            tokenizer = train_tokenizer([" ".join(prompt_words(text)) for text in [*texts, *own]], config.vocabulary)
        self.tokenizer = tokenizer
        network = config.sizes.network(self.tokenizer.get_vocab_size())
        self.network = ClapMini(network).to(self.device)
        self.fillers = load_lexicon().fillers()
        self.bank, self.bank_axes = texts, torch.from_numpy(axes).float()
        self.mels = features(augmentations, self.items, network, folder)
        self.held_out_mels = features(augmentations, self.held_out, network, folder)
        self.optimizer = torch.optim.AdamW(
            self.network.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay
        )

    def step(self, index: int) -> dict[str, float]:
        """One optimisation step."""
        losses = self._losses(index)
        for group in self.optimizer.param_groups:
            group["lr"] = self.config.learning_rate * _schedule(index, self.config)
        self.optimizer.zero_grad(set_to_none=True)
        total = losses["contrastive"] + self.config.axes_weight * (losses["audio_axes"] + losses["text_axes"])
        total.backward()
        nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        self.optimizer.step()
        return {
            **{name: float(loss.detach()) for name, loss in losses.items()},
            "scale": float(self.network.logit_scale.detach()),
        }

    def _losses(self, index: int) -> dict[str, Tensor]:
        config = self.config
        draw = np.random.default_rng([config.seed, index])
        per_epoch = len(self.items) // config.batch_size
        epoch, position = divmod(index, per_epoch)
        order = np.random.default_rng([config.seed, epoch, 1]).permutation(len(self.items))
        chosen = order[position * config.batch_size : (position + 1) * config.batch_size]
        captions = [self.items[i].captions[draw.integers(len(self.items[i].captions))] for i in chosen]
        extra = draw.integers(len(self.bank), size=config.text_batch_size)

        gains = torch.from_numpy(draw.uniform(-config.gain_db, config.gain_db, len(chosen))).float()
        heard = torch.tensor([self.items[i].heard for i in chosen])
        heard[:, LEVEL] += gains
        heard = self._in_floors(heard)
        meant = torch.cat([torch.tensor([c.axes for c in captions]), self.bank_axes[torch.from_numpy(extra)]])
        meant = self._in_floors(meant)

        audio = self._embed_crops(chosen, gains, draw)
        texts = [c.text for c in captions] + [self.bank[i] for i in extra]
        text = self._embed_texts([self._filled(words, draw) for words in texts])
        visible = audible(heard)
        return {
            "contrastive": self._contrastive(audio, text, heard, meant, visible),
            "audio_axes": (F.smooth_l1_loss(self.network.axes(audio), heard, reduction="none") * visible).mean(),
            "text_axes": F.smooth_l1_loss(self.network.axes(text), meant),
        }

    def _in_floors(self, axes: Tensor) -> Tensor:
        return (axes / torch.from_numpy(FLOORS).float()).to(self.device)

    def _embed_crops(self, chosen: np.ndarray, gains: Tensor, draw: np.random.Generator) -> Tensor:
        network = self.network.config
        frames = round(self.config.crop_seconds * network.sampling_rate / network.hop_length)
        crops = []
        for i, gain in zip(chosen, gains, strict=True):
            mel = self.mels[i]
            start = int(draw.integers(max(1, mel.shape[1] - frames + 1)))
            crops.append(mel[:, start : start + frames].float() + gain * DB_TO_LOG_POWER)
        mel, mask = pad_mels(crops)
        return self.network.embed_audio(mel.to(self.device), mask.to(self.device))

    def _filled(self, text: str, draw: np.random.Generator) -> str:
        """Some captions with words in between that mean nothing, the others as they are."""
        if draw.random() >= self.config.filler_share:
            return text
        words = prompt_words(text)
        for filler in draw.choice(self.fillers, size=draw.integers(1, MAX_FILLERS + 1)):
            words.insert(int(draw.integers(len(words) + 1)), str(filler))
        return " ".join(words)

    def _embed_texts(self, texts: list[str]) -> Tensor:
        words = [" ".join(prompt_words(text)) for text in texts]
        ids, mask = tokenize(self.tokenizer, words, self.network.config.max_tokens)
        return self.network.embed_text(ids.to(self.device), mask.to(self.device))

    def _contrastive(self, audio: Tensor, text: Tensor, heard: Tensor, meant: Tensor, visible: Tensor) -> Tensor:
        """Clips choose among all captions, the captions of these clips among the clips; both against soft targets."""
        logits = self.network.logit_scale * audio @ text.T
        difference = (heard[:, None] - meant[None]).abs().clamp(max=FARTHEST)
        distance = (difference.square() * visible[:, None]).sum(dim=2)
        near = -distance / (2 * self.config.similarity_width**2)
        clips = audio.shape[0]
        identity, share = torch.eye(clips, text.shape[0], device=self.device), self.config.own_share
        to_text = share * identity + (1 - share) * near.softmax(dim=1)
        to_audio = share * identity[:, :clips] + (1 - share) * near[:, :clips].T.softmax(dim=1)
        return (F.cross_entropy(logits, to_text) + F.cross_entropy(logits[:, :clips].T, to_audio)) / 2

    @torch.no_grad()
    def evaluate(self, index: int) -> dict[str, float]:
        """On held-out augmentations: error of the axes heard, in floors, and the share of those of a preset whose name
        is the nearest of the twelve."""
        del index
        if not self.held_out:
            return {}
        mels = [mel.float().to(self.device) for mel in self.held_out_mels]
        audio = torch.cat([self.network.embed_audio(*pad_mels([mel])) for mel in mels])
        heard = self._in_floors(torch.tensor([item.heard for item in self.held_out]))
        visible = audible(heard)
        error = (self.network.axes(audio) - heard).abs() * visible
        result = {"held_out_axes": float(error.sum() / visible.sum())}
        prompts = preset_prompts()
        nearest = (audio @ self._embed_texts(prompts).T).argmax(dim=1).tolist()
        right = [prompts[n] == item.preset for n, item in zip(nearest, self.held_out, strict=True) if item.preset]
        return {**result, "held_out_preset": sum(right) / len(right)} if right else result

    def state_dict(self) -> dict[str, Any]:
        """Network, its tokenizer, and optimiser."""
        networks = {"network": self.network.state_dict(), "optimizer": self.optimizer.state_dict()}
        return {"tokenizer": self.tokenizer.to_str(), **networks}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Strict. The tokenizer is given when the task is made."""
        self.network.load_state_dict(state["network"])
        self.optimizer.load_state_dict(state["optimizer"])


def train(
    config: ClapConfig,
    augmentations: Augmentations,
    folder: Path,
    *,
    resume: bool = False,
    start_from: Path | None = None,
) -> ClapMiniEncoder:
    """Train in `folder` and return the encoder, its weights rounded as a checkpoint keeps them (`encoder.save`).

    It starts from random weights or from those of `start_from`, a checkpoint of this kind and size, and goes on with
    the tokenizer of those; resumed, from its own state. Raises CheckpointError or InputError.
    """
    torch.manual_seed(config.seed)
    folder.mkdir(parents=True, exist_ok=True)
    start = None if resume or start_from is None else ClapMiniEncoder.load(start_from)
    tokenizer = None if start is None else start.tokenizer
    if resume:
        tokenizer = read_tokenizer(loop.read_state(folder)["task"]["tokenizer"])
    task = ClapTask(config, augmentations, folder, tokenizer)
    if start is not None:
        checkpoint.strict_load(task.network, start.network.state_dict())
    loop.run(task, folder, config.steps, config.seed, resume, config, evaluate_every=config.evaluate_every)
    with torch.no_grad():
        for parameter in task.network.parameters():
            parameter.copy_(parameter.half())
    lexicon = load_lexicon()
    trained = lexicon.trained_words()
    return ClapMiniEncoder(task.network.cpu(), task.tokenizer, sorted(trained), sorted(lexicon.stop_words - trained))


def caption_bank(count: int, seed: int) -> tuple[list[str], np.ndarray]:
    """Captions of training vocabulary and what they mean: texts, axes [count, 7] in their own units."""
    generator = np.random.default_rng([seed, 2])
    prompts = preset_prompts()
    texts: list[str] = []
    axes: list[np.ndarray] = []
    for kind in generator.random(count):
        if kind < NOTHING_SHARE:
            style, text = Style(), ""
        elif kind < NOTHING_SHARE + PRESET_SHARE:
            prompt = prompts[int(generator.integers(len(prompts)))]
            style, text = Style.named(prompt), preset_caption(prompt, generator)
        else:
            style, text = sample_pair(generator)
        texts.append(text)
        axes.append(style.as_array())
    return texts, np.stack(axes)


def audible(heard: Tensor) -> Tensor:
    """How far each axis can be heard at all, 0 to 1, [B, 7]: a whisper has no pitch. heard: [B, 7] in floors."""
    visible = torch.ones_like(heard)
    voiced = 1 - (heard[:, BREATH] * float(FLOORS[BREATH])).clamp(0, 1).square()
    visible[:, VOICED_AXES] = voiced[:, None]
    return visible


def features(
    augmentations: Augmentations, items: list[Augmentation], config: ClapMiniConfig, folder: Path
) -> list[Tensor]:
    """Log-mel frames of every item, float16 [bands, F]; computed once and kept in `folder`."""
    import safetensors.torch

    described = repr((config.sampling_rate, config.fft_size, config.hop_length, config.mel_bands, items))
    cache = folder / f"features-{hashlib.sha256(described.encode()).hexdigest()[:16]}.safetensors"
    if not cache.is_file():
        mels = {
            str(n): log_mel(torch.from_numpy(samples), augmentations.sampling_rate, config).half().contiguous()
            for n, samples in enumerate(augmentations.audio(items))
        }
        with whole(cache) as partial:
            safetensors.torch.save_file(mels, partial)
    stored = safetensors.torch.load_file(cache)
    return [stored[str(n)] for n in range(len(items))]


def _schedule(index: int, config: ClapConfig) -> float:
    """Learning rate relative to its peak: linear warm-up, then a half cosine."""
    warm = min(1.0, (index + 1) / max(1, config.warmup_steps))
    return warm * 0.5 * (1 + math.cos(math.pi * min(1.0, index / max(1, config.steps))))
