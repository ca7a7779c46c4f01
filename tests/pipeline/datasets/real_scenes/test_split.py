"""The split by name: what may be trained on, what validates and what decides."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.datasets.real_scenes import split


def test_split_is_by_name() -> None:
    assert split.part_of("slicks", "img_0005") == "train"
    assert split.part_of("slicks", "img_0003") == "decide"
    assert split.part_of("port_la", "port_la") == "decide"
    with pytest.raises(KeyError):
        split.part_of("unknown", "a")
    assert split.split_table().count("\n") == len(split.TRAIN) + 1


def test_names_of_the_split_exist(sample_data: Path) -> None:
    real = sample_data / "real"
    if not real.is_dir():
        pytest.skip(f"no real samples in {real}")
    for sample, names in split.TRAIN.items():
        there = {path.name for path in (real / sample).rglob("*")}
        for name in names - {"left", sample}:
            assert any(one.startswith(name) for one in there), (sample, name)


def test_what_validates_is_part_of_what_may_be_trained_on() -> None:
    for sample, names in split.VALIDATE.items():
        assert names < split.TRAIN[sample]
        assert {split.use_of(sample, name) for name in names} == {"val"}
    assert split.use_of("slicks", "img_0005") == "train"
    assert split.use_of("slicks", "img_0003") == "decide"
