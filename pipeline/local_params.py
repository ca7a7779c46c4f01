"""Settings of a data set in a folder of the user."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from refinedet.config.base import Settings, validated


@validated(frozen=True, slots=True)
class LocalParams(Settings):
    """Section `local` of a recipe: the folder of the data sets local-coco and local-voc."""

    path: Annotated[str, Field(min_length=1)]
    """Path of the folder, relative to the project."""
    train: str | None = None
    """COCO file, or list of image ids (VOC), within the folder; None: all XML files of the folder Annotations (VOC)."""
    val: str | None = None
    """File for validation; None: cut off from the training images."""
    test: str | None = None
    """File for the test; None: cut off from the training images."""
    images: str | None = None
    """Folder of the images; None: searched for."""
    boxes: Literal["xywh", "xyxy", "cxcywh"] | None = None
    """Numbers of a COCO file's boxes: corner and size, two corners, or centre and size; None: corner and size."""
    test_fraction: Annotated[float, Field(gt=0, lt=1)] = 0.1
    """Share of the training images that becomes the test split, if there is none."""
    sha256: str | None = None
    """Checksum of the content, as reported by stage download; with it, other content is refused."""
