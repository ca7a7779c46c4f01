"""Results of an evaluation as one object, for reports and comparisons."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field
from typing import Any

from refinedet.config.base import Settings, validated
from refinedet.errors import InputError

Row = dict[str, Any]
Read = Callable[[str], Any]
"""Function from the name of a JSON file of an evaluation to its content, or to None without such a file."""

CURVES = {"0.50": "pr_50.json", "0.75": "pr_75.json"}
"""IoU -> file of the precision-recall curve at it."""


@validated(frozen=True, slots=True)
class Numbers(Settings):
    """Content of the files that evaluate writes; a field is empty if an older evaluation lacks its file."""

    metrics: dict[str, dict[str, Any]]
    """Part of the test split -> measure -> value."""
    curves: dict[str, list[Row]]
    """IoU -> rows with `recall` and `precision`."""
    score_calibration: list[Row]
    """Rows of error_tables.calibration_table."""
    detection_errors: dict[str, dict[str, Row]]
    """Part of the test split -> rows of error_tables.detection_error_table."""
    chips: list[Row]
    """Rows of error_tables.chip_table."""
    dataset: str = ""
    """Name of the data set; empty if it is not known."""
    facts: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Heading -> name -> value: the settings and hashes of the result; empty if they are unknown."""

    @property
    def test(self) -> dict[str, float]:
        """Measures on the whole test split."""
        return self.metrics["test"]

    @classmethod
    def of_evaluation(cls, read: Read, where: str) -> Numbers:
        """Build from the files of an evaluation at `where`.

        Raises:
            InputError: metrics.json is no evaluation on a test split.
        """
        curves = {iou: read(name) or [] for iou, name in CURVES.items()}
        parts = {name: read(f"{name}.json") or {} for name in ("metrics", "detection_errors")}
        return cls.checked({**parts, "curves": curves, **{n: read(f"{n}.json") or [] for n in _TABLES}}, where)

    @classmethod
    def checked(cls, content: Any, where: str) -> Numbers:
        """Build from the result of `to_dict`.

        Raises:
            InputError: `content` is something else.
        """
        metrics = content.get("metrics") if isinstance(content, Mapping) else None
        if not isinstance(metrics, Mapping) or not isinstance(metrics.get("test"), Mapping):
            raise InputError(
                f"expected the results of an evaluation on a test split in {where}, found something else; "
                "name an outputs folder of this project, or outputs/evaluate or outputs/report alone"
            )
        return cls.from_dict({name: content[name] for name in cls.__dataclass_fields__ if name in content}, where)


_TABLES = ("score_calibration", "chips")
