"""A second place for answers where disks do not last: an append-only file that is uploaded to a private data set."""

from __future__ import annotations

import json
import os
import threading
import uuid
from collections.abc import Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Any

FOLDER = "backup"
MINUTES = 2.0


class Backup:
    """One JSON line for each answer, in a file of its own for this process, so that two never write the same file.

    dataset: `owner/name` on the Hugging Face Hub, private, made where it is missing; the token is the Hub's own affair
    (HF_TOKEN). None: the file alone.
    """

    def __init__(self, folder: Path, dataset: str | None) -> None:
        (folder / FOLDER).mkdir(parents=True, exist_ok=True)
        self.path = folder / FOLDER / f"{uuid.uuid4().hex}.jsonl"
        self._lock = threading.Lock()
        self._scheduler: Any = None
        if dataset:
            from huggingface_hub import CommitScheduler

            self._scheduler = CommitScheduler(
                repo_id=dataset, repo_type="dataset", private=True, folder_path=folder / FOLDER, every=MINUTES
            )

    def append(self, row: Mapping[str, Any]) -> None:
        """Add an answer and sync it; never while an upload reads the file."""
        line = json.dumps(row, ensure_ascii=False) + "\n"
        with self._lock, self._scheduler.lock if self._scheduler else nullcontext(), self.path.open("a") as file:
            file.write(line)
            file.flush()
            os.fsync(file.fileno())
