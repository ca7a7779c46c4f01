"""Summary of labels over scenes, in sentences for the console and for `summary.json`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.datasets.scene_labels.blocks import SeenScene
from pipeline.datasets.scene_labels.labels import Labels

_ALARMING = 0.05
"""Share of lost labels from which a sentence is a warning."""
_LEFT_OUT = {
    "without a place": "have no place that can be read",
    "lines": "are lines or mixed, and no ships: draw points or polygons",
    "no vessel": "are said to be no vessels",
    "of other scenes": "name other scenes than those given",
}


@dataclass(frozen=True, slots=True)
class Summary:
    """Summary of labels and scenes."""

    labels: Labels
    scenes: Sequence[SeenScene]
    placed_notes: tuple[str, ...]
    on_nodata: int
    point_m: float

    def sentences(self) -> list[str]:
        """Sentences on labels that were read or guessed, and on small losses."""
        labels = self.labels
        kinds = ", ".join(f"{count} {kind}" for kind, count in labels.kinds.items())
        found = [f"{labels.path}: {kinds} over {len(self.scenes)} scene{'s' * (len(self.scenes) > 1)}"]
        counts = Counter(label.name for label in labels.found)
        if labels.class_column is not None:
            shown = ", ".join(f"{name} {count}" for name, count in sorted(counts.items()))
            found.append(f"classes from column {labels.class_column!r}: {shown}")
        points = [label for label in labels.found if label.shape.geom_type == "Point"]
        sized = sum(label.length_m is not None for label in points)
        if sized:
            found.append(f"{sized} points have a length: each is a square of that side")
        if len(points) > sized:
            found.append(
                f"{len(points) - sized} points have no size: each is a square of {self.point_m:g} m; "
                "set `point_m`, or draw boxes if their size matters"
            )
        several = int((np.sum([scene.labelled.inside for scene in self.scenes], axis=0) > 1).sum())
        if several:
            found.append(f"{several} of {len(labels.found)} labels lie in more than one scene, and count in each")
        found += [f"{scene.labelled.path}: {note}" for scene in self.scenes for note in scene.notes]
        return [*found, *self.placed_notes, *(sentence for share, sentence in self._losses() if share <= _ALARMING)]

    def warnings(self) -> list[str]:
        """Sentences on larger losses."""
        return [sentence for share, sentence in self._losses() if share > _ALARMING]

    def _losses(self) -> list[tuple[float, str]]:
        """Shares of all features, with a sentence each."""
        labels, many = self.labels, len(self.labels.found)
        whole = many + sum(labels.left_out.values())
        losses = [(count, f"are left out: they {_LEFT_OUT[reason]}") for reason, count in labels.left_out.items()]
        outside = many - int(np.logical_or.reduce([scene.labelled.inside for scene in self.scenes]).sum())
        long = int(
            np.logical_or.reduce([scene.labelled.too_long & scene.labelled.inside for scene in self.scenes]).sum()
        )
        losses += [
            (outside, "lie outside of every scene"),
            (self.on_nodata, "lie where nothing was measured"),
            (long, "are longer than 1 km, so they are no ships"),
            (
                sum(not label.sure for label in labels.found),
                "are doubted by the file, and count neither as ships nor as background",
            ),
        ]
        return [(count / whole, f"{count} of {whole} labels {what}") for count, what in losses if count]
