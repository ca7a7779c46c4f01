"""Pack of a training: one file with header, chips and initial weights, to move the training to another machine.

Packing keeps every pixel. The chips of a scene are packed in the smallest of three forms that restores their pixels:
the specification of a simulated scene, the file that they were cut from, or the chips themselves. Weights that a fresh
network draws from the seed of the training are left out and drawn again.
"""

from __future__ import annotations

import json
import logging
import zipfile
from collections import Counter
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import TypeAdapter
from safetensors.torch import load, save
from torch import Tensor

from refinedet.config import Radiometry
from refinedet.data.coco import ImageRecord, read_record, to_coco
from refinedet.data.shards import read_chip
from refinedet.data.simulation.spec import SceneSpec
from refinedet.errors import FileError, InputError, RefineDetError
from refinedet.files import atomic_folder, atomic_path, is_safe_path, json_text, parse_json, write_text
from refinedet.model.checkpoint import Header
from refinedet.model.network import RefineDet
from refinedet.system.concurrency import usable_cores
from refinedet.training.packed_chips import (
    eight_bit_picture,
    equal,
    picture,
    plain,
    png_file,
    sha256_of_chips,
    smaller_jpeg,
    smallest_file,
)
from refinedet.training.packed_weights import drawn_weights, joined, planes, sha256_of_weights, weights_to_pack
from refinedet.training.recipe import Training

logger = logging.getLogger(__name__)

LARGEST_BYTES = 50 << 20
"""Largest pack, unless another size is asked for."""

_MIB = 1 << 20
_FORMAT = 1
_INDEX, _WEIGHTS, _UNPACKED = "training.json", "weights", "training.json"
_SIMULATED, _SOURCE, _CHIPS = "simulated", "source", "chips"
_SPLITS = ("train", "val")
_DAMAGED = (zipfile.BadZipFile, KeyError, EOFError, ValueError, OSError)


@dataclass(frozen=True, slots=True)
class Contents:
    """Options that make a pack small, and further contents."""

    code_sha256: str
    """Hash of the code that packs; the training machine must have the same code."""
    sources: Path | None = None
    """Folder of the scenes that the chips were cut from; None: no chip is packed as its scene's file."""
    simulated: Mapping[str, SceneSpec] = field(default_factory=dict)
    """Scenes that the simulator makes, by name."""
    all_weights: bool = False
    """True: all initial weights are packed, also those that the seed draws again."""
    largest_bytes: int = LARGEST_BYTES


class Unpacked(NamedTuple):
    """Training that was read from a pack."""

    training: Training
    weights: dict[str, Tensor]
    """Weights that it starts from, float32 and others, for `load_state_dict`."""
    code_sha256: str
    """Hash of the code that packed it."""


def write_pack(path: Path, training: Training, model: RefineDet, contents: Contents) -> None:
    """Write a training that starts from `model` to the file `path`.

    Raises:
        FileError: a chip is missing or damaged.
        InputError: the file would be larger than allowed; the message says what takes the space.
    """
    sizes: Counter[str] = Counter()
    with atomic_path(path) as temporary:
        with zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED) as packed:
            scenes = {
                scene: _pack_scene(packed, scene, images, training, contents)
                for scene, images in _by_scene(training).items()
            }
            weights = weights_to_pack(training, model, all_weights=contents.all_weights)
            packed.writestr(_WEIGHTS, planes(save(weights)), zipfile.ZIP_LZMA)
            for split, record in zip(_SPLITS, (training.train, training.val), strict=True):
                packed.writestr(f"{split}.json", json.dumps(to_coco(record)))
            index = {
                "format": _FORMAT,
                "header": training.header.to_dict(),
                "val_origins": training.val_origins,
                "code_sha256": contents.code_sha256,
                "scenes": scenes,
                "weights_sha256": sha256_of_weights(model.state_dict()),
            }
            packed.writestr(_INDEX, json_text(index))
            for entry in packed.infolist():
                sizes[_kind(entry.filename)] += entry.compress_size
        told = ", ".join(f"{kind} {size / _MIB:.1f}" for kind, size in sizes.most_common())
        whole = temporary.stat().st_size
        if whole > contents.largest_bytes:
            raise InputError(
                f"expected a training of at most {contents.largest_bytes / _MIB:g} MiB to pack, found "
                f"{whole / _MIB:.1f} MiB ({told}); lower `convert.train_images` or "
                "`tile.keep_empty`, let chips be cut from scenes that are at hand, or allow a larger file"
            )
        logger.info("%s: %.1f MiB (%s); %s", path, whole / _MIB, told, _ways(scenes))


def read_pack(path: Path, folder: Path) -> Unpacked:
    """Unpack the chips of a training into `folder`, unless they are there already from the same pack.

    Raises:
        FileError: the file is missing or damaged.
        InputError: the file is something else, or this machine makes other pixels or weights than the packing one.
    """
    try:
        with zipfile.ZipFile(path) as packed:
            text = packed.read(_INDEX)
            index = _index(text, path)
            done = folder / _UNPACKED
            if not done.is_file() or done.read_bytes() != text:
                with atomic_folder(folder) as staged:
                    _unpack(packed, index, staged)
                    write_text(staged / _UNPACKED, text.decode())
            given = load(joined(packed.read(_WEIGHTS)))
    except RefineDetError:
        raise
    except FileNotFoundError as error:
        raise FileError(f"expected a packed training at {path}, found none") from error
    except _DAMAGED as error:
        raise FileError(f"expected a whole packed training at {path}, found something else ({error})") from error
    header = Header.from_dict(index["header"], str(path))
    train, val = (read_record(folder / f"{split}.json") for split in _SPLITS)
    training = Training(train, val, folder, header, index["val_origins"])
    weights = {**drawn_weights(training), **given}
    if sha256_of_weights(weights) != index["weights_sha256"]:
        raise InputError(
            f"expected the initial weights of {path}, found that this machine draws others from the seed "
            f"(torch {torch.__version__}); pack all weights"
        )
    return Unpacked(training, weights, index["code_sha256"])


def _by_scene(training: Training) -> dict[str, list[ImageRecord]]:
    """Name of a scene -> its chips; a chip of unknown origin is a scene of its own."""
    scenes: dict[str, list[ImageRecord]] = {}
    for image in (*training.train.images, *training.val.images):
        scenes.setdefault(image.extra.get("scene", image.file_name), []).append(image)
    return scenes


def _pack_scene(
    packed: zipfile.ZipFile, scene: str, images: list[ImageRecord], training: Training, contents: Contents
) -> dict[str, Any]:
    """Pack the chips of a scene; returns its entry of the index."""
    chips = [read_chip(training.chips / image.file_name) for image in images]
    spec, source = contents.simulated.get(scene), None if contents.sources is None else contents.sources / scene
    told: dict[str, Any] = {"sha256": sha256_of_chips(chips)}
    if spec is not None and equal(chips, _cut(_simulated(spec, training.header.radiometry), images)):
        return {**told, "way": _SIMULATED, "spec": asdict(spec)}
    if source is not None and source.is_file() and source.stat().st_size < _bytes_of(training.chips, images):
        whole = eight_bit_picture(source)
        if whole is not None and equal(chips, _cut(whole, images)):
            packed.writestr(f"{_SOURCE}/{scene}", smaller_jpeg(source.read_bytes()))
            return {**told, "way": _SOURCE}
    for image, chip in zip(images, chips, strict=True):
        packed.writestr(f"{_CHIPS}/{image.file_name}", smallest_file(chip), zipfile.ZIP_STORED)
    return {**told, "way": _CHIPS}


def _unpack(packed: zipfile.ZipFile, index: Mapping[str, Any], folder: Path) -> None:
    """Write records and chips below `folder`, the scenes in parallel."""
    scenes: dict[str, list[ImageRecord]] = {}
    for split in _SPLITS:
        write_text(folder / f"{split}.json", packed.read(f"{split}.json").decode())
        for image in read_record(folder / f"{split}.json").images:
            scenes.setdefault(image.extra.get("scene", image.file_name), []).append(image)
    radiometry = Radiometry.from_dict(index["header"]["radiometry"])

    def restore(scene: str) -> None:
        images, told = scenes[scene], index["scenes"][scene]
        if told["way"] == _SIMULATED:
            chips = _cut(_simulated(_spec(told["spec"]), radiometry), images)
        elif told["way"] == _SOURCE:
            chips = _cut(picture(packed.read(f"{_SOURCE}/{scene}")), images)
        else:
            chips = [plain(picture(packed.read(f"{_CHIPS}/{image.file_name}"))) for image in images]
        if sha256_of_chips(chips) != told["sha256"]:
            raise InputError(
                f"expected the pixels of scene '{scene}' as they were packed, found that this machine makes others "
                f"(packed as: {told['way']}); pack the chips as they are"
            )
        for image, chip in zip(images, chips, strict=True):
            place = folder / image.file_name
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(png_file(chip))

    with ThreadPoolExecutor(usable_cores()) as threads:
        for _ in threads.map(restore, scenes):
            pass


def _simulated(spec: SceneSpec, radiometry: Radiometry) -> NDArray[np.uint8]:
    """Pixels of a simulated scene in 8 bits, as stage tile stretches them."""
    from refinedet.data.simulation.scene import simulate
    from refinedet.stretch.stretching import stretch_whole

    return stretch_whole(simulate(spec).pixels, 0, radiometry)


def _spec(values: Mapping[str, Any]) -> SceneSpec:
    return TypeAdapter(SceneSpec).validate_python(dict(values))


def _cut(pixels: NDArray[np.uint8], images: Iterable[ImageRecord]) -> list[NDArray[np.uint8]]:
    """Chips of a scene at the windows of its images."""
    chips = []
    for image in images:
        x, y, width, height = image.extra.get("window", (0, 0, image.width, image.height))
        chips.append(plain(pixels[y : y + height, x : x + width]))
    return chips


def _bytes_of(folder: Path, images: Iterable[ImageRecord]) -> int:
    """Size of the files of chips; those in a shard count by their pixels."""
    places = [(folder / image.file_name, image) for image in images]
    return sum(place.stat().st_size if place.is_file() else i.width * i.height for place, i in places)


def _index(text: bytes, path: Path) -> dict[str, Any]:
    content = parse_json(text, str(path))
    known = content.get("format") if isinstance(content, dict) else None
    if known != _FORMAT:
        raise InputError(f"expected a packed training of format {_FORMAT} at {path}, found {known}; pack it again")
    names = [name for name in content["scenes"] if not is_safe_path(name)]
    if names:
        raise InputError(f"expected relative names of scenes in {path}, found {names[0]!r}")
    return dict(content)


def _kind(name: str) -> str:
    kind = name.partition("/")[0]
    return {_SOURCE: "files of scenes", _CHIPS: "chips", _WEIGHTS: "weights"}.get(kind, "records")


def _ways(scenes: Mapping[str, Mapping[str, Any]]) -> str:
    counts = Counter(told["way"] for told in scenes.values())
    words = {_SIMULATED: "simulated again", _SOURCE: "as their files", _CHIPS: "as chips"}
    return ", ".join(f"{counts[way]} scenes {words[way]}" for way in words if counts[way])
