"""Reading of AIS files one by one; the order of day and month is that of all files together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from refinedet.ais.reading import reasons
from refinedet.ais.reading.cleaning import clean
from refinedet.ais.reading.formats.nmea import LogFile
from refinedet.ais.reading.formats.records import RecordsFile
from refinedet.ais.reading.formats.tabular import CsvFile, ParquetFile
from refinedet.ais.reading.messages import Wanted
from refinedet.ais.reading.parsing.date_order import DateOrder, MonthFirst
from refinedet.ais.reading.static_data import StaticData
from refinedet.ais.tables import Fixes
from refinedet.config.options.ais import DateOrder as OrderStated

AisFile = LogFile | CsvFile | ParquetFile | RecordsFile


@dataclass(slots=True)
class Found:
    """Content of one file."""

    order: DateOrder
    """Order of its dates, as far as they show it."""
    fixes: list[Fixes] = field(default_factory=list)
    statics: StaticData = field(default_factory=StaticData)
    counts: Counter[str] = field(default_factory=Counter)


def read_files(
    files: Sequence[AisFile], wanted: Wanted, now: np.datetime64, date_order: OrderStated | None
) -> list[Found]:
    """Read files; dates that do not show their order have that of the other files, else the one near the wanted time.

    Files are read again if a late date, another file or the wanted time shows that the month comes first.

    Raises:
        FileError, InputError: as `read_ais`.
    """
    found = [_read_first(file, wanted, now, date_order) for file in files]
    unclear = [i for i, one in enumerate(found) if one.order.assumed]
    orders = {
        one.order.day_first
        for file, one in zip(files, found, strict=True)
        if one.order.day_first is not None and not _is_danish(file)
    }
    if not unclear or orders == {True}:
        return found
    timed = wanted.start is not None or wanted.end is not None
    is_near = timed and any(found[i].fixes for i in unclear)
    if orders == {False} or (timed and not is_near):
        again = {i: _read(files[i], wanted, now, DateOrder(day_first=False)) for i in unclear}
        if orders or any(one.fixes for one in again.values()):
            for i, one in again.items():
                one.counts[reasons.MONTH_FIRST_BY_TIME] += 0 if orders else found[i].order.assumed
            return [again.get(i, one) for i, one in enumerate(found)]
    # of several files, another one may be near the time with the month first
    sure = is_near and len(unclear) == 1
    for i in unclear:
        found[i].counts[reasons.DAY_FIRST_BY_TIME if sure else reasons.DAY_FIRST] += found[i].order.assumed
    return found


def _read_first(file: AisFile, wanted: Wanted, now: np.datetime64, date_order: OrderStated | None) -> Found:
    """Read a file with the order of dates that is known or stated, else with the one that its dates show."""
    order = DateOrder()
    if _is_danish(file):
        order = DateOrder(day_first=True)
    elif date_order is not None:
        order = DateOrder(day_first=date_order == "day-first", stated_for=file.source.label)
    try:
        return _read(file, wanted, now, order)
    except MonthFirst:
        return _read(file, wanted, now, DateOrder(day_first=False))


def _is_danish(file: AisFile) -> bool:
    """True for a file of the Danish Maritime Authority, whose order of dates is known."""
    return not isinstance(file, LogFile) and file.columns.day_first


def _read(file: AisFile, wanted: Wanted, now: np.datetime64, order: DateOrder) -> Found:
    found = Found(order)
    for rows in file.rows(wanted, order, found.counts):
        part = clean(rows, wanted, now, found.counts)
        if len(part.fixes):
            found.fixes.append(part.fixes)
            if not isinstance(file, LogFile) and file.columns.speed_unit_kn != 1:
                found.counts[reasons.SPEED_CONVERTED] += int(np.isfinite(part.fixes.speed_kn).sum())
        found.statics.add(part.statics)
    return found
