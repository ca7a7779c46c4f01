"""Encoding of text files that other programs wrote: UTF-8, or UTF-16 as Windows and spreadsheets write it."""

from __future__ import annotations

import codecs

_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def encoding_of(head: bytes) -> str:
    """Name of the encoding of a text file by its first bytes: utf-16, or utf-8-sig for UTF-8 with or without a mark."""
    return "utf-16" if head[:2] in _UTF16 else "utf-8-sig"
