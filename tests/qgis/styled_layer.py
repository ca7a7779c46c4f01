"""Run of the plugin's algorithm in QGIS by a stand-in command; it tells how the layer looks. For QGIS's Python."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

sys.path += ["/usr/share/qgis/python/plugins", str(Path(__file__).resolve().parents[2] / "qgis")]

from processing.core.Processing import Processing
from processing.core.ProcessingConfig import ProcessingConfig
from processing.gui.Postprocessing import handleAlgorithmResults
from qgis.core import (
    QgsApplication,
    QgsCategorizedSymbolRenderer,
    QgsFeature,
    QgsFillSymbol,
    QgsGeometry,
    QgsProcessingContext,
    QgsProcessingFeedback,
    QgsProject,
    QgsRendererCategory,
    QgsVectorFileWriter,
    QgsVectorLayer,
)

from refinedet_qgis.plugin import RefineDetPlugin


def styled_geopackage(path: Path) -> None:
    """Write a GeoPackage whose layer has a style of its own."""
    layer = QgsVectorLayer("Polygon?crs=EPSG:4326&field=score:double", "ships", "memory")
    ship = QgsFeature(layer.fields())
    ship.setGeometry(QgsGeometry.fromWkt("POLYGON((0 0, 1 0, 1 1, 0 0))"))
    layer.dataProvider().addFeatures([ship])
    QgsVectorFileWriter.writeAsVectorFormat(layer, str(path), "utf-8", layer.crs(), "GPKG")
    written = QgsVectorLayer(str(path), "ships", "ogr")
    symbol = QgsFillSymbol.createSimple({"color": "red"})
    written.setRenderer(QgsCategorizedSymbolRenderer("score", [QgsRendererCategory(1, symbol, "one")]))
    written.saveStyleToDatabase("ships", "", True, "")  # noqa: FBT003 - QGIS takes no names there


def run(folder: Path) -> dict[str, Any]:
    """Run the algorithm, let QGIS load what it asks for, and return the kinds of symbols of the layers."""
    files = [str(folder / name) for name in ("a.gpkg", "a.ais.gpkg")]
    for file in files:
        styled_geopackage(Path(file))
    summary = {"scenes": [{"error": None, "ships": 1, "notes": ["a note"], "files": files}]}
    (folder / "summary.json").write_text(json.dumps(summary))
    command = folder / "stand-in"
    command.write_text(f"#!/bin/sh\necho 'a 1/2 windows' >&2\necho \"$@\" > {folder}/line\ncat {folder}/summary.json\n")
    command.chmod(0o755)
    (folder / "scene.zip").write_bytes(b"")
    Processing.initialize()
    plugin = RefineDetPlugin()
    plugin.initProcessing()
    ProcessingConfig.setSettingValue("REFINEDET_COMMAND", str(command))
    given = {"PRODUCT": str(folder / "scene.zip"), "OUTPUT": str(folder / "out"), "POL": 5}
    told: dict[str, Any] = {}
    for _ in range(2):  # as in one session of QGIS
        context, feedback = QgsProcessingContext(), QgsProcessingFeedback()
        context.setProject(QgsProject.instance())
        algorithm = QgsApplication.processingRegistry().createAlgorithmById("refinedet:detectships")
        results, fine = algorithm.run(given, context, feedback)
        handleAlgorithmResults(algorithm, context, feedback, parameters=given)
        layers = QgsProject.instance().mapLayers().values()
        shown = {layer.name(): layer.renderer().type() for layer in layers}
        told = {"fine": fine, "results": results, "layers": shown, "log": feedback.textLog()}
        QgsProject.instance().clear()
        del context
    plugin.unload()
    return told


if __name__ == "__main__":
    application = QgsApplication([], False)  # noqa: FBT003 - QGIS takes no names there
    application.initQgis()
    sys.stdout.write(json.dumps(run(Path(sys.argv[1]))) + "\n")
    sys.stdout.flush()
    os._exit(0)  # QGIS without a window may crash while it ends
