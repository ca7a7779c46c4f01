"""Ships in a scene, and their AIS, made up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pytest

from refinedet.ais.evidence import Detected
from refinedet.ais.geometry import SceneGeometry, Surface
from refinedet.ais.matching import SceneToMatch
from refinedet.data.simulation.ais import AisSpec, ShipsShown, SimulatedAis, simulate_ais
from refinedet.geo.steps import direction, moved

MIDDLE = np.array([6.5, 54.5])


@dataclass(frozen=True)
class Made:
    """Detections of a scene, one for each ship in order, and the truth."""

    scene: SceneToMatch
    truth: SimulatedAis

    def with_scene(self, **changed: object) -> Made:
        """Scene with other values."""
        return replace(self, scene=replace(self.scene, **changed))

    def only(self, rows: np.ndarray) -> Made:
        """Detections of these ships alone."""
        one = self.scene.detected
        few = Detected(one.lonlat[rows], one.length_m[rows], one.heading_deg[rows])
        flags = [self.scene.flags[i] for i in rows]
        return self.with_scene(detected=few, score=self.scene.score[rows], flags=flags)


def view_of_one_angle() -> SceneGeometry:
    """Geometry of an ascending pass that looks right, one for all places."""
    place = MIDDLE[None]
    looks = np.array([[115.0, 37.0, *direction(np.array([348.0]))[0]]])
    start = np.datetime64("2024-05-01T17:00:00", "ms")
    return SceneGeometry(start, Surface(place, np.zeros((1, 1))), Surface(place, looks), source="stated")


@pytest.fixture
def make_scene() -> Callable[..., Made]:
    """Make a scene of moving ships within 40 km, of which 70 % report: `make(seed, count, offset_m)`."""

    def make(seed: int = 0, count: int = 30, offset_m: tuple[float, float] = (0.0, 0.0)) -> Made:
        rng = np.random.default_rng(seed)
        lonlat = moved(np.tile(MIDDLE, (count, 1)), rng.uniform(-20_000, 20_000, (count, 2)))
        length = rng.uniform(60, 250, count)
        shown = ShipsShown(lonlat, rng.uniform(0, 360, count), rng.uniform(6, 16, count), length, length / 6)
        geometry = view_of_one_angle()
        truth = simulate_ais(shown, geometry, AisSpec(seed=seed, gap_s=300.0, turning=0.0, late_share=0.0))
        seen = moved(lonlat, np.array(offset_m) + rng.normal(0, 10, (count, 2)))
        detected = Detected(seen, length + 20 + rng.normal(0, 8, count), shown.heading_deg % 180)
        return Made(SceneToMatch(detected, geometry, np.ones(count), [()] * count), truth)

    return make
