"""Addresses: which are taken, and what is shown of them."""

from __future__ import annotations

import pickle

import pytest

from refinedet.cloud.address import Address, is_address, is_loopback, is_private
from refinedet.cloud.scene import scene_of
from refinedet.errors import InputError


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("http://archive.org/scene.tif", "https"),
        ("ftp://archive.org/scene.tif", "an address such as"),
        ("file:///etc/passwd", "an address such as"),
        ("https://user:secret@archive.org/scene.tif", "without a user's name"),
        ("https://archive.org/", "an address such as"),
        ("https://archive.org/a b.tif", "ordinary letters"),
        ("https://archive.org:port/a.tif", "an address such as"),
        ("s3://bucket/key.tif?version=1", "without a query"),
        ("s3://bucket", "an address such as"),
    ],
)
def test_what_is_not_taken_is_refused_in_one_sentence(url: str, says: str) -> None:
    with pytest.raises(InputError, match=says) as caught:
        scene_of(url)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("url", ["https://a.org/x/s.tif", "s3://bucket/k/s.tif", "http://127.0.0.1:8000/s.tif"])
def test_what_is_taken_is_shown_as_it_is(url: str) -> None:
    assert str(scene_of(url)) == url
    assert is_address(url)


def test_a_query_is_never_shown_but_travels_to_workers() -> None:
    address = Address("https://a.org/s.tif?sig=secret")
    assert "secret" not in f"{address} {address!r}"
    assert pickle.loads(pickle.dumps(scene_of(address.url)))._place.url == address.url  # noqa: S301 - our own
    assert address.beside("../t.xml").url == "https://a.org/t.xml?sig=secret"


def test_references_are_joined_as_stac_has_them() -> None:
    assert str(Address("s3://bucket/items/one.json").joined("../vv.tif")) == "s3://bucket/vv.tif"
    assert str(Address("https://a.org/items/one").joined("s3://bucket/vv.tif")) == "s3://bucket/vv.tif"


def test_private_hosts_are_known() -> None:
    assert all(map(is_private, ("127.0.0.1", "10.0.0.1", "169.254.169.254", "::1", "localhost", "192.168.1.1")))
    assert not is_private("93.184.215.14")


def test_loopback_is_this_machine_alone() -> None:
    assert all(map(is_loopback, ("127.0.0.1", "::1", "localhost", "127.8.9.10")))
    assert not any(map(is_loopback, ("0.0.0.0", "::", "192.168.1.5", "radar.lab")))  # noqa: S104 - that is the question
