"""Settings of labels over scenes: how their file is read."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from refinedet.config.base import Settings, validated
from refinedet.config.options.option import option

_PointMetres = Annotated[float, Field(ge=1, le=1000)]


@validated(frozen=True, slots=True)
class LabelSettings(Settings):
    """Reading of a file of labels, where it does not speak for itself."""

    labels_crs: str | None = option(
        None,
        "Coordinate reference system of the labels.",
        metavar="EPSG:n|pixels",
        default_text="as the file says, else guessed",
    )
    class_column: str | None = option(
        None, "Column with the class of each label.", default_text="guessed, else all are ships"
    )
    point_m: _PointMetres = option(60.0, "Side of the box around a point label without a length, in metres.")
    """Most ships in harbour roads are longer, fishing boats shorter."""
