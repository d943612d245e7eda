"""clap-mini: the small CLAP that is shipped. A log-mel audio tower, a text tower with its own BPE, one shared space.

Contrastive language-audio pretraining after Elizalde et al. 2023 (CLAP, arXiv 2206.04769). Beside it a head that reads
the style axes from an embedding of either kind, which keeps sizes ("slightly", "very") in the embedding.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from latent_edit import checkpoint
from latent_edit.axes import AxisValue
from latent_edit.config import StrictModel
from latent_edit.errors import CheckpointError, InputError
from latent_edit.files import write_text
from latent_edit.prompts.words import prompt_words, split_known
from latent_edit.types import Waveform

if TYPE_CHECKING:
    from tokenizers import Tokenizer

TYPE = "clap-mini"
TOKENIZER_NAME, WORDS_NAME = "tokenizer.json", "words.tsv"
PADDING, UNKNOWN, START = SPECIAL_TOKENS = ("[PAD]", "[UNK]", "[CLS]")
MAX_SECONDS = 10.0  # longer clips are cut to their middle
MAX_LOGIT_SCALE = 100.0
# Constants, not statistics of the clip: a loud voice has to look loud. Natural logarithm of the mel power.
LOG_FLOOR, LOG_CENTRE, LOG_SPREAD = 1e-5, -1.0, 4.0


class ClapMiniConfig(StrictModel):
    """Sizes of the network. axis_scales: the floor of each style axis, the unit of the axis head."""

    axes: tuple[str, ...]
    axis_scales: tuple[float, ...]
    dimension: int = 128
    sampling_rate: int = 16_000
    fft_size: int = 1024  # 64 ms: resolves the harmonics of a deep voice
    hop_length: int = 320  # 20 ms: resolves a tremor of 8 Hz
    mel_bands: int = 64
    audio_width: int = 192
    audio_blocks: int = 5
    text_width: int = 160
    text_layers: int = 2
    text_heads: int = 4
    vocabulary: int = 2000
    max_tokens: int = 64


class MaskedConvNeXtBlock(nn.Module):
    """Depthwise convolution over time, then a pointwise MLP, residual (Liu et al. 2022, arXiv 2201.03545)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.depthwise = nn.Conv1d(width, width, 7, padding=3, groups=width)
        self.norm = nn.LayerNorm(width)
        self.mlp = nn.Sequential(nn.Linear(width, 3 * width), nn.GELU(), nn.Linear(3 * width, width))

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """x: [B, W, T]; mask: [B, 1, T] -> [B, W, T], zero outside the mask."""
        update = self.mlp(self.norm(self.depthwise(x).transpose(1, 2))).transpose(1, 2)
        return (x + update) * mask


class AudioTower(nn.Module):
    """Log-mel frames to one vector: convolutions, then attentive mean and deviation (Okabe et al. 2018, 1803.10963)."""

    def __init__(self, config: ClapMiniConfig) -> None:
        super().__init__()
        width = config.audio_width
        self.stem = nn.Conv1d(config.mel_bands, width, 5, stride=2, padding=2)
        self.blocks = nn.ModuleList(MaskedConvNeXtBlock(width) for _ in range(config.audio_blocks))
        self.attention = nn.Sequential(nn.Conv1d(width, width // 2, 1), nn.Tanh(), nn.Conv1d(width // 2, width, 1))
        self.project = nn.Sequential(nn.LayerNorm(2 * width), nn.Linear(2 * width, config.dimension))

    def forward(self, mel: Tensor, mask: Tensor) -> Tensor:
        """mel: [B, bands, F] from `log_mel`, mask: [B, 1, F] -> [B, D]. Padding does not change the result."""
        x = self.stem((mel - LOG_CENTRE) / LOG_SPREAD * mask)
        mask = mask[:, :, ::2]
        x = x * mask
        for block in self.blocks:
            x = block(x, mask)
        weights = self.attention(x).masked_fill(mask == 0, -math.inf).softmax(dim=2)
        mean = (weights * x).sum(dim=2)
        variance = (weights * (x - mean.unsqueeze(2)).square()).sum(dim=2)
        return self.project(torch.cat([mean, (variance + 1e-6).sqrt()], dim=1))


class TextTower(nn.Module):
    """Token ids to one vector: a small transformer, read at the start token."""

    def __init__(self, config: ClapMiniConfig) -> None:
        super().__init__()
        width = config.text_width
        self.tokens = nn.Embedding(config.vocabulary, width)
        self.positions = nn.Parameter(0.02 * torch.randn(config.max_tokens, width))
        layer = nn.TransformerEncoderLayer(
            width, config.text_heads, 3 * width, dropout=0.0, activation="gelu", batch_first=True, norm_first=True
        )
        self.layers = nn.TransformerEncoder(layer, config.text_layers, enable_nested_tensor=False)
        self.project = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, config.dimension))
        nn.init.normal_(self.tokens.weight, std=0.05)

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        """ids: [B, L] int64, mask: [B, L] bool -> [B, D]."""
        x = self.tokens(ids) + self.positions[: ids.shape[1]]
        return self.project(self.layers(x, src_key_padding_mask=~mask)[:, 0])


class ClapMini(nn.Module):
    """Both towers, the temperature, and the axis head."""

    def __init__(self, config: ClapMiniConfig) -> None:
        super().__init__()
        self.config = config
        self.audio = AudioTower(config)
        self.text = TextTower(config)
        hidden = 2 * config.dimension
        self.axis_head = nn.Sequential(
            nn.Linear(config.dimension, hidden), nn.GELU(), nn.Linear(hidden, len(config.axes))
        )
        self.log_scale = nn.Parameter(torch.tensor(math.log(1 / 0.07)))

    @property
    def logit_scale(self) -> Tensor:
        """Inverse temperature, scalar."""
        return self.log_scale.exp().clamp(max=MAX_LOGIT_SCALE)

    def embed_audio(self, mel: Tensor, mask: Tensor) -> Tensor:
        """[B, bands, F], [B, 1, F] -> [B, D], unit norm."""
        return nn.functional.normalize(self.audio(mel, mask), dim=1)

    def embed_text(self, ids: Tensor, mask: Tensor) -> Tensor:
        """[B, L], [B, L] -> [B, D], unit norm."""
        return nn.functional.normalize(self.text(ids, mask), dim=1)

    def axes(self, embedding: Tensor) -> Tensor:
        """Style axes in steps of `axis_scales`: [B, D] -> [B, A]."""
        # The components of a unit vector are small; brought to unit size they suit the head's initialisation.
        return self.axis_head(embedding * self.config.dimension**0.5)


class ClapMiniEncoder:
    """`StyleEncoder` and `prompts.reader.Vocabulary` over a trained `ClapMini`, frozen.

    trained_words: all that its captions contained; stop_words: further words without a meaning for the voice. words:
    English words, each with the expression of the captions that it is taken as, or "" (`data.neighbours`).
    """

    name = TYPE

    def __init__(
        self,
        network: ClapMini,
        tokenizer: Tokenizer,
        trained_words: Sequence[str],
        stop_words: Sequence[str],
        words: Mapping[str, str] | None = None,
    ) -> None:
        self.network = network.eval().requires_grad_(False)
        self.tokenizer = tokenizer
        self.trained_words = frozenset(trained_words)
        self.stop_words = frozenset(stop_words)
        self.words = dict(words or {})
        self.hash = checkpoint.content_hash(network.state_dict())  # of the space, to which bridges belong
        self.words_hash = hashlib.sha256(_written(self.words).encode()).hexdigest()

    @property
    def dimension(self) -> int:
        """D of the embeddings."""
        return self.network.config.dimension

    @property
    def sampling_rate(self) -> int:
        """Hz that the audio tower listens at."""
        return self.network.config.sampling_rate

    @property
    def _device(self) -> torch.device:
        return self.network.log_scale.device

    @torch.no_grad()
    def embed_text(self, prompts: list[str]) -> Tensor:
        """Style of each prompt, [B, D], unit norm. Words without a meaning are left out: see `unknown_words`."""
        understood = [" ".join(word for w in prompt_words(p) for word in self._understood(w)) for p in prompts]
        ids, mask = tokenize(self.tokenizer, understood, self.network.config.max_tokens)
        return self.network.embed_text(ids.to(self._device), mask.to(self._device)).cpu()

    @torch.no_grad()
    def embed_audio(self, waveform: Waveform) -> Tensor:
        """Style of each clip, [B, D], unit norm; levels count. Clips over 10 s are cut to their middle."""
        mels = [log_mel(x, waveform.sampling_rate, self.network.config) for x in _items(waveform)]
        mel, mask = pad_mels([mel.to(self._device) for mel in mels])
        return self.network.embed_audio(mel, mask).cpu()

    @torch.no_grad()
    def axes(self, embedding: Tensor) -> dict[str, AxisValue]:
        """What one style [1, D] asks of each axis."""
        config = self.network.config
        steps = self.network.axes(embedding.to(self._device))[0].tolist()
        read = zip(config.axes, steps, config.axis_scales, strict=True)
        return {name: AxisValue(count * step, step) for name, count, step in read}

    def unknown_words(self, prompt: str) -> list[str]:
        """Words of the prompt that no training caption contained, inflections aside, and that are near to none."""
        unknown = split_known(prompt, self.trained_words | self.stop_words)[1]
        return [word for word in unknown if self.nearest(word) is None]

    def knows(self, word: str) -> bool:
        """Whether it is an English word."""
        return word in self.words or word in self.trained_words

    def nearest(self, word: str) -> str | None:
        """The expression of the training captions that is nearest in meaning to a word; None where none is near."""
        return self.words.get(word) or None

    def _understood(self, word: str) -> list[str]:
        """A word of a prompt in words of the training captions."""
        known, _ = split_known(word, self.trained_words | self.stop_words)
        meant = known or prompt_words(self.nearest(word) or "")
        return [w for w in meant if w in self.trained_words]

    def save(self, folder: Path) -> None:
        """Write the checkpoint: config.json (with the known words), model.safetensors, tokenizer.json, words.tsv."""
        config: dict[str, Any] = {
            "type": TYPE,
            "network": self.network.config.model_dump(mode="json"),
            "trained_words": sorted(self.trained_words),
            "stop_words": sorted(self.stop_words),
        }
        checkpoint.save(folder, config, self.network.state_dict())
        write_text(folder / TOKENIZER_NAME, self.tokenizer.to_str(pretty=False) + "\n")
        if self.words:
            write_text(folder / WORDS_NAME, _written(self.words))

    @staticmethod
    def load(folder: Path) -> ClapMiniEncoder:
        """Read a checkpoint folder. Raises CheckpointError."""
        config = checkpoint.load_config(folder)
        try:
            network = ClapMini(ClapMiniConfig.model_validate(config["network"]))
            tokenizer = read_tokenizer((folder / TOKENIZER_NAME).read_text(encoding="utf-8"))
            words, stop_words = config["trained_words"], config["stop_words"]
        except Exception as error:  # tokenizers raises bare Exceptions
            raise CheckpointError(f"{folder} is not a usable {TYPE} checkpoint ({error}); get it again") from error
        if tokenizer.get_vocab_size() != network.config.vocabulary:
            raise CheckpointError(f"{folder / TOKENIZER_NAME} does not belong to these weights; get the folder again")
        checkpoint.strict_load(network, checkpoint.load_tensors(folder))
        return ClapMiniEncoder(network, tokenizer, words, stop_words, read_words(folder))


def read_words(folder: Path) -> dict[str, str]:
    """English words and what they are taken as, of a checkpoint folder; none where it has no list."""
    path = folder / WORDS_NAME
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    return {word: meant for word, _, meant in (line.partition("\t") for line in lines)}


def _written(words: Mapping[str, str]) -> str:
    return "".join(f"{word}\t{meant}\n" if meant else f"{word}\n" for word, meant in words.items())


def _items(waveform: Waveform) -> list[Tensor]:
    items = [waveform.item(i) for i in range(waveform.samples.shape[0])]
    if any(item.numel() == 0 for item in items):
        raise InputError("a clip without samples has no style; give a recording of speech")
    return items


@lru_cache(maxsize=4)
def _mel_transform(sampling_rate: int, fft_size: int, hop_length: int, mel_bands: int) -> Any:
    from torchaudio.transforms import MelSpectrogram

    return MelSpectrogram(
        sampling_rate, fft_size, hop_length=hop_length, n_mels=mel_bands, f_min=30.0, pad_mode="constant"
    )


@torch.no_grad()
def log_mel(samples: Tensor, sampling_rate: int, config: ClapMiniConfig) -> Tensor:
    """Log-mel frames of one clip [N], level preserved: [bands, F]. Resampled if need be, its middle 10 s if longer."""
    if sampling_rate != config.sampling_rate:
        from torchaudio.functional import resample

        samples = resample(samples, sampling_rate, config.sampling_rate)
    excess = max(0, samples.shape[0] - int(MAX_SECONDS * config.sampling_rate))
    samples = samples[excess // 2 : samples.shape[0] - (excess - excess // 2)].float().cpu()
    transform = _mel_transform(config.sampling_rate, config.fft_size, config.hop_length, config.mel_bands)
    return (transform(samples) + LOG_FLOOR).log()


def pad_mels(mels: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
    """Clips [bands, F_i] as one batch: mel [B, bands, F], mask [B, 1, F]."""
    longest = max(mel.shape[1] for mel in mels)
    mel = torch.stack([nn.functional.pad(m, (0, longest - m.shape[1])) for m in mels])
    lengths = torch.tensor([m.shape[1] for m in mels], device=mel.device)
    mask = (torch.arange(longest, device=mel.device) < lengths[:, None]).to(mel.dtype)
    return mel, mask.unsqueeze(1)


def tokenize(tokenizer: Tokenizer, texts: Sequence[str], max_tokens: int) -> tuple[Tensor, Tensor]:
    """Token ids after a start token and their mask, both [B, L]; texts over `max_tokens` lose their end."""
    start, padding = tokenizer.token_to_id(START), tokenizer.token_to_id(PADDING)
    sequences = [[start, *encoding.ids][:max_tokens] for encoding in tokenizer.encode_batch(list(texts))]
    longest = max(map(len, sequences))
    ids = torch.tensor([sequence + [padding] * (longest - len(sequence)) for sequence in sequences])
    mask = torch.tensor([[1] * len(sequence) + [0] * (longest - len(sequence)) for sequence in sequences]).bool()
    return ids, mask


def read_tokenizer(text: str) -> Tokenizer:
    """A tokenizer as `Tokenizer.to_str` wrote it."""
    from tokenizers import Tokenizer

    return Tokenizer.from_str(text)


def train_tokenizer(texts: Sequence[str], vocabulary: int) -> Tokenizer:
    """A byte-pair encoding learnt from texts of plain words (see `prompt_words`)."""
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE(unk_token=UNKNOWN))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    trainer = trainers.BpeTrainer(vocab_size=vocabulary, special_tokens=list(SPECIAL_TOKENS), show_progress=False)
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer
