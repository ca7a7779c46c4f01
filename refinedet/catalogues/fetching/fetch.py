"""fetch_products(): downloads products as folders that detection reads, verifies them, and resumes after a break."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from email.message import Message
from functools import partial
from pathlib import Path

from refinedet.catalogues.asked import Polarisation
from refinedet.catalogues.fetching.checking import Verified, check_file, size_of
from refinedet.catalogues.fetching.listed import items_named
from refinedet.catalogues.fetching.products import Product, ProductFile, product_of
from refinedet.catalogues.fetching.signing import Signing
from refinedet.downloads.disk import alone_in, need_room
from refinedet.downloads.fetch import Access, fetch
from refinedet.errors import DiskError, FileError, InputError
from refinedet.files import write_text
from refinedet.system.retrying import RetryPolicy

MANIFEST = "products.txt"
"""File in the folder of products that names the complete products, one per line."""

Progress = Callable[[str, int, int], None]
"""Called with (name of the file, files finished, files in all)."""


@dataclass(slots=True)
class Fetched:
    """Outcome of one call."""

    folder: Path
    products: list[str] = field(default_factory=list)
    """Folders of complete products."""
    files: int = 0
    """Number of files that this call fetched."""
    as_before: int = 0
    """Number of files that existed already."""
    verified: Counter[Verified] = field(default_factory=Counter)
    """Number of files that this call fetched, by the check that verified them."""
    failed: dict[str, str] = field(default_factory=dict)
    """Product -> reason of the failure, in one sentence."""
    notes: list[str] = field(default_factory=list)


def fetch_products(
    names: Iterable[str],
    out: Path,
    pol: Polarisation | None = None,
    *,
    retry: RetryPolicy | None = None,
    progress: Progress | None = None,
) -> Fetched:
    """Fetch the products of items into folders `<id>.SAFE` of `out`; the file MANIFEST there lists complete ones.

    A product that fails does not stop the others. Existing files are kept; an interrupted download continues where it
    stopped.

    Args:
        names: items and manifests of items, by path or https address.
        out: folder, created if it is missing.
        pol: the one polarisation to fetch; None: all.
        retry: number and pauses of attempts at a server.
        progress: called before each file.

    Raises:
        FileError, InputError: an item cannot be read, or does not describe a Sentinel-1 product.
        DiskError: the files do not fit, or cannot be written.
    """
    products = [product_of(item, pol) for item in items_named(names, retry)]
    done = Fetched(out, notes=[note for one in products for note in one.notes])
    missing = [size_of(file.asset) or 0 for one in products for file in _missing(out, one)]
    need_room(out, sum(missing), f"{len(products)} products")
    total, finished = sum(len(one.files) for one in products), 0
    with alone_in(out):
        signing = Signing(retry)
        for product in products:
            try:
                for number, file in enumerate(product.files):
                    if progress is not None:
                        progress(f"{product.folder}/{file.name}", finished + number, total)
                    _fetch(out / product.folder / file.name, file, signing, retry, done)
                done.products.append(product.folder)
            except DiskError:
                raise
            except (FileError, InputError) as error:
                done.failed[product.folder] = str(error)
            finished += len(product.files)
        listed = [
            path.name for path in sorted(out.glob("*.SAFE")) if path.name in done.products or _known(out, path.name)
        ]
        if listed:
            write_text(out / MANIFEST, "".join(f"{name}\n" for name in listed))
    return done


def _known(out: Path, name: str) -> bool:
    """True for a product that an earlier call listed as complete."""
    try:
        return name in (out / MANIFEST).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return False


def _missing(out: Path, product: Product) -> list[ProductFile]:
    return [file for file in product.files if not _is_there(out / product.folder / file.name, file)]


def _is_there(path: Path, file: ProductFile) -> bool:
    """True if a file exists with the size in its item; files get their names only after verification."""
    size = size_of(file.asset)
    return path.is_file() and (size is None or path.stat().st_size == size)


def _fetch(path: Path, file: ProductFile, signing: Signing, retry: RetryPolicy | None, done: Fetched) -> None:
    if _is_there(path, file):
        done.as_before += 1
        return
    address, sign = signing.way_to(file.address)
    means: list[Verified] = []
    check = partial(_check, means, file, is_s3=address.startswith("s3://"))
    refused = "check the address, and the credentials that it needs"
    if address.startswith("s3://"):
        refused += (
            " (AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE; AWS_REQUEST_PAYER=requester where the "
        )
        refused += "reader pays)"
    fetch(address, path, retry, Access(sign, own_host=True, check=check, refused=refused))
    done.files += 1
    done.verified[means[-1]] += 1


def _check(means: list[Verified], file: ProductFile, path: Path, headers: Message, *, is_s3: bool) -> None:
    means.append(check_file(path, file.name, file.asset, headers, is_s3=is_s3))
