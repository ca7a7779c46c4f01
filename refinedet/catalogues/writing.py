"""Files of a search: the items, a map of the footprints, and a manifest that names the items, written last."""

from __future__ import annotations

from pathlib import Path

from refinedet.catalogues.footprint_map import write_footprints
from refinedet.catalogues.search import Found
from refinedet.errors import FileError
from refinedet.files import cannot_write, json_text, write_text

MANIFEST = "manifest.txt"
_ITEMS, _MAP = "items", "footprints.html"


def refuse_other_results(out: Path, *, overwrite: bool) -> None:
    """Refuse a folder that holds the manifest of another search.

    Raises:
        FileError: it holds one, and `overwrite` is not set.
    """
    manifest = out / MANIFEST
    if manifest.exists() and not overwrite:
        raise FileError(f"expected no file at {manifest} yet, found one; name another `out`, or set `overwrite`")


def write_found(out: Path, found: Found) -> list[Path]:
    """Write the result of a search into the folder `out`; returns the manifest and the map. Without scenes, no files.

    An older manifest in the folder is removed first, so that no manifest names scenes of another search.

    Raises:
        FileError: a file cannot be written.
    """
    manifest, page = out / MANIFEST, out / _MAP
    try:
        manifest.unlink(missing_ok=True)
        if not found.scenes:
            return []
        names = []
        for scene in found.scenes:
            name = f"{_ITEMS}/{scene.id}.json"
            write_text(out / name, json_text(scene.item))
            names.append(name)
        write_footprints(page, found)
        head = f"# {len(names)} scenes of {found.question.collection} in {found.catalogue}\n# {found.question.told()}\n"
        write_text(manifest, head + "".join(f"{name}\n" for name in names))
    except FileError:
        raise
    except OSError as error:
        raise cannot_write(manifest, error, out) from error
    return [manifest, page]
