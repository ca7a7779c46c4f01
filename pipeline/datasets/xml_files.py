"""XML files from elsewhere, parsed without harm."""

from __future__ import annotations

from pathlib import Path
from xml.etree.ElementTree import Element, ParseError  # the parser is defusedxml's

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import parse

from refinedet.errors import FileError, InputError


def xml_root(path: Path) -> Element:
    """Root of an XML file of annotations.

    Raises:
        FileError: the file cannot be read.
        InputError: it is no XML, or would harm the reader.
    """
    try:
        root: Element | None = parse(path).getroot()
    except OSError as error:
        raise FileError(f"expected an annotation at {path}, but it cannot be read ({error.strerror})") from error
    except (ParseError, DefusedXmlException, ValueError, LookupError) as error:  # LookupError: an unknown encoding
        raise InputError(
            f"expected an annotation in {path}, found no harmless XML ({error}); fetch the data set again"
        ) from error
    if root is None:
        raise InputError(f"expected an annotation in {path}, found nothing; fetch the data set again")
    return root
