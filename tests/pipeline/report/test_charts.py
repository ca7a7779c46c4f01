"""Charts of a training as PNG."""

from __future__ import annotations

from matplotlib.figure import Figure

from pipeline.report.charts import draw_losses


def test_a_training_of_one_epoch_has_whole_epochs_on_its_axis() -> None:
    axes = Figure().subplots()
    draw_losses(axes, [{"epoch": 1, "loss": 1.0, "lr": 0.001}])
    low, high = axes.get_xlim()
    assert [tick for tick in axes.get_xticks() if low <= tick <= high] == [1]
