"""Kind of values in an 8-bit picture: amplitude, or decibels squeezed into 8 bits.

Speckle is multiplicative noise. So in amplitude its standard deviation grows with the mean, and bright pixels deviate
farther than dark ones: the skewness is positive. In decibels its standard deviation is the same everywhere, and the
skewness is negative, because the logarithm of a gamma variable has its long tail below. Both are measured on small
cells.

A picture counts as amplitude unless the evidence is strong. Smoothed and enlarged pictures, and photographs, hardly
show either property.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from refinedet.errors import InputError
from refinedet.raster import SceneReader
from refinedet.scene.input.pixels.colours import channel_span
from refinedet.tiling import Window

Kind = Literal["amplitude", "db"]

CELL_PX = 16
LEAST_CELLS = 24
"""Least number of even cells for a decision."""
LEAST_EVIDENCE = 0.12
"""Least evidence for decibels, after subtraction of two standard errors. None of the 1,160 SSDD chips, in amplitude,
is above 0; the square root of a single look's amplitude reaches 0.11."""
_FLAT_SPAN, _LEAST_EVIDENCE_FLAT = 0.1, 0.18
"""Span below which a sea is so flat that only the skewness counts, and the least evidence then: in the square root of
amplitude it reaches 0.15 (of 2,500 simulated seas), in decibels of up to eight looks it is 0.24 and more."""
_LEAST_FALL = 0.2
"""Least fall of the deviation from dark to bright cells in an inverted picture, and at least its span. In
amplitude it grows; real decibels have a fall of 0.1 at most, smoothed ones one below their span."""
SPAN_DB = (20.0, 70.0)
"""Least and largest distance of grey 0 and 255 in decibels."""
SPECKLE_DB = (1.5, 5.6)
"""Standard deviation of speckle over resampled sea (about nine looks), and of a single look."""
_USUAL_DB_PER_STEP = 0.157
"""Assumed slope of 40 dB in 8 bits, if nothing shows the slope."""
_SLOPE_DIGITS = 3
"""Decimals of a slope, so that rounding errors of a sum never change a result."""

_BLACK, _WHITE = 1, 254
"""Values up to which, and from which, a pixel counts as cut off."""
_MOST_BLACK, _MOST_WHITE = 0.05, 0.02
"""Largest shares of such pixels in a cell. Cut-off white pixels lower the skewness, cut-off black pixels raise it."""
_LEAST_DEVIATION = 0.5
_EVEN_SHARE = 0.3
"""Share of the cells that count: those with the least coarse structure, such as waves, coasts and ships."""
_SPECKLE_DB_PER_SKEWNESS = 4.6
"""Standard deviation of log-gamma speckle over its skewness: 4.4 for many looks, 4.9 for one."""
_GROWTH = 0.4
"""Growth of the deviation with the mean, both logarithmic, half way between decibels (0) and stretched amplitude."""
_MOST_CONSTANCY, _DARK, _BRIGHT = 2.0, 0.2, 0.8
"""Largest contribution of a constant deviation relative to the skewness: the noise of photographs is constant too."""
_BLOCKS, _BLOCK_PX = 6, 192
"""Number of blocks along each side of a picture that are examined, and their side in pixels."""
INVERTED = (
    "its greys look inverted, with a bright sea and dark ships, so few ships are found: set `inverted` to {}, or "
    "`values` to db if this is wrong"
)
_UNDECIDED = (
    "its 8 bits may be decibels or a root of amplitude. The sea is too uniform to tell, so they are used as they are; "
    "if ships are missing, set `values` to db"
)
WEAK_GROWTH = (
    "its speckle grows less with brightness than that of amplitude, as in decibels that a filter smoothed, in a root "
    "(gamma) of amplitude, or in inverted decibels: if few ships are found, set `values` to db, or `inverted` to {}"
)
LEAST_SCENE_PX = 512
"""Side of a scene whose ships cannot fill a notable part of it; smaller pictures may be chips for training."""
_LEAST_SPAN, _CONSTANT, _ROOT = 0.15, 0.4, 0.8
"""Least growth of the level on which the growth of the speckle is judged, and its largest share of that in decibels and
in a root. Amplitude has 0.9 and more in ten real scenes of 512 pixels and more in 8 bits."""
_MOST_CONSTANT_SKEWNESS, _ROOT_SKEWNESS = 0.6, 0.2
_INVERTED_SPAN, _INVERTED_GROWTH, _INVERTED_SKEWNESS = 0.3, 0.55, 0.25
"""Least growth of the level, largest share of the growth of the speckle in it (amplitude has 0.7), and least skewness
of decibels without their sign, which are bright where the sea is dark."""
_LEAST_INVERTED_GROWTH = -0.4
"""Least growth of the speckle of decibels without their sign that were inverted; inverted amplitude has less."""
_WHOLE_DB, _MOST_WHOLE_SKEWNESS = 0.45, -0.25
"""Estimated decibels per step from which greys are whole decibels, and largest skewness that is not due to a filter."""
_GREY_STEPS = 2
"""Largest difference of the channels of a grey picture."""


@dataclass(frozen=True, slots=True)
class EightBit:
    """Guess of the values of an 8-bit picture."""

    kind: Kind
    db_per_step: float
    """Decibels of intensity per grey step, if the picture holds decibels."""
    evidence: float
    """Evidence for decibels; see `LEAST_EVIDENCE`. Minus infinity: too few cells show speckle."""
    skewness: float = np.nan
    """Skewness of the pixels around the mean of their cell."""
    growth: float = np.nan
    """Growth of the logarithmic standard deviation from dark to bright cells."""
    span: float = np.nan
    """Growth of the logarithmic mean from dark to bright cells."""
    cells: int = 0
    """Number of even cells."""

    @property
    def is_inverted(self) -> bool:
        """True if dark parts vary more than bright ones, as in a picture of bright sea and dark ships."""
        return self.skewness < -LEAST_EVIDENCE and self.growth <= -max(_LEAST_FALL, self.span)

    @property
    def has_constant_speckle(self) -> bool:
        """True if speckle hardly grows with brightness, as in smoothed or inverted decibels, in roughly even greys."""
        is_even = -LEAST_EVIDENCE < self.skewness < _MOST_CONSTANT_SKEWNESS
        return self.span >= _LEAST_SPAN and is_even and self.growth <= _CONSTANT * self.span

    @property
    def is_without_sign(self) -> bool:
        """True if the values may be decibels without their sign, whose sea is brighter than their ships."""
        is_skewed = _INVERTED_SKEWNESS <= self.skewness < _MOST_CONSTANT_SKEWNESS
        return is_skewed and self.span >= _INVERTED_SPAN and self.growth <= _INVERTED_GROWTH * self.span

    @property
    def is_root(self) -> bool:
        """True if speckle grows less with brightness than in amplitude, as in its root (gamma)."""
        return self.span >= _LEAST_SPAN and abs(self.skewness) < _ROOT_SKEWNESS and self.growth <= _ROOT * self.span

    @property
    def is_read_as_decibels(self) -> bool:
        """True if the values are read as decibels."""
        return self.kind == "db" and not self.is_inverted

    @property
    def is_undecided(self) -> bool:
        """True if the values may be decibels, but the sea is too flat to exclude a root of amplitude."""
        return self.kind == "amplitude" and self.evidence >= LEAST_EVIDENCE


def guess_eight_bit(blocks: Iterable[NDArray[np.uint8]]) -> EightBit:
    """Guess whether an 8-bit picture holds amplitude or decibels.

    Args:
        blocks: parts of the picture (h, w) at full resolution, neither averaged nor thinned.
    """
    parts = [_cell_statistics(block) for block in blocks]
    table = np.concatenate(parts) if parts else np.zeros((0, 4))
    even = table[table[:, 3] <= np.quantile(table[:, 3], _EVEN_SHARE)] if len(table) else table
    if len(even) < LEAST_CELLS:
        return EightBit("amplitude", _USUAL_DB_PER_STEP, -np.inf, cells=len(even))
    mean, deviation, skewness = even[:, 0], even[:, 1], even[:, 2]
    skew = float(np.median(skewness))
    error = 1.25 * float(skewness.std()) / np.sqrt(len(even))
    dark, bright = (mean <= np.quantile(mean, _DARK)), (mean >= np.quantile(mean, _BRIGHT))
    span, growth = (float(np.log(np.median(x[bright]) / np.median(x[dark]))) for x in (mean, deviation))
    constancy = (_GROWTH * span - max(growth, 0.0)) / 2
    evidence = float(-skew + min(constancy, _MOST_CONSTANCY * max(-skew, 0.0)) - 2 * error)
    least = LEAST_EVIDENCE if span >= _FLAT_SPAN else _LEAST_EVIDENCE_FLAT
    kind: Kind = "db" if evidence >= least else "amplitude"
    return EightBit(kind, _slope(skew, float(np.median(deviation))), evidence, skew, growth, span, len(even))


def apply_eight_bit(reader: SceneReader, kind: Kind | None = None, *, inverted: bool = False) -> bool:
    """Make a reader of an 8-bit picture in decibels give amplitudes, float32 (h, w), 1 for black, and report this.

    Args:
        reader: an 8-bit picture, grey or in colours; colours stay as they are.
        kind: kind of the values as the user states it; None: guessed.
        inverted: True if the user states that low values are bright.

    Returns:
        True if it is read as decibels.

    Raises:
        FileError: the pixels cannot be read.
        InputError: `kind` is db, and the picture has colours.
    """
    if kind == "amplitude":
        return False
    guess = _guess_picture(reader)
    if guess is None:
        if kind == "db":
            raise InputError(
                f"expected a grey picture for `values` of db in {reader.path}, found a picture in colours; "
                "name one of its bands by `band`"
            )
        return False
    lost_sign = inverted and guess.kind == "db" and guess.growth >= _LEAST_INVERTED_GROWTH
    if kind is None and not guess.is_read_as_decibels and not lost_sign:
        reader.tell(*filter(None, [_doubt(reader, guess)]))
        return False
    reader.use_steps((10 ** (np.arange(256) * guess.db_per_step / 20)).astype(np.float32))
    is_whole = guess.db_per_step == 1
    span = "whole decibels" if is_whole else f"decibels over a range of {255 * guess.db_per_step:.0f} dB"
    note = f"its 8 bits look like {span}, and are read so; set `values` to change this"
    if kind == "db":
        note = f"its 8 bits are read as {span}, a span judged by the speckle"
    evidence = "speckle" if kind is None else "setting"
    reader.tell(note, values={"kind": "db", "from": evidence, "db_per_step": guess.db_per_step})
    return True


def _doubt(reader: SceneReader, guess: EightBit) -> str | None:
    """Sentence on a picture that is read as amplitude, but may be of another kind; None without doubt."""
    other = "off" if reader.is_inverted else "on"
    if guess.is_inverted:
        return INVERTED.format(other)
    is_large = min(reader.info.width, reader.info.height) >= LEAST_SCENE_PX
    if (
        is_large
        and guess.cells >= LEAST_CELLS
        and (guess.has_constant_speckle or guess.is_without_sign or guess.is_root)
    ):
        return WEAK_GROWTH.format(other)
    return _UNDECIDED if guess.is_undecided else None


def looks_like_decibels(reader: SceneReader) -> bool:
    """True if detection reads an 8-bit picture as decibels, unless the user states otherwise.

    Raises:
        FileError: the pixels cannot be read.
    """
    guess = _guess_picture(reader)
    return guess is not None and guess.is_read_as_decibels


def _guess_picture(reader: SceneReader) -> EightBit | None:
    """Guess of the values of a picture; None for one in colours."""
    blocks = _blocks(reader)
    if any(_has_colours(block) for block in blocks):
        return None
    return guess_eight_bit([block if block.ndim == 2 else block[..., 1] for block in blocks])


def _blocks(reader: SceneReader) -> list[NDArray[Any]]:
    """Blocks of pixels spread evenly over a picture, from top to bottom: all of a small one."""
    rows, columns = (_pieces(side) for side in (reader.info.height, reader.info.width))
    return [reader.read(Window(y, x, high, wide)) for y, high in rows for x, wide in columns]


def _pieces(side: int) -> list[tuple[int, int]]:
    """First pixel and length of each piece along a side."""
    if side <= _BLOCKS * _BLOCK_PX:
        return [(0, side)]
    return [(round(k * (side - _BLOCK_PX) / (_BLOCKS - 1)), _BLOCK_PX) for k in range(_BLOCKS)]


def _has_colours(block: NDArray[Any]) -> bool:
    return block.ndim == 3 and bool((channel_span(block) > _GREY_STEPS).any())


def _slope(skewness: float, deviation: float) -> float:
    speckle_db = float(np.clip(-_SPECKLE_DB_PER_SKEWNESS * skewness, *SPECKLE_DB))
    if skewness <= _MOST_WHOLE_SKEWNESS and speckle_db >= _WHOLE_DB * deviation:
        return 1.0
    low, high = SPAN_DB
    return round(float(np.clip(speckle_db / deviation, low / 255, high / 255)), _SLOPE_DIGITS)


def _cell_statistics(block: NDArray[Any]) -> NDArray[np.float64]:
    """Mean, standard deviation, skewness and coarse structure of each usable cell: (n, 4).

    A plane is subtracted from each cell. Cells that are cut off at black or white, or constant, are omitted.
    """
    side = CELL_PX
    rows, columns = (length // side * side for length in block.shape)
    grid = block[:rows, :columns].reshape(rows // side, side, columns // side, side)
    cells = grid.swapaxes(1, 2).reshape(-1, side * side)
    black, white = (cut.sum(axis=1) / side**2 for cut in (cells <= _BLACK, cells >= _WHITE))
    cells = cells[(black <= _MOST_BLACK) & (white <= _MOST_WHITE)].astype(np.float32)
    mean = cells @ _FLAT
    cells -= (cells @ _PLANE) @ (_PLANE.T / (_PLANE**2).sum(axis=0)[:, None])
    variance = np.einsum("ij,ij->i", cells, cells) / side**2
    used = variance > _LEAST_DEVIATION**2
    cells, mean, variance = cells[used], mean[used], variance[used]
    skewness = np.einsum("ij,ij,ij->i", cells, cells, cells) / side**2 / variance**1.5
    coarse = (cells @ _QUARTERS).var(axis=1) / variance
    return np.stack([mean, np.sqrt(variance), skewness, coarse], axis=1).astype(np.float64)


def _plane() -> NDArray[np.float32]:
    """Level and both slopes of a cell: three orthogonal columns (CELL_PX ** 2, 3)."""
    y, x = np.mgrid[:CELL_PX, :CELL_PX].reshape(2, -1) - (CELL_PX - 1) / 2
    return np.stack([np.ones_like(x), x, y], axis=1).astype(np.float32)


def _quarters() -> NDArray[np.float32]:
    """Weights (CELL_PX ** 2, 16) of the means of 4 x 4 parts of a cell."""
    y, x = np.mgrid[:CELL_PX, :CELL_PX].reshape(2, -1) // (CELL_PX // 4)
    part = 4 * y + x
    return np.asarray((part[:, None] == np.arange(16)) * (16 / CELL_PX**2), np.float32)


_PLANE, _QUARTERS = _plane(), _quarters()
_FLAT = _PLANE[:, 0] / CELL_PX**2
