"""Writing of XML documents: elements, and text that XML can hold. Pure."""

from __future__ import annotations

import re
from xml.etree.ElementTree import Element, SubElement, indent, tostring

# characters that no XML 1.0 document may hold, escaped or not
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def clean(text: str) -> str:
    """Text for XML; characters that XML cannot hold become the replacement character."""
    return _FORBIDDEN.sub("\N{REPLACEMENT CHARACTER}", text)


def add(parent: Element, name: str, /, text: str | None = None, **attributes: str) -> Element:
    """Add an element with text, and return it."""
    element = SubElement(parent, name, {key: clean(value) for key, value in attributes.items()})
    if text is not None:
        element.text = clean(text)
    return element


def document(root: Element, head: str = "") -> str:
    """Text of a document; `head` is its doctype or declaration."""
    indent(root, " ")
    return head + tostring(root, encoding="unicode") + "\n"
