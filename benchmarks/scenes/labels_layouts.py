"""Layouts of labels as annotation tools write them, each of the same chips and boxes."""

from __future__ import annotations

import copy
import csv
import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from pycocotools import mask as masks

from refinedet.data.simulation.scene import simulate
from refinedet.data.simulation.spec import SceneSpec

CHIP_PX, _CHIPS, _SHIPS, _SEED, _WHITE = 256, 6, 40, 771, 450


@dataclass(frozen=True, slots=True)
class Chips:
    """Chips of one simulated scene, with whole ships in each."""

    folder: Path
    """Folder of the PNG files."""
    boxes: dict[str, list[list[float]]]
    """File name -> [x, y, width, height] of its ships, in pixels."""

    def coco(self) -> dict[str, Any]:
        """COCO document as it should be."""
        document: dict[str, Any] = {"images": [], "annotations": [], "categories": [{"id": 1, "name": "ship"}]}
        for number, (name, boxes) in enumerate(self.boxes.items(), start=1):
            document["images"].append({"id": number, "file_name": name, "width": CHIP_PX, "height": CHIP_PX})
            for box in boxes:
                one = {"id": len(document["annotations"]) + 1, "image_id": number, "category_id": 1, "iscrowd": 0}
                document["annotations"].append({**one, "bbox": list(box), "area": box[2] * box[3]})
        return document


Layout = Callable[[Chips, Path], Path]
"""Function that writes a layout into an empty folder and returns the file or folder to name."""


def make_chips(folder: Path, count: int | None = None) -> Chips:
    """Cut the chips with ships of one scene, or the first `count` of them, into the folder."""
    side = CHIP_PX * _CHIPS
    scene = simulate(SceneSpec(width_px=side, height_px=side, ships=_SHIPS, seed=_SEED))
    grey = np.clip(scene.pixels.astype(float) / _WHITE * 255, 0, 255).astype(np.uint8)
    folder.mkdir(parents=True)
    boxes: dict[str, list[list[float]]] = {}
    for y, x in ((CHIP_PX * row, CHIP_PX * column) for row in range(_CHIPS) for column in range(_CHIPS)):
        found = [
            [round(float(v), 2) for v in (x1 - x, y1 - y, x2 - x1, y2 - y1)]
            for x1, y1, x2, y2 in scene.boxes_xyxy
            if x1 >= x and y1 >= y and x2 <= x + CHIP_PX and y2 <= y + CHIP_PX
        ]
        if found and (count is None or len(boxes) < count):
            name = f"c{len(boxes) + 1:02d}.png"
            Image.fromarray(grey[y : y + CHIP_PX, x : x + CHIP_PX]).save(folder / name)
            boxes[name] = found
    return Chips(folder, boxes)


def _write(document: Any, path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


def _ring(box: list[float]) -> list[float]:
    x, y, w, h = box
    return [x, y, x + w, y, x + w, y + h, x, y + h]


def _coco(change: Callable[[dict[str, Any]], None], images: str = ".", name: str = "ann.json") -> Layout:
    """Layout that is a COCO file with one change; `images` is the folder of the chips."""

    def write(chips: Chips, folder: Path) -> Path:
        document = copy.deepcopy(chips.coco())
        change(document)
        shutil.copytree(chips.folder, folder / images, dirs_exist_ok=True)
        return _write(document, folder / name)

    return write


def _root_category(document: dict[str, Any]) -> None:
    document["categories"].insert(0, {"id": 0, "name": "my-ships", "supercategory": "none"})


def _spellings(document: dict[str, Any]) -> None:
    document["categories"] = [{"id": i, "name": name} for i, name in enumerate(("ship", "Ship", "ship ", "ships"), 1)]
    for row in document["annotations"]:
        row["category_id"] = 1 + row["id"] % 4


def _another_name(document: dict[str, Any]) -> None:
    document["categories"][0]["name"] = "vessel"


def _polygons(every: int) -> Callable[[dict[str, Any]], None]:
    def change(document: dict[str, Any]) -> None:
        for row in document["annotations"][::every]:
            row["segmentation"] = [_ring(row.pop("bbox"))]

    return change


def _masks(document: dict[str, Any]) -> None:
    """Run lengths of whole pixels, compressed in every other object."""
    for row in document["annotations"]:
        box = row.pop("bbox")
        x, y, right, bottom = (round(v) for v in (box[0], box[1], box[0] + box[2], box[1] + box[3]))
        pixels = np.zeros((CHIP_PX, CHIP_PX), np.uint8, order="F")
        pixels[y:bottom, x:right] = 1
        row["segmentation"] = {**masks.encode(pixels)}
        row["segmentation"]["counts"] = row["segmentation"]["counts"].decode()
        if row["id"] % 2:
            flat = pixels.ravel(order="F")
            edges = np.flatnonzero(np.diff(np.concatenate([[0], flat, [1 - flat[-1]]])))
            row["segmentation"]["counts"] = np.diff(np.concatenate([[0], edges])).tolist()


def _turned(document: dict[str, Any]) -> None:
    """Boxes lie on their sides, and are turned back by their attribute."""
    for row in document["annotations"]:
        row["bbox"], row["attributes"] = _on_its_side(row["bbox"]), {"rotation": 90.0}


def _five_numbers(document: dict[str, Any]) -> None:
    for row in document["annotations"]:
        row["bbox"] = [*_on_its_side(row["bbox"]), -90.0]


def _on_its_side(box: list[float]) -> list[float]:
    x, y, w, h = box
    return [x + w / 2 - h / 2, y + h / 2 - w / 2, h, w]


def _file_names(prefix: str) -> Callable[[dict[str, Any]], None]:
    def change(document: dict[str, Any]) -> None:
        for image in document["images"]:
            image["file_name"] = prefix + image["file_name"]

    return change


def _no_sizes(document: dict[str, Any]) -> None:
    for image in document["images"]:
        del image["width"], image["height"]


def _text_ids(document: dict[str, Any]) -> None:
    for row in document["annotations"]:
        row["image_id"], row["category_id"] = str(row["image_id"]), str(row["category_id"])


def _label_studio(document: dict[str, Any]) -> None:
    _file_names("images\\")(document)
    document["categories"][0]["id"] = 0
    for image in document["images"]:
        image["id"] -= 1
    for row in document["annotations"]:
        row |= {"image_id": row["image_id"] - 1, "category_id": 0, "segmentation": [], "ignore": 0}


def _as_it_should_be(document: dict[str, Any]) -> None:
    del document["annotations"][0]["area"]


def _via_coco(document: dict[str, Any]) -> None:
    for row in document["annotations"]:
        row |= {"image_id": str(row["image_id"]), "segmentation": _ring(row["bbox"])}


def _via(chips: Chips, folder: Path) -> Path:
    shutil.copytree(chips.folder, folder, dirs_exist_ok=True)
    images = {
        f"{name}1234": {"filename": name, "size": 1234, "regions": rows} for name, rows in _regions(chips).items()
    }
    return _write({"_via_settings": {}, "_via_img_metadata": images}, folder / "via_project.json")


def _via_csv(chips: Chips, folder: Path) -> Path:
    shutil.copytree(chips.folder, folder / "images")
    columns = ("filename", "file_size", "file_attributes", "region_count", "region_id", "region_shape_attributes")
    with (folder / "via.csv").open("w", encoding="utf-8", newline="") as stream:
        table = csv.writer(stream)
        table.writerow([*columns, "region_attributes"])
        for name, regions in _regions(chips).items():
            for number, region in enumerate(regions):
                parts = (json.dumps(region[f"{part}_attributes"]) for part in ("shape", "region"))
                table.writerow([name, 1234, "{}", len(regions), number, *parts])
    return folder / "via.csv"


def _regions(chips: Chips) -> dict[str, list[dict[str, Any]]]:
    """Regions of VIA: rectangles and polygons in turn."""
    found: dict[str, list[dict[str, Any]]] = {}
    for name, boxes in chips.boxes.items():
        for number, box in enumerate(boxes):
            ring = _ring(box)
            shape = {"name": "polygon", "all_points_x": ring[::2], "all_points_y": ring[1::2]}
            if number % 2 == 0:
                shape = {"name": "rect", **dict(zip(("x", "y", "width", "height"), box, strict=True))}
            region = {"shape_attributes": shape, "region_attributes": {"class": "ship", "quality": "good"}}
            found.setdefault(name, []).append(region)
    return found


def _labelme(chips: Chips, folder: Path) -> Path:
    shutil.copytree(chips.folder, folder, dirs_exist_ok=True)
    for name, boxes in chips.boxes.items():
        corners = [[[x, y], [x + w, y + h]] for x, y, w, h in boxes]
        shapes = [{"label": "ship", "points": points, "shape_type": "rectangle"} for points in corners]
        document = {"shapes": shapes, "imagePath": f"..\\chips\\{name}", "imageHeight": CHIP_PX, "imageWidth": CHIP_PX}
        _write(document, folder / name.replace(".png", ".json"))
    return folder


def _yolo(kind: str) -> Layout:
    """Layout of YOLO: upright boxes (`detect`), four corners (`obb`) or polygons (`segment`)."""

    def write(chips: Chips, folder: Path) -> Path:
        shutil.copytree(chips.folder, folder / "images" / "train")
        (folder / "labels" / "train").mkdir(parents=True)
        for name, boxes in chips.boxes.items():
            lines = [" ".join(["0", *(f"{value / CHIP_PX:.6f}" for value in _numbers(box, kind))]) for box in boxes]
            (folder / "labels" / "train" / name).with_suffix(".txt").write_text("\n".join(lines), encoding="utf-8")
        if kind == "detect":
            (folder / "data.yaml").write_text("path: ../elsewhere\ntrain: images/train\nnames:\n  0: ship\n", "utf-8")
        else:
            (folder / "classes.txt").write_text("ship\n", encoding="utf-8")
        return folder

    return write


def _numbers(box: list[float], kind: str) -> list[float]:
    x, y, w, h = box
    if kind == "detect":
        return [x + w / 2, y + h / 2, w, h]
    return _ring(box) if kind == "obb" else [*_ring(box), x, y + h / 2]


LAYOUTS: dict[str, Layout] = {
    "COCO as it should be": _coco(_as_it_should_be),
    "root category without boxes": _coco(_root_category),
    "one class in four spellings": _coco(_spellings),
    "one class by another name (vessel)": _coco(_another_name),
    "a third are polygons": _coco(_polygons(3)),
    "all are polygons": _coco(_polygons(1)),
    "rotation as attribute": _coco(_turned),
    "boxes of five numbers": _coco(_five_numbers),
    "paths with backslashes": _coco(_file_names("images\\"), "images"),
    "paths of another machine": _coco(_file_names("/home/me/old/")),
    "no sizes": _coco(_no_sizes),
    "ids as text": _coco(_text_ids),
    "CVAT": _coco(_as_it_should_be, "images/default", "annotations/instances_default.json"),
    "Label Studio": _coco(_label_studio, "images", "result.json"),
    "Roboflow": _coco(_root_category, "train", "train/_annotations.coco.json"),
    "labelme2coco": _coco(_file_names("JPEGImages/"), "JPEGImages", "annotations.json"),
    "VIA, COCO": _coco(_via_coco),
    "VIA, project": _via,
    "VIA, table": _via_csv,
    "labelme": _labelme,
    "YOLO, boxes and data.yaml": _yolo("detect"),
    "YOLO, turned boxes": _yolo("obb"),
    "YOLO, polygons": _yolo("segment"),
}
"""Name of a layout -> its writer. All give the same boxes."""

MASKS: Layout = _coco(_masks)
"""Run lengths, whose boxes are of whole pixels."""
