"""Scenes by address, on correct and on faulty servers: a table of bytes and outcomes.

    python benchmarks/hostile/addresses.py product.SAFE

The product is a Sentinel-1 GRD product with one raster, such as `benchmarks/scenes/sentinel1_scene.py` makes of real
metadata. It is searched for ships from the disk, then by address: its raster in strips and as a COG, and by its STAC
item, from a web server on loopback and from an S3 server (moto). Result files must have equal bytes. Then the server
shows one fault after the other; the outcome must be the same result files, or one sentence. The exit code is 1 for any
other outcome. `ratio` is the bytes sent over the bytes of the band in use.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import rasterio
from range_server import RangeServer, Request, Way, serving
from rasterio.shutil import copy as copy_raster

import refinedet
from refinedet.cloud import traffic
from refinedet.errors import RefineDetError
from refinedet.system.retrying import RetryPolicy

_SHOWN = 170
_PATIENCE = RetryPolicy(attempts=3, timeout_s=5.0, backoff_s=0.05, slow_bytes_s=20_000, slow_s=1.0)
_BUCKET = "scenes"


@dataclass(frozen=True)
class Case:
    """Fault of the server, and the part of the sentence that must result; None: the same files must result."""

    title: str
    way: Way
    says: str | None = None


def _once(bad: Way) -> Way:
    return lambda request: (bad if request.server.asked == 4 else Request.give)(request)


def _changes(request: Request) -> None:
    if request.server.asked == 5:
        for name, file in request.server.files.items():
            request.server.files[name] = replace(file, etag='"new"')
        request.file = request.server.files[request.name]
    request.give()


def _elsewhere(request: Request) -> None:
    request.say(302, {"Location": f"http://localhost:{request.server.server_port}{request.name}"})


def _again(request: Request) -> None:
    if request.path.endswith("?again"):
        request.give()
    else:
        request.say(307, {"Location": f"{request.name}?again"})


CASES = (
    Case("dies every 20 kB", lambda request: request.give(cut=20_000)),
    Case("is silent once", _once(lambda _: time.sleep(6))),
    Case("trickles once", _once(lambda request: request.give(pause=lambda: time.sleep(0.2)))),
    Case("503 once", _once(lambda request: request.say(503))),
    Case("gives no ranges", lambda request: request.give(ranges=False)),
    Case("redirects within itself", _again),
    Case("is silent", lambda _: time.sleep(6), "is silent for 5 s (3 times in a row)"),
    Case("trickles", lambda request: request.give(pause=lambda: time.sleep(0.2)), "bytes a second"),
    Case("says 1 MB more than it has", lambda r: r.give(total=len(r.file.content) + 10**6), "broke off"),
    Case("says half of its bytes", lambda r: r.give(total=len(r.file.content) // 2), "damaged or cut off"),
    Case("says 10^15 bytes", lambda r: r.give(total=10**15), "expected at most"),
    Case("changes the object while it is read", _changes, "to stay as it was"),
    Case("redirects to another host", _elsewhere, "found a redirect to localhost"),
    Case("redirects to a local file", lambda r: r.say(302, {"Location": "file:///etc/passwd"}), "found a redirect to"),
    Case("404", lambda r: r.say(404), "404 Not Found"),
    Case("403", lambda r: r.say(403), "may have to be signed"),
)


class Bench:
    """Runs on one product, and their table."""

    def __init__(self, detector: refinedet.Detector, server: RangeServer, product: Path, folder: Path) -> None:
        self.detector, self.server, self.product, self.folder = detector, server, product, folder
        self.wrong = self.number = 0

    def files(self, scene: Any, out: str, **more: Any) -> tuple[dict[str, bytes], Any]:
        """Result files of a run without its record, and the run."""
        run = refinedet.find_ships(scene, self.folder / out, detector=self.detector, land_mask="off", **more)
        written = {path.name: path.read_bytes() for name, path in run.files.items() if name != "record"}
        return written, run

    def row(self, title: str, came: str, sent: int, band: int, *, right: bool) -> None:
        """Print a row, and count it if it is wrong."""
        self.wrong += not right
        ratio = f"{sent / band:.3f}" if sent else "-"
        print(f"{title:40} {ratio:>6} {self.server.asked:>4}  {came[:_SHOWN]} {'' if right else 'WRONG'}".rstrip())
        sys.stdout.flush()

    def equal(self, title: str, scene: Any, wanted: dict[str, bytes], band: int, moved: bool = False) -> None:
        """Run by address; the files must be the wanted ones, and at most 1.1 times the band may move."""
        self.server.sent.clear()
        self.server.asked = 0
        self.number += 1
        found, run = self.files(scene, f"equal{self.number}")
        told = run.record["scene"]["moved"]
        sent = sum(count for name, count in self.server.sent.items() if ".tif" in name)
        same = "equal bytes" if found == wanted else f"other {sorted(n for n in wanted if wanted[n] != found.get(n))}"
        came = f"{same}, {run.ships} ships; {told['bytes'] / 1e6:.2f} MB in {told['requests']} requests"
        self.row(title, came, 0 if moved else sent, band, right=found == wanted and sent <= 1.1 * band)

    def case(self, case: Case, address: str, wanted: dict[str, bytes], band: int) -> None:
        """Run while the server is faulty."""
        files, self.server.way = dict(self.server.files), case.way
        self.server.sent.clear()
        self.server.asked = 0
        self.number += 1
        try:
            found, run = self.files(address, f"case{self.number}", quicklook=False, map=False)
            same = all(found[name] == wanted[name] for name in found)
            came = f"equal bytes, {run.ships} ships" if same else "other bytes"
            right = case.says is None and same
        except RefineDetError as error:
            came = re.sub(r":\d{4,5}/", "/", str(error))
            right = case.says is not None and case.says in str(error) and "\n" not in str(error)
        self.row(case.title, came, sum(self.server.sent.values()), band, right=right)
        self.server.files, self.server.way = files, Request.give

    def stopped(self, address: str, wanted: dict[str, bytes], band: int) -> None:
        """Run that the user stops after some windows and resumes; then a run whose object has changed meanwhile."""
        for title, change in (("stopped by its user, and run again", False), ("the same, the object changed", True)):
            self._stop(address, title)
            if change:
                name = next(name for name in self.server.files if address.endswith(name))
                self.server.files[name] = replace(self.server.files[name], etag='"newer"')
            self.server.sent.clear()
            self.server.asked = 0
            try:
                found, run = self.files(address, title, tile_px=256)
                came = f"equal bytes, {run.windows_kept} windows from before" if found == wanted else "other bytes"
                right = not change and found == wanted and run.windows_kept > 0
            except RefineDetError as error:
                came, right = str(error).replace(str(self.folder), ""), change and "`restart`" in str(error)
            self.row(title, came, sum(self.server.sent.values()), band, right=right)

    def _stop(self, address: str, out: str) -> None:
        def stop(done: int, total: int) -> None:
            if 0 < done < total:
                raise KeyboardInterrupt

        try:
            self.files(address, out, tile_px=256, progress=stop)
        except KeyboardInterrupt:
            return
        raise AssertionError("the run was not stopped")


def band_bytes(raster: Path) -> int:
    """Bytes of the tiles or strips of the picture itself, without overviews."""
    with rasterio.open(raster) as dataset:
        blocks = [place for place, _ in dataset.block_windows(1)]
        return sum(int(dataset.get_tag_item(f"BLOCK_SIZE_{x}_{y}", "TIFF", bidx=1) or 0) for y, x in blocks)


def item_of(product: Path, base: str) -> bytes:
    """STAC item of the product, whose files lie at `base`."""
    raster, pol = next((product / "measurement").iterdir()), "vv"
    kinds = {"product": "", "calibration": "calibration/calibration-", "noise": "calibration/noise-"}
    assets = {f"schema-{kind}-{pol}": f"annotation/{start}{raster.stem}.xml" for kind, start in kinds.items()}
    assets |= {pol: f"measurement/{raster.name}", "safe-manifest": "manifest.safe"}
    listed = {key: {"href": f"{base}{name}"} for key, name in assets.items()}
    return json.dumps({"type": "Feature", "id": product.name, "assets": listed}).encode()


@contextmanager
def bucket(product: Path) -> Iterator[str]:
    """S3 server on loopback with the product and its item; yields the item's address."""
    import boto3
    from moto.server import ThreadedMotoServer

    service = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    service.start()
    host, port = service.get_host_and_port()
    os.environ |= {"AWS_ENDPOINT_URL": f"http://{host}:{port}", "AWS_DEFAULT_REGION": "us-east-1"}
    os.environ |= {"AWS_ACCESS_KEY_ID": "made-up", "AWS_SECRET_ACCESS_KEY": "made-up"}
    client = boto3.client("s3")
    client.create_bucket(Bucket=_BUCKET)
    for path in filter(Path.is_file, product.rglob("*")):
        client.put_object(Bucket=_BUCKET, Key=f"GRD/{path.relative_to(product)}", Body=path.read_bytes())
    client.put_object(Bucket=_BUCKET, Key=f"{product.name}.json", Body=item_of(product, f"s3://{_BUCKET}/GRD/"))
    yield f"s3://{_BUCKET}/{product.name}.json"
    service.stop()


def main() -> int:
    """Run all cases and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("product", type=Path)
    parser.add_argument("--only", default="", help="run only misbehaviours whose title contains this")
    asked = parser.parse_args()
    os.environ["no_proxy"] = "127.0.0.1,localhost"
    product = asked.product.absolute()
    with tempfile.TemporaryDirectory(prefix="addresses-") as name, serving() as server:
        folder = Path(name)
        os.environ["REFINEDET_CACHE"] = str(folder / "cache")
        traffic.PATIENCE = _PATIENCE
        with refinedet.Detector.load() as detector:
            bench = Bench(detector, server, product, folder)
            _run(bench, asked.only)
    print(f"\n{bench.wrong} rows are wrong" if bench.wrong else "\nall came out as expected")
    return 1 if bench.wrong else 0


def _run(bench: Bench, only: str) -> None:
    product, server = bench.product, bench.server
    striped = next((product / "measurement").iterdir())
    cog = bench.folder / f"{striped.stem}-cog.tiff"
    copy_raster(striped, cog, driver="COG", compress="deflate", blocksize=512)
    for path in filter(Path.is_file, product.rglob("*")):
        server.put(f"/GRD/{path.relative_to(product)}", path.read_bytes())
    item = server.put(f"/items/{product.name}", item_of(product, "../GRD/"))
    at: Callable[[str, Path], str] = lambda place, path: server.put(f"/{place}/{path.name}", path.read_bytes())  # noqa: E731
    print(f"{'scene, or what the server does':40} {'ratio':>6} {'asked':>5} outcome")
    bands = {path: band_bytes(path) for path in (striped, cog)}
    lone = bench.folder / striped.name  # outside its product, which would describe it
    lone.write_bytes(striped.read_bytes())
    near, _ = bench.files(lone, "lone")
    if not only:
        bench.equal("raster in strips", at("plain", striped), near, bands[striped])
        bench.equal("COG with overviews", at("plain", cog), bench.files(cog, "cog")[0], bands[cog])
        whole, _ = bench.files(product, "product")
        bench.equal("STAC item", item, whole, bands[striped])
        with bucket(product) as address:
            bench.equal("STAC item in S3", address, whole, bands[striped], moved=True)
    address = at("plain", striped)
    for case in CASES:
        if only in case.title:
            bench.case(case, address, near, bands[striped])
    if not only:
        wanted, _ = bench.files(lone, "small windows", tile_px=256)
        bench.stopped(address, wanted, bands[striped])


if __name__ == "__main__":
    sys.exit(main())
