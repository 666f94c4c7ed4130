from __future__ import annotations

from pathlib import Path

import pytest
from broken_media import broken_images, broken_sounds, refusal, write_all

from labeling_core.modalities import images, sounds
from labeling_core.projects import set_aside


def test_reasons_are_counted_without_the_names_in_them() -> None:
    found = [
        ("a/x.png", "x.png is empty."),
        ("b.png", "b.png is damaged."),
        ("y.png", "y.png is empty."),
        ("gone.png", "The file 'gone.png' is no longer in the folder of this project."),
    ]
    kinds = set_aside.kinds(found)
    assert [(each.reason, each.sample_ids) for each in kinds] == [
        ("Is empty.", ["a/x.png", "y.png"]),
        ("Is damaged.", ["b.png"]),
        ("The file is no longer in the folder of this project.", ["gone.png"]),
    ]
    assert kinds[0].help == "Copy or download it again: nothing is in it."


def test_a_missing_decoder_is_named_with_its_command() -> None:
    reason = "x.heic can be read once a decoder is there: pip install pillow-heif"
    assert set_aside.helping(reason).startswith("Run `pip install pillow-heif` where")


@pytest.mark.parametrize("kind", ["images", "sounds"])
def test_all_that_can_be_wrong_with_a_file_has_something_that_would_help(
    tmp_path: Path, kind: str
) -> None:
    broken = broken_images() if kind == "images" else broken_sounds()
    read = images.features if kind == "images" else sounds.features
    write_all(tmp_path, broken)
    found = [(name, str(refusal(read, tmp_path / name))) for name in broken]
    for each in set_aside.kinds(found):
        assert each.help.endswith(".") and not any(name in each.reason for name in broken)
