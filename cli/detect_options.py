"""What `refinedet detect` was asked for, and the settings of the library that say it."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

from refinedet.batch.manifest import scenes_named
from refinedet.config import StretchChoice, TileConfig
from refinedet.errors import InputError

if TYPE_CHECKING:
    from refinedet.scene.land.survey import LandChoice
    from refinedet.scene.source import SceneChoice


@dataclass(frozen=True, slots=True)
class DetectOptions:
    """What the command line asks for."""

    scenes: list[Path]
    weights: Path | None
    out: Path | None
    polarisation: str | None
    band: str | None
    calibrate: Literal["sigma0", "sigma0-denoised"] | None
    stretch: StretchChoice
    scale: float | None
    gsd_m: float | None
    max_pixels: int
    land_mask: Literal["flag", "drop", "off"] | None
    land: Path | None
    land_buffer_m: float
    exclude: Path | None
    exclude_m: float
    score_min: float
    tile_px: int | None
    overlap_px: int | None
    prescreen: Literal["on", "off"] | None
    multiscale: str | None
    batch_size: int | None
    device: str
    runtime: Literal["auto", "torch", "onnx", "openvino"]
    precision: Literal["fp32", "bf16"]
    formats: list[str]
    quicklook: bool
    web_map: bool
    overwrite: bool
    skip_existing: bool
    restart: bool
    archive: Path | None
    """Folder of the results of an archive; None where scenes are worked on one by one, each with results of its own."""
    engine: Literal["local", "ray"]
    workers: int | None
    address: str | None
    retries: int

    @classmethod
    def taken(cls, given: dict[str, Any]) -> Self:
        """From the parameters of the command, by their names.

        Raises:
            InputError: the stretch is none of those there are, or options of an archive do not go together.
            FileError: the manifest cannot be read.
        """
        archive = _archive(given)
        known = {
            **given,
            "scenes": scenes_named(given["scenes"] or [], given["manifest"]),
            "out": given["out_folder"],
            "polarisation": given["pol"],
            "stretch": StretchChoice.parse(given["stretch"]),
            "multiscale": None if given["multiscale"] is None else given["multiscale"].value,
            "formats": [item.value for item in given["formats"]] if given["formats"] else _formats(archive),
            "archive": archive,
        }
        for view in ("quicklook", "web_map"):  # of each scene of an archive, only where asked for
            known[view] = archive is None if given[view] is None else given[view]
        options = cls(**{field.name: known[field.name] for field in fields(cls)})
        return options if archive is None else options.absolute()

    def absolute(self) -> Self:
        """The same with absolute paths, for workers that may stand in another folder."""
        names = ("weights", "out", "land", "exclude", "archive")
        named = {name: path.absolute() for name in names if (path := getattr(self, name)) is not None}
        return replace(self, scenes=[scene.absolute() for scene in self.scenes], **named)

    def scene_choice(self) -> SceneChoice:
        """Which pixels of a scene are looked at, and how."""
        from refinedet.scene.source import SceneChoice

        return SceneChoice(
            polarisation=self.polarisation,
            band=self.band,
            max_pixels=self.max_pixels,
            calibrate=self.calibrate,
            stretch=self.stretch,
            scale=self.scale,
            gsd_m=self.gsd_m,
        )

    def land_choice(self) -> LandChoice:
        """What is done about land; a coastline that is not installed is an error only where it was asked for."""
        from refinedet.scene.land.survey import LandChoice

        return LandChoice(
            mask=self.land_mask or "flag",
            land=self.land,
            buffer_m=self.land_buffer_m,
            exclude=self.exclude,
            exclude_m=self.exclude_m,
            required=self.land_mask is not None,
        )

    def tile(self, default: TileConfig) -> TileConfig:
        """Windows as the weights would have them, unless asked otherwise."""
        asked = {"tile_px": self.tile_px, "overlap_px": self.overlap_px}
        return replace(default, **{name: value for name, value in asked.items() if value is not None})


def _archive(given: dict[str, Any]) -> Path | None:
    """Where the results of an archive go, where the call is about one."""
    ray = given["engine"] == "ray"
    for option, name in (("--workers", "workers"), ("--address", "address")):
        if given[name] is not None and not ray:
            raise InputError(f"expected {option} with --engine ray, found it alone; name the engine, or leave it out")
    if not (given["archive"] or given["manifest"] is not None or ray):
        return None
    folder: Path | None = given["out_folder"]
    if folder is None:
        raise InputError("expected --out for the results of an archive, found none; name the folder they go to")
    return folder


def _formats(archive: Path | None) -> list[str]:
    """Of each scene, where none is asked for; an archive has its data set."""
    return ["geojson", "csv"] if archive is None else []
