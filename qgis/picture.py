"""Picture of a scene with its ships as QGIS shows them, by the style in the GeoPackage, without a window.

Run by a Python that has QGIS: `QT_QPA_PLATFORM=offscreen python3 qgis/picture.py scene.tif ships.gpkg out.png`.
"""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

from qgis.core import (
    QgsApplication,
    QgsContrastEnhancement,
    QgsLayoutExporter,
    QgsLayoutItemLegend,
    QgsLayoutItemMap,
    QgsLayoutPoint,
    QgsLayoutSize,
    QgsLegendStyle,
    QgsPrintLayout,
    QgsProject,
    QgsRasterLayer,
    QgsRectangle,
    QgsVectorLayer,
)
from qgis.PyQt.QtCore import QRectF
from qgis.PyQt.QtGui import QFont

_DPI = 96
_MM = 25.4 / _DPI
"""Millimetres of a pixel."""


def main() -> None:
    """Draw the picture, and print what QGIS shows of the layer as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("scene", help="raster")
    parser.add_argument("ships", help="GeoPackage")
    parser.add_argument("out", help="picture (PNG)")
    parser.add_argument("--size", type=int, nargs=2, default=(900, 600), help="width and height in pixels")
    parser.add_argument("--extent", type=float, nargs=4, help="left, bottom, right, top in the scene's system")
    asked = parser.parse_args()
    application = QgsApplication([], GUIenabled=False)
    application.initQgis()
    told = _draw(asked)
    application.exitQgis()
    sys.stdout.write(json.dumps(told) + "\n")


def _draw(asked: argparse.Namespace) -> dict[str, Any]:
    """Draw the picture, and return the number of ships and the labels of their symbols."""
    scene, ships = QgsRasterLayer(asked.scene, "scene"), QgsVectorLayer(asked.ships, "ships", "ogr")
    if not (scene.isValid() and ships.isValid()):
        sys.exit("expected a raster and a GeoPackage that QGIS opens, found another")
    scene.setContrastEnhancement(QgsContrastEnhancement.StretchToMinimumMaximum)
    project = QgsProject()
    project.setCrs(scene.crs())
    project.addMapLayers([scene, ships])
    layout = QgsPrintLayout(project)
    layout.initializeDefaults()
    width, height = (side * _MM for side in asked.size)
    layout.pageCollection().page(0).setPageSize(QgsLayoutSize(width, height))
    shown = QgsLayoutItemMap(layout)
    shown.attemptSetSceneRect(QRectF(0, 0, width, height))
    shown.setLayers([ships, scene])  # the first on top
    shown.setExtent(QgsRectangle(*asked.extent) if asked.extent else scene.extent())
    shown.attemptSetSceneRect(QRectF(0, 0, width, height))
    layout.addLayoutItem(shown)
    legend = QgsLayoutItemLegend(layout)
    legend.setAutoUpdateModel(False)
    legend.model().rootGroup().removeLayer(scene)
    for part in (QgsLegendStyle.Subgroup, QgsLegendStyle.SymbolLabel):
        legend.setStyleFont(part, QFont("sans", 8))
    layout.addLayoutItem(legend)
    legend.setReferencePoint(QgsLayoutItemLegend.LowerLeft)
    legend.adjustBoxSize()
    legend.attemptMove(QgsLayoutPoint(2, height - 2))
    settings = QgsLayoutExporter.ImageExportSettings()
    settings.dpi = _DPI
    if QgsLayoutExporter(layout).exportToImage(asked.out, settings) != QgsLayoutExporter.Success:
        sys.exit(f"expected to write {asked.out}, but that failed")
    renderer = ships.renderer()
    labels = [item.label() for item in renderer.legendSymbolItems()]
    return {"ships": ships.featureCount(), "renderer": renderer.type(), "labels": labels}


if __name__ == "__main__":
    main()
