"""Text files of rational polynomial coefficients (RPC) beside a raster. Pure."""

from __future__ import annotations

import re

from refinedet.raster.polynomials import COEFFICIENTS

_LINE = re.compile(r"^\s*([A-Z]+(?:_[A-Z]+)+)(?:_(\d+))?\s*:\s*(\S+)", re.MULTILINE)
"""Line of a text file: its name, the number of the coefficient, the value."""
_STATEMENT = re.compile(r"(\w+)\s*=\s*(\([^()]*\)|[^;()\n]+);")
"""Statement of a file of the kind .rpb."""
_RPB = {"Offset": "OFF", "Scale": "SCALE", "NumCoef": "NUM_COEFF", "DenCoef": "DEN_COEFF"}


def parsed_polynomials(text: str) -> dict[str, str]:
    """Entries of a text file of RPC, by the names that GDAL gives them: of `_RPC.TXT` or `.rpb`."""
    found: dict[str, str] = {}
    coefficients: dict[str, dict[int, str]] = {}
    for name, number, value in _LINE.findall(text):
        if number:
            coefficients.setdefault(name, {})[int(number)] = value
        else:
            found[name] = value
    for name, values in coefficients.items():
        found[name] = " ".join(values.get(n, "") for n in range(1, COEFFICIENTS + 1))
    for name, value in _STATEMENT.findall(text):
        for end, gdals in _RPB.items():
            if name.endswith(end):
                found[f"{name.removesuffix(end).upper()}_{gdals}"] = " ".join(
                    value.strip("()").replace(",", " ").split()
                )
    return found
