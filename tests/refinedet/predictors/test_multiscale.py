"""Multi-scale test: the input and the results of each pass, and their merging."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy import ndimage

from refinedet.config import ModelConfig, MultiscaleConfig, Pass, PostprocessConfig, Radiometry, SuppressionConfig
from refinedet.detections import Detections
from refinedet.model.network import RefineDet
from refinedet.predictors.multiscale import MultiscalePredictor, long_side_px, merge_passes, run_pass
from refinedet.predictors.predictor import Chip, TorchPredictor

FLIPS = ("none", "horizontal", "vertical", "both")
CHIPS = [
    np.random.default_rng(seed).integers(0, 255, shape, dtype=np.uint8)
    for seed, shape in enumerate([(50, 80), (128, 128), (30, 200, 3), (50, 80), (1, 1)])
]


class Blobs:
    """Predictor that finds each bright blob exactly, at any size, and remembers its inputs."""

    classes = ("ship",)
    radiometry = Radiometry()
    input_px = 64

    def __init__(self) -> None:
        self.postprocess = PostprocessConfig(pre_nms=50)
        self.sides: list[int] = []

    def predict(self, chips: Sequence[Chip]) -> list[Detections]:
        """Find blobs at scale 1."""
        return self.predict_at(chips, [self.input_px] * len(chips), self.postprocess)

    def predict_at(
        self, chips: Sequence[Chip], long_sides_px: Sequence[int], postprocess: PostprocessConfig
    ) -> list[Detections]:
        """Blobs of the chips as they are."""
        assert (postprocess.suppression, postprocess.max_detections) == ("none", 50), "candidates must arrive whole"
        self.sides += long_sides_px
        found = []
        for chip in chips:
            places = ndimage.find_objects(ndimage.label(chip > 0)[0])
            boxes = [(x.start, y.start, x.stop, y.stop) for y, x in places]
            found.append(Detections.of(boxes, np.full(len(boxes), 0.9), np.zeros(len(boxes))))
        return found


def chip_with(*boxes: tuple[int, int, int, int]) -> Chip:
    chip = np.zeros((40, 60), np.uint8)
    for x1, y1, x2, y2 in boxes:
        chip[y1:y2, x1:x2] = 255
    return chip


def network(batch_size: int = 4) -> TorchPredictor:
    torch.manual_seed(0)
    model = RefineDet(ModelConfig(backbone_weights="none", tcb_channels=8, input_px=64))
    config = PostprocessConfig(objectness_min=0.0, score_min=0.0, max_detections=20, pre_nms=60)
    return TorchPredictor(
        model, classes=("ship",), radiometry=Radiometry(), device="cpu", batch_size=batch_size, postprocess=config
    )


@pytest.mark.parametrize("flip", FLIPS)
def test_a_mirrored_pass_reports_boxes_where_they_are(flip: str) -> None:
    chip = chip_with((3, 5, 20, 12), (40, 30, 60, 40))
    found = run_pass(Blobs(), [chip], Pass.from_dict({"flip": flip}))[0]
    assert found.boxes_xyxy.tolist() == [[3, 5, 20, 12], [40, 30, 60, 40]]


def test_size_gates_are_in_pixels_of_the_image_and_half_open() -> None:
    chip = chip_with((0, 0, 10, 4), (20, 0, 30, 8), (40, 0, 60, 20))
    config = MultiscaleConfig.from_dict(
        {"passes": [{"scale": 2.0, "max_short_px": 8.0}, {"scale": 0.5, "min_short_px": 20.0}]}
    )
    boxes = MultiscalePredictor(Blobs(), config).predict([chip])[0].boxes_xyxy.tolist()
    assert boxes == [[0, 0, 10, 4], [40, 0, 60, 20]], "8 is not below 8, and 20 is at least 20"


def test_each_pass_sets_the_side_it_names() -> None:
    assert [long_side_px(500, 350, Pass(scale=s), 512) for s in (0.5, 1.0, 1.75)] == [256, 512, 896]
    short = Pass(scale=0.75, side="short")
    assert long_side_px(500, 350, short, 512) == long_side_px(350, 500, short, 512) == round(384 * 500 / 350)
    assert long_side_px(400, 400, short, 512) == 384
    assert long_side_px(4000, 10, short, 512) == 1152, "a strip must not fill the memory"
    assert long_side_px(1, 1, Pass(scale=0.001), 64) == 1
    seen = Blobs()
    MultiscalePredictor(seen, MultiscaleConfig.preset("published")).predict([chip_with()])
    assert seen.sides == [side for side in (32, 48, 64, 96, 112, 72) for _ in range(2)]


def test_presets_are_those_of_the_public_code() -> None:
    published, coco = (MultiscaleConfig.preset(name) for name in ("published", "published-coco"))
    assert (len(published.passes), len(coco.passes)) == (12, 18)
    gates = {row.scale: row.max_short_px for row in coco.passes if row.side == "long"}
    ungated = dict.fromkeys((0.5, 0.75, 1.0))
    assert gates == ungated | {1.25: 224, 1.5: 192, 1.75: 128, 2.0: 96, 2.25: 64}
    for config in (published, coco):
        merge = config.merge
        assert (merge.suppression, merge.nms_iou, merge.voting_iou) == ("soft_linear", 0.45, 0.45)
        assert {row.flip for row in config.passes} == {"none", "horizontal"}


def test_one_pass_is_the_single_scale_test() -> None:
    predictor = network()
    merge = SuppressionConfig(score_min=0.0, max_detections=20)
    alike = MultiscalePredictor(predictor, MultiscaleConfig(merge=merge, scoring="mean"))
    for one, other in zip(predictor.predict(CHIPS), alike.predict(CHIPS), strict=True):
        np.testing.assert_allclose(one.scores, other.scores, atol=1e-5)
        np.testing.assert_allclose(one.boxes_xyxy, other.boxes_xyxy, atol=0.01)


@pytest.mark.parametrize("name", ["light", "published"])
def test_results_do_not_depend_on_batch_or_company(name: str) -> None:
    config = MultiscaleConfig.preset(name)
    chips = [CHIPS[index] for index in (0, 2, 3)]
    together = MultiscalePredictor(network(4), config).predict(chips)
    for chip, expected in zip(chips, together, strict=True):
        alone = MultiscalePredictor(network(1), config).predict([chip])[0]
        np.testing.assert_allclose(alone.scores, expected.scores, atol=1e-3)
        assert len(expected) > 0
        assert (expected.boxes_xyxy >= -1e-3).all()
        assert (expected.boxes_xyxy[:, 2:] <= np.array(chip.shape[1::-1]) + 1e-3).all()


def test_an_enlarged_canvas_comes_in_smaller_batches() -> None:
    predictor = network(4)
    shapes: list[torch.Size] = []
    predictor.model.register_forward_pre_hook(lambda _, inputs: shapes.append(inputs[0].shape))
    predictor.predict_at([CHIPS[1]] * 5, [128] * 5, predictor.postprocess)
    predictor.predict_at([CHIPS[1]] * 5, [32] * 5, predictor.postprocess)
    assert [tuple(shape) for shape in shapes] == [(1, 1, 128, 128)] * 5 + [(4, 1, 64, 64), (1, 1, 64, 64)]


def passes(*rows: list[tuple[list[float], float]]) -> list[Detections]:
    return [Detections.of([b for b, _ in row], [s for _, s in row], [0] * len(row)) for row in rows]


NEAR, NEARER = [0.0, 0, 10, 10], [0.0, 0, 12, 10]
VOTE = MultiscaleConfig((Pass(), Pass(flip="horizontal")), merge=SuppressionConfig(nms_iou=0.45, voting_iou=0.45))


def test_boxes_of_all_passes_vote() -> None:
    merged = merge_passes(passes([(NEAR, 0.75)], [(NEARER, 0.25)]), VOTE)
    assert merged.boxes_xyxy.tolist() == [pytest.approx([0, 0, 10.5, 10])]
    assert merged.scores.tolist() == [0.75]


def test_nms_within_a_pass_leaves_one_vote_to_each() -> None:
    crowded = passes([(NEAR, 0.5), (NEARER, 0.4), (NEARER, 0.3)], [(NEARER, 0.5)])
    assert merge_passes(crowded, VOTE).boxes_xyxy[0, 2] > 11
    assert merge_passes(crowded, replace(VOTE, pass_nms_iou=0.45)).boxes_xyxy[0, 2] == pytest.approx(11)


def test_mean_scoring_counts_the_passes_that_could_have_seen_the_box() -> None:
    mean = replace(VOTE, scoring="mean")
    assert merge_passes(passes([(NEAR, 0.8)], [(NEAR, 0.4)]), mean).scores.tolist() == pytest.approx([0.6])
    assert merge_passes(passes([(NEAR, 0.8)], []), mean).scores.tolist() == pytest.approx([0.4])
    gated = replace(mean, passes=(Pass(), Pass(scale=2.0, max_short_px=5.0)))
    assert merge_passes(passes([(NEAR, 0.8)], []), gated).scores.tolist() == pytest.approx([0.8])
    assert len(merge_passes(passes([(NEAR, 0.016)], []), mean)) == 0, "below score_min after all"


def test_nothing_found_in_any_pass_is_nothing() -> None:
    for name in ("light", "published", "published-coco"):
        config = MultiscaleConfig.preset(name)
        assert len(merge_passes([Detections.empty()] * len(config.passes), config)) == 0
    assert MultiscalePredictor(Blobs(), VOTE).predict([]) == []
