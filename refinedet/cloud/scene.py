"""Scene by address or by a STAC item; the library accepts it in place of the path of a scene.

During a run, a scene keeps its open files, small files, and the count of fetched bytes. `close` ends that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Self

from refinedet.cloud.address import Address, is_address
from refinedet.cloud.item import MAX_ITEM_BYTES, Item, parse_item
from refinedet.cloud.traffic import Traffic
from refinedet.errors import FileError, InputError

if TYPE_CHECKING:
    from refinedet.cloud.remote_file import RemoteFile
    from refinedet.cloud.store import RemoteStore

ITEM_SUFFIXES = (".json", ".geojson")
"""Suffixes of STAC items as files."""
RASTER_SUFFIXES = (".tif", ".tiff", ".png", ".jpg", ".jpeg")
"""Suffixes of rasters."""
STORE_SUFFIX = ".zarr"
"""Suffix of Zarr stores."""
_ARCHIVE = (".zip", ".tar", ".gz", ".safe")
_MEGA = 1_000_000


class CloudScene:
    """Scene whose pixels are at an address. Scenes of one address are equal, whatever their queries."""

    def __init__(self, place: Address | Path) -> None:
        """Take the address of a raster or of a STAC item, or the path of an item; nothing is read yet."""
        self._place = place
        self.traffic = Traffic()
        self._item: Item | None = None
        self._store: RemoteStore | None = None
        self._files: dict[str, RemoteFile] = {}
        self._small: dict[str, bytes] = {}

    def __str__(self) -> str:
        return str(self._place)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self)!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, CloudScene) and str(self) == str(other)

    def __hash__(self) -> int:
        return hash(str(self))

    def __reduce__(self) -> tuple[type[CloudScene], tuple[Address | Path]]:
        return type(self), (self._place,)

    @property
    def name(self) -> str:
        """Name of the file at the address."""
        return self._place.name

    @property
    def address(self) -> Address | None:
        """Address of the raster or of the item; None for a local item."""
        return self._place if isinstance(self._place, Address) else None

    @property
    def is_item(self) -> bool:
        """True for a STAC item, false for a raster or a store, by the suffix; items may have any other one."""
        return self._suffix not in (*RASTER_SUFFIXES, STORE_SUFFIX)

    @property
    def is_product(self) -> bool:
        """True for a STAC item or a Zarr store, false for a raster."""
        return self._suffix not in RASTER_SUFFIXES

    @property
    def _suffix(self) -> str:
        return Path(self._place.name).suffix.lower()

    def absolute(self) -> Self:
        """Copy of the scene with an absolute path."""
        return self if isinstance(self._place, Address) else type(self)(self._place.absolute())

    def limit(self, most_mb: float) -> None:
        """Limit the megabytes that may be fetched."""
        self.traffic.most_bytes = int(most_mb * _MEGA)

    def watch(self, function: Callable[[int], None]) -> None:
        """Call a function from time to time with the number of fetched bytes."""
        self.traffic.watch = function

    def item(self) -> Item:
        """STAC item, read once.

        Raises:
            FileError: it cannot be read.
            InputError: it is no item.
        """
        if self._item is None:
            self._item = parse_item(self._content(), str(self), self.address)
        return self._item

    def store_address(self) -> Address | None:
        """Address of the Zarr store that the scene is, or that its STAC item names; None if there is none.

        Raises:
            FileError, InputError: as `item`, or the item names a store at an address that is not accepted.
        """
        return self.item().store() if self.is_item else self.address if self.is_product else None

    def store(self) -> RemoteStore:
        """Files of the Zarr store of the scene, which has one; its metadata are fetched once.

        Raises:
            FileError, InputError: as `store_address`, or the metadata cannot be fetched, or are no consolidated ones.
        """
        from refinedet.cloud.store import RemoteStore

        address = self.store_address()
        assert address is not None  # noqa: S101 - `products.measurement_of` has asked
        self._store = self._store or RemoteStore(address, self.file)
        return self._store

    def _content(self) -> bytes:
        if isinstance(self._place, Address):
            if self._suffix in _ARCHIVE:
                raise InputError(
                    f"expected a raster or a STAC item at {self}, found an archive by its name; name the STAC item of "
                    "the product, or fetch the archive"
                )
            return self.small(self._place, MAX_ITEM_BYTES)
        try:
            with self._place.open("rb") as stream:
                return stream.read(MAX_ITEM_BYTES + 1)
        except OSError as error:
            raise FileError(
                f"expected a STAC item at {self}, but it cannot be read ({error.strerror}); check the name"
            ) from error

    def raster(self) -> RemoteFile:
        """File at the address of a raster."""
        assert isinstance(self._place, Address)  # noqa: S101 - a local file is an item
        return self.file(self._place)

    def file(self, address: Address) -> RemoteFile:
        """File of the scene at an address; the same one at each call."""
        from refinedet.cloud.remote_file import RemoteFile  # imported here, because it needs numpy, and --help must not

        return self._files.setdefault(address.url, RemoteFile(address, self.traffic))

    def small(self, address: Address, most: int) -> bytes:
        """Content of a small file of the scene, fetched once; at most one byte more than `most`.

        Raises:
            FileError, InputError: it cannot be fetched.
        """
        if address.url not in self._small:
            self._small[address.url] = self.traffic.small(address, most)
        return self._small[address.url]

    def moved(self) -> Mapping[str, int]:
        """Numbers of fetched bytes and of requests, for the record."""
        return {"bytes": self.traffic.moved_bytes, "requests": self.traffic.requests}

    def close(self, *, keep: bool) -> None:
        """Drop all fetched content; with `keep`, blocks of rasters stay on disk for a run that resumes."""
        for file in self._files.values():
            file.close(keep=keep)
        self._files.clear()
        self._small.clear()
        self._store = None


Scene = Path | CloudScene
"""Scene for the library: a path, or a scene by address."""


def scene_of(named: str | Path | CloudScene) -> Scene:
    """Scene that a user names: an address, a STAC item, or the path of anything else.

    Raises:
        InputError: it is an address of a kind that is not accepted.
    """
    if isinstance(named, CloudScene):
        return named
    if isinstance(named, str) and is_address(named):
        return CloudScene(Address(named))
    path = Path(named)
    return CloudScene(path) if path.suffix.lower() in ITEM_SUFFIXES and path.is_file() else path


def check_download_limit(scenes: Iterable[Scene], most_mb: float | None) -> None:
    """Check that a limit of the download, if there is one, has a scene at an address that it applies to.

    Raises:
        InputError: all scenes are files on this machine.
    """
    if most_mb is not None and not any(isinstance(scene, CloudScene) for scene in scenes):
        raise InputError(
            f"expected a scene at an address for `max_download_mb`, found {most_mb:g} for files on this machine; "
            "leave it out"
        )
