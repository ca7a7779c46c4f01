"""Tables of rows in Markdown, of one run or of two runs. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from figures import Figure, Row

NOTHING = "-"


def markdown(rows: Sequence[Row]) -> str:
    """Tables of all rows, one for each table name, in order; a cell is value (interval), count."""
    texts = []
    for table in dict.fromkeys(row.table for row in rows):
        own = [row for row in rows if row.table == table]
        names = list(dict.fromkeys(name for row in own for name in row.figures))
        lines = [f"### {table}", "", _line(["part", "subset", *names]), _rule(len(names) + 2)]
        lines += [_line([row.part, row.subset, *(cell(row.figures.get(name)) for name in names)]) for row in own]
        texts.append("\n".join(lines))
    return "\n\n".join(texts)


def compared(before: Iterable[Row], after: Sequence[Row]) -> str:
    """Tables of two runs side by side, a line for each figure, with the difference of the values."""
    earlier = {(row.table, row.part, row.subset): row.figures for row in before}
    texts = []
    for table in dict.fromkeys(row.table for row in after):
        lines = [f"### {table}", "", _line(["part", "subset", "figure", "before", "after", "difference"]), _rule(6)]
        for row in after:
            if row.table == table:
                old = earlier.get((row.table, row.part, row.subset), {})
                for name, one in row.figures.items():
                    was = old.get(name)
                    lines.append(_line([row.part, row.subset, name, cell(was), cell(one), difference(was, one)]))
        texts.append("\n".join(lines))
    return "\n\n".join(texts)


def cell(figure: Figure | None) -> str:
    """Text of a figure."""
    if figure is None or figure.value is None:
        return NOTHING
    if figure.low is None or figure.high is None:
        return digits(figure.value)
    return f"{digits(figure.value)} ({digits(figure.low)} to {digits(figure.high)}), n = {figure.count}"


def difference(before: Figure | None, after: Figure) -> str:
    """Text of the change of a value."""
    if before is None or before.value is None or after.value is None:
        return NOTHING
    change = after.value - before.value
    return f"{'+' if change > 0 else ''}{digits(change)}"


def digits(value: float) -> str:
    """Text of a number: whole if it is, else with two digits below 10 and one above."""
    if value == round(value) and abs(value) < 1e6:
        return f"{value:.0f}"
    return f"{value:.2f}" if abs(value) < 10 else f"{value:.1f}"


def _line(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _rule(count: int) -> str:
    return "|" + "---|" * count
