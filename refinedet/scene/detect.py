"""Detection in a scene, window by window: read, predict, merge. Memory use does not grow with the scene.

window_search.py searches the windows of one polarisation. dual.py combines two polarisations.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from refinedet.cloud.scene import Scene, scene_of
from refinedet.config import PixelSizes, TileConfig
from refinedet.config.options.detect import SceneSettings
from refinedet.config.options.land import LandSettings
from refinedet.errors import FileError, InputError
from refinedet.geo.position import locate
from refinedet.predictors.predictor import Predictor
from refinedet.raster import SceneReader
from refinedet.scene.identity import RunIdentity, run_identity, scene_sha256
from refinedet.scene.land.survey import Surroundings, survey
from refinedet.scene.metadata import read_metadata
from refinedet.scene.naming import scene_name
from refinedet.scene.result import SceneResult
from refinedet.scene.search.dual import detect_all, label_of, merge_searches, notes_of, read_as, seen_polarisations
from refinedet.scene.search.journal import Journal, open_journal
from refinedet.scene.search.missing_areas import missing_areas
from refinedet.scene.search.stream import Stream
from refinedet.scene.search.window_search import Progress, SearchLimits, WindowSearch, prepare_all
from refinedet.scene.sentinel1.annotation import Annotation
from refinedet.scene.ships.describe import SceneAsRead, Ships, describe_ships
from refinedet.scene.source import open_polarisations, settings_of
from refinedet.system.concurrency import start_thread
from refinedet.system.stopwatch import Stopwatch
from refinedet.tiling import WINDOWS_TOGETHER

_LOGGER = logging.getLogger(__name__)


def detect_scene(  # noqa: PLR0913 - keyword arguments of one call
    path: str | Scene,
    predictor: Predictor | Sequence[Predictor],
    *,
    scene: SceneSettings | None = None,
    land: LandSettings | None = None,
    tile: TileConfig | None = None,
    score_min: float = 0.5,
    prescreen: float | None = None,
    ship_m: float | None = None,
    known_gsd: PixelSizes | None = None,
    batch_size: int = WINDOWS_TOGETHER,
    progress: Progress | None = None,
    stream: Stream | None = None,
    journal: Journal | None = None,
) -> SceneResult:
    """Find ships in a GeoTIFF, PNG, JPEG or Sentinel-1 GRD product of any size.

    The result depends neither on `batch_size` nor on the order of windows. Windows without data are skipped. A scene
    whose long side is at most `tile.whole_factor` tiles is one window, passed whole to the predictor.

    Args:
        path: path or address of the scene.
        predictor: finds ships in chips. Several predictors, equal except for their devices, share the work.
        scene: choice of one or two polarisations, band, stretch and pixel size.
        land: treatment of land, and of places that are known to hold no ship.
        tile: size and overlap of windows.
        score_min: lowest score of a ship in the result, in [0, 1].
        prescreen: least contrast of a window to be searched, in standard deviations (`prescreen.K`); None: search all.
        ship_m: longest ship in metres; limits the overlap of windows to its length. None: the overlap of `tile`.
        known_gsd: pixel sizes that the predictor knows; a scene with another size is resampled to the best of them.
        batch_size: windows per call of the predictor; the predictor may split them further.
        progress: called with the number of finished windows and the number of all windows.
        stream: called with the detections of each window as soon as it is finished.
        journal: keeps finished windows, from which an interrupted run resumes.

    Raises:
        FileError: the scene, a side file or the journal is missing, damaged, changing, or of an unsupported format.
        InputError: pixels are unsupported or too many, an argument is out of range, or the journal is of another run.
        MissingExtra: `land` needs a coastline that is not installed.
    """
    path, (predictors, first) = scene_of(path), _checked(predictor, score_min, batch_size, prescreen, ship_m)
    scene, land, tile, watch = scene or SceneSettings(), land or LandSettings(), tile or TileConfig(), Stopwatch()
    chosen: dict[str, Any] = {"scene": scene, "land": land, "tile": tile, "radiometry": first.radiometry}
    chosen |= {"score_min": score_min, "prescreen": prescreen, "ship_m": ship_m, "known_gsd": known_gsd}
    with _unchanged(path, journal), open_polarisations(path, scene) as readers:
        info, looks = readers[0].info, list(zip(readers, settings_of(readers, scene), strict=True))
        hashed = start_thread(partial(_identified, watch, path, journal.detector, chosen)) if journal else None
        (annotation, acquired), *_ = [read_metadata(path, settings, reader) for reader, settings in looks]
        with watch.part("land"):  # errors in land or metadata are raised before the search
            known = survey(locate(info), info.width, info.height, land)
        limits = SearchLimits(score_min, prescreen, ship_m, known_gsd)
        searches = [WindowSearch(*look, tile, limits, watch) for look in looks]
        missing = start_thread(partial(_missing, searches[0]))  # during the search: needs only the preview
        prepare_all(searches, known, first.radiometry)
        with open_journal(journal, hashed.result) if journal and hashed else nullcontext() as log:
            detect_all(searches, predictors, batch_size, log, progress or _silent, stream)
        ships = _ships(searches, score_min, known, annotation)
    result = _result(scene_name(path), first.classes, searches, ships, known.notes)
    return replace(result, acquired=acquired, **_from_beside(result, missing, hashed))


def _identified(watch: Stopwatch, path: Scene, detector: Mapping[str, Any], chosen: dict[str, Any]) -> RunIdentity:
    with watch.part("hash"):
        return run_identity(scene_sha256(path, chosen["scene"].pol), detector=detector, **chosen)


def _from_beside(
    result: SceneResult, missing: Future[dict[str, Any]], identity: Future[RunIdentity] | None
) -> dict[str, Any]:
    """Fields of the result that other threads computed."""
    read_as = {**result.read_as, **missing.result()}
    return {"read_as": read_as, "identity": None if identity is None else identity.result()}


def _ships(
    searches: Sequence[WindowSearch], score_min: float, known: Surroundings, annotation: Annotation | None
) -> Ships:
    first, readers = searches[0], [search.reader for search in searches]
    with first.watch.part("merge"):
        merged = merge_searches(searches, score_min)
    with first.watch.part("describe"):
        return describe_ships(SceneAsRead(readers, first.seen, first.factors), merged, known, annotation)


def _result(
    scene: str, classes: tuple[str, ...], searches: Sequence[WindowSearch], ships: Ships, notes: tuple[str, ...]
) -> SceneResult:
    first, readers = searches[0], [search.reader for search in searches]
    total, skipped = sum(len(search.grid) for search in searches), sum(search.skipped for search in searches)
    _LOGGER.info("%s: %d ships in %d windows, %d skipped", scene, len(ships.detections), total, skipped)
    return SceneResult(
        scene=scene,
        label=label_of(readers),
        info=first.reader.info,
        classes=classes,
        detections=ships.detections,
        places=ships.places,
        flags=ships.flags,
        located=first.position is not None,
        stretch_limits=first.stretch_limits,
        preview=first.preview,
        windows=total,
        windows_skipped=skipped,
        dropped=ships.dropped,
        notes=(*notes_of(searches), *notes),
        read_as=read_as(readers),
        factors=first.factors,
        readers=readers if all(isinstance(reader, SceneReader) and reader.is_held for reader in readers) else (),
        seconds=first.watch.seconds,
        polarisations=seen_polarisations(searches, ships),
    )


def _missing(search: WindowSearch) -> dict[str, Any]:
    """Entry of the record on areas that were not measured; empty if there are none."""
    areas = missing_areas(search.preview, search.reader.info, search.position)
    return {} if areas is None else {"missing_areas": areas}


def _checked(
    predictor: Predictor | Sequence[Predictor],
    score_min: float,
    batch_size: int,
    prescreen: float | None,
    ship_m: float | None,
) -> tuple[Sequence[Predictor], Predictor]:
    """Check the arguments; return all predictors and the first of them."""
    predictors = predictor if isinstance(predictor, Sequence) else [predictor]
    if not 0 <= score_min <= 1 or batch_size < 1:
        raise InputError(
            f"expected a score within [0, 1] and a batch of at least 1, found {score_min} and {batch_size}"
        )
    if prescreen is not None and not prescreen >= 0:
        raise InputError(f"expected a contrast of at least 0 for the prescreen, found {prescreen}")
    if ship_m is not None and not 0 < ship_m < math.inf:
        raise InputError(f"expected a longest ship above 0 m, found {ship_m}")
    if not predictors:
        raise InputError("expected at least one predictor, found none")
    if any((p.classes, p.radiometry) != (predictors[0].classes, predictors[0].radiometry) for p in predictors):
        raise InputError("expected predictors that differ in their device alone, found other classes or radiometry")
    return predictors, predictors[0]


def _stamp(path: Scene) -> tuple[int, int, int] | None:
    """State of the file of a scene, which differs once it is written or replaced; None without a file."""
    try:
        about = path.stat() if isinstance(path, Path) and path.is_file() else None
    except OSError:  # it was moved away meanwhile
        return None
    return None if about is None else (about.st_size, about.st_mtime_ns, about.st_ino)


@contextmanager
def _unchanged(path: Scene, journal: Journal | None) -> Iterator[None]:
    """Discard the journal and raise FileError if the file changes in the block: its windows may show two scenes."""
    before = _stamp(path)
    yield
    now = _stamp(path)
    if now not in (None, before):
        if journal is not None:
            journal.discard()
        raise FileError(f"expected {path} to stay as it is during the run, found it changed; run the same again")


def _silent(done: int, total: int) -> None:
    """Show no progress."""
