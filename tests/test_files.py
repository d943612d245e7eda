"""Files are there completely or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from latent_edit.files import whole, write_text


def test_a_file_takes_its_place_when_all_of_it_is_written(tmp_path: Path) -> None:
    path = tmp_path / "new" / "words.txt"
    write_text(path, "one\n")
    with whole(path) as partial:
        partial.write_text("two\n")
        assert path.read_text() == "one\n"
    assert path.read_text() == "two\n"
    assert list(path.parent.iterdir()) == [path]


def test_what_was_there_outlives_a_failed_write(tmp_path: Path) -> None:
    path = tmp_path / "words.txt"
    write_text(path, "one\n")
    with pytest.raises(OSError, match="disk"), whole(path) as partial:
        partial.write_text("tw")
        raise OSError("the disk is full")
    assert path.read_text() == "one\n"
    assert list(tmp_path.iterdir()) == [path]
