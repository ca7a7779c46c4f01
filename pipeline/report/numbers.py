"""What an evaluation found, in one piece: what a report shows, and what a comparison sets side by side."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field
from typing import Any

from refinedet.config.base import Settings, validated
from refinedet.errors import InputError

Row = dict[str, Any]
Read = Callable[[str], Any]
"""Content of a JSON file of an evaluation by its name; None where there is none."""

CURVES = {"0.50": "pr_50.json", "0.75": "pr_75.json"}
"""IoU -> file of the precision-recall curve at it."""


@validated(frozen=True, slots=True)
class Numbers(Settings):
    """Content of the files that evaluate writes; what an older evaluation did not write yet is empty."""

    metrics: dict[str, dict[str, Any]]
    """Part of the test split -> measure -> value."""
    curves: dict[str, list[Row]]
    """IoU -> `recall` and `precision`."""
    calibration: list[Row]
    """As shortcomings.calibration_table."""
    mistakes: dict[str, dict[str, Row]]
    """Part of the test split -> as shortcomings.mistake_table."""
    chips: list[Row]
    """As shortcomings.chip_table."""
    dataset: str = ""
    """Name of the data set; empty where it is not known."""
    settings: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Heading -> name -> value: where the result comes from; empty where it is not known."""

    @property
    def test(self) -> dict[str, float]:
        """Measures on the whole test split."""
        return self.metrics["test"]

    @classmethod
    def of_evaluation(cls, read: Read, where: str) -> Numbers:
        """From the files of an evaluation at `where`.

        Raises:
            InputError: metrics.json is no evaluation on a test split.
        """
        curves = {iou: read(name) or [] for iou, name in CURVES.items()}
        parts = {name: read(f"{name}.json") or {} for name in ("metrics", "mistakes")}
        return cls.checked({**parts, "curves": curves, **{n: read(f"{n}.json") or [] for n in _TABLES}}, where)

    @classmethod
    def checked(cls, content: Any, where: str) -> Numbers:
        """From what `to_dict` gave.

        Raises:
            InputError: it is something else.
        """
        metrics = content.get("metrics") if isinstance(content, Mapping) else None
        if not isinstance(metrics, Mapping) or not isinstance(metrics.get("test"), Mapping):
            raise InputError(
                f"expected the results of an evaluation on a test split in {where}, found something else; "
                "name an outputs folder of this project, or outputs/evaluate or outputs/report alone"
            )
        return cls.from_dict({name: content[name] for name in cls.__dataclass_fields__ if name in content}, where)


_TABLES = ("calibration", "chips")
