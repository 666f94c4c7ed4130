from __future__ import annotations

from pathlib import Path

from labeling_core.modalities.renditions import remembered, rendition_place


def test_what_was_made_once_is_not_made_again_until_the_file_changes(tmp_path: Path) -> None:
    path, made = tmp_path / "x.png", []

    def make() -> bytes:
        made.append(1)
        return path.read_bytes() * 2

    path.write_bytes(b"a")
    for _ in range(3):
        assert remembered(rendition_place(tmp_path / "cache", path, "twice"), make) == b"aa"
    assert len(made) == 1
    path.write_bytes(b"bb")
    assert remembered(rendition_place(tmp_path / "cache", path, "twice"), make) == b"bbbb"
    remembered(rendition_place(tmp_path / "cache", path, "otherwise"), make)
    assert len(made) == 3
    assert not [p for p in (tmp_path / "cache").rglob(".*") if p.is_file()]
