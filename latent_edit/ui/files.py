"""How a file goes to the browser."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from gradio.data_classes import FileData


def served_file(path: Path) -> dict[str, Any]:
    """What gradio recognises as a file inside a value: it copies it into its cache and adds the address as `url`."""
    return FileData(path=str(path), orig_name=path.name).model_dump()
