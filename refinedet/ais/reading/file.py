"""Reading of one AIS file: its order of day and month is found on the way."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import numpy as np

from refinedet.ais.reading import reasons
from refinedet.ais.reading.cleaning import clean
from refinedet.ais.reading.date_order import DateOrder, MonthFirst
from refinedet.ais.reading.messages import Wanted
from refinedet.ais.reading.nmea import LogFile
from refinedet.ais.reading.records import RecordsFile
from refinedet.ais.reading.static_data import StaticData
from refinedet.ais.reading.tabular import CsvFile, ParquetFile
from refinedet.ais.tables import Fixes
from refinedet.config.ais_options import DateOrder as OrderStated

AisFile = LogFile | CsvFile | ParquetFile | RecordsFile


@dataclass(slots=True)
class Found:
    """Content of one file."""

    fixes: list[Fixes] = field(default_factory=list)
    statics: StaticData = field(default_factory=StaticData)
    counts: Counter[str] = field(default_factory=Counter)


def read_file(file: AisFile, wanted: Wanted, now: np.datetime64, date_order: OrderStated | None) -> Found:
    """Read one file; read it again if a late date, or the wanted time, shows that the month comes first.

    Raises:
        FileError, InputError: as `read_ais`.
    """
    order = _first_order(file, date_order)
    try:
        found = _read(file, wanted, now, order)
    except MonthFirst:
        return _read(file, wanted, now, DateOrder(day_first=False))
    if not order.assumed:
        return found
    if wanted.start is not None or wanted.end is not None:
        if found.fixes:
            found.counts[reasons.DAY_FIRST_BY_TIME] += order.assumed
            return found
        other = _read(file, wanted, now, DateOrder(day_first=False))
        if other.fixes:
            other.counts[reasons.MONTH_FIRST_BY_TIME] += order.assumed
            return other
    found.counts[reasons.DAY_FIRST] += order.assumed
    return found


def _first_order(file: AisFile, date_order: OrderStated | None) -> DateOrder:
    """Order of dates as far as it is known before reading; that of the Danish Maritime Authority always is."""
    if not isinstance(file, LogFile) and file.columns.day_first:
        return DateOrder(day_first=True)
    if date_order is None:
        return DateOrder()
    return DateOrder(day_first=date_order == "day-first", stated_for=file.source.label)


def _read(file: AisFile, wanted: Wanted, now: np.datetime64, order: DateOrder) -> Found:
    found = Found()
    for rows in file.rows(wanted, order, found.counts):
        part = clean(rows, wanted, now, found.counts)
        if len(part.fixes):
            found.fixes.append(part.fixes)
        found.statics.add(part.statics)
    return found
