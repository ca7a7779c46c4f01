"""Kinds of simulated scenes, by name."""

from __future__ import annotations

from typing import Literal

SceneKind = Literal["plain", "sentinel1"]
"""`plain`: ships, sea and land; `sentinel1`: harder, calibrated on images of Sentinel-1."""
