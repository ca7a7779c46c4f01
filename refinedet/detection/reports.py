"""Match of detections with AIS, imported only if AIS is given."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from refinedet.config.options.ais import AisSettings, detect_names
from refinedet.config.options.land import LandSettings
from refinedet.errors import InputError
from refinedet.system.resuming import differences

if TYPE_CHECKING:
    from refinedet.scene.result import SceneResult


@contextmanager
def _own_names() -> Iterator[None]:
    """Replace names of settings in errors of the AIS reader by the names that detection uses."""
    try:
        yield
    except InputError as error:
        raise InputError(detect_names(str(error))) from error


def check_reports(settings: AisSettings) -> None:
    """Check before detection that the files of AIS can be read.

    Raises:
        FileError, InputError, MissingExtra: a file cannot be used.
    """
    if settings.ais is not None:
        from refinedet.ais.reading.read import check_ais

        with _own_names():
            check_ais(settings.ais, settings.columns, settings.ais_date_order)


def with_reports(result: SceneResult, settings: AisSettings, land: LandSettings) -> SceneResult:
    """Match the ships of a scene with AIS; returns the result unchanged if no AIS is given.

    Raises:
        FileError, InputError, MissingExtra: a file of AIS cannot be used, or the settings state a viewing geometry for
            a product that has its own.
    """
    if settings.ais is None:
        return result
    from refinedet.ais.results.of_scene import with_ais

    with _own_names():
        return with_ais(result, settings, land)


def reports_identity(settings: AisSettings) -> dict[str, Any] | None:
    """Settings and content of the files that decide the columns of AIS, as JSON values; None without AIS.

    Raises:
        FileError: a file cannot be read.
    """
    if settings.ais is None:
        return None
    from refinedet.ais.results.of_scene import ais_identity

    return ais_identity(settings)


def reports_changed(record: Mapping[str, Any], settings: AisSettings) -> list[str]:
    """Differences in AIS from the run of a record, each with both values."""
    before = (record.get("ais") or {}).get("identity")
    return differences({"ais": before}, {"ais": reports_identity(settings)}, gone=True)
