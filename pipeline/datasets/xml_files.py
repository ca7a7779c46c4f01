"""XML files from elsewhere, parsed without harm."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree.ElementTree import Element, ParseError  # the parser is defusedxml's

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring, parse

from refinedet.errors import FileError, InputError

_DECLARED = re.compile(rb"\s*<\?xml[^>]*?encoding\s*=\s*[\"']([\w.-]+)[\"'][^>]*>")


def xml_root(path: Path) -> Element:
    """Root of an XML file of annotations.

    Raises:
        FileError: the file cannot be read.
        InputError: it is no XML, or would harm the reader.
    """
    try:
        root = _parsed(path)
    except OSError as error:
        raise FileError(f"expected an annotation at {path}, but it cannot be read ({error.strerror})") from error
    except (ParseError, DefusedXmlException, ValueError, LookupError) as error:  # LookupError: an unknown encoding
        raise InputError(
            f"expected an annotation in {path}, found no harmless XML ({error}); fetch the data set again"
        ) from error
    if root is None:
        raise InputError(f"expected an annotation in {path}, found nothing; fetch the data set again")
    return root


def _parsed(path: Path) -> Element | None:
    try:
        root: Element | None = parse(path).getroot()
    except DefusedXmlException:
        raise
    except ValueError:
        # The parser knows no encodings of several bytes, such as GB2312; Python decodes them.
        content = path.read_bytes()
        declared = _DECLARED.match(content)
        if declared is None:
            raise
        root = fromstring(content[declared.end() :].decode(declared[1].decode("ascii")))
    return root
