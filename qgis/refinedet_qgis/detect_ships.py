"""Algorithm: ships of a radar image, as a styled layer."""

from __future__ import annotations

from typing import Any

from qgis.core import (
    QgsProcessingContext,
    QgsProcessingFeedback,
    QgsProcessingParameterEnum,
    QgsProcessingParameterFile,
    QgsProcessingParameterNumber,
    QgsProcessingParameterRasterLayer,
    QgsProviderRegistry,
)

from refinedet_qgis.algorithm import EXTRA, OVERWRITE, RefineDetAlgorithm, refused
from refinedet_qgis.command import CommandError, detect_command, detected
from refinedet_qgis.running import run_command

INPUT, PRODUCT, WEIGHTS, SCORE, POL = "INPUT", "PRODUCT", "WEIGHTS", "SCORE", "POL"
_POLS = ("", "vv", "vh", "hh", "hv", "vv+vh", "hh+hv")


class DetectShips(RefineDetAlgorithm):
    """Finds ships in a raster layer, a raster file or a Sentinel-1 product."""

    def name(self) -> str:
        """Name in its id."""
        return "detectships"

    def displayName(self) -> str:
        """Name in the toolbox."""
        return "Detect ships"

    def shortHelpString(self) -> str:
        """Text beside the parameters."""
        return (
            "Finds ships in a radar image: a raster layer, or a Sentinel-1 GRD product (zip, or manifest.safe of a "
            "folder). Runs the command refinedet and loads the ships as a styled layer. Cancelled, it goes on from the "
            "last finished windows when the same is run again."
        )

    def initAlgorithm(self, configuration: dict[str, Any] | None = None) -> None:
        """Declare the parameters."""
        del configuration
        self.addParameter(QgsProcessingParameterRasterLayer(INPUT, "Radar image", optional=True))
        self.addParameter(
            QgsProcessingParameterFile(PRODUCT, "Or a Sentinel-1 product (zip, or manifest.safe)", optional=True)
        )
        self.addParameter(
            QgsProcessingParameterFile(WEIGHTS, "Weights (empty: those that come with refinedet)", optional=True)
        )
        self.addParameter(
            QgsProcessingParameterNumber(
                SCORE, "Lowest score", QgsProcessingParameterNumber.Double, 0.5, minValue=0, maxValue=1
            )
        )
        names = ["as refinedet chooses", *_POLS[1:]]
        self.addParameter(QgsProcessingParameterEnum(POL, "Polarisation", names, defaultValue=0))
        self.add_common()

    def processAlgorithm(
        self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> dict[str, Any]:
        """Run the command and load its layer."""
        try:
            line = detect_command(
                self.command(),
                self._scene(parameters, context),
                self.folder(parameters, context),
                weights=self.parameterAsFile(parameters, WEIGHTS, context),
                score_min=self.parameterAsDouble(parameters, SCORE, context),
                pol=_POLS[self.parameterAsEnum(parameters, POL, context)],
                overwrite=self.parameterAsBool(parameters, OVERWRITE, context),
                extra=self.parameterAsString(parameters, EXTRA, context),
            )
            outcome = detected(run_command(line, feedback))
        except CommandError as error:
            raise refused(error) from error
        return self.loaded(outcome, parameters, context, feedback)

    def _scene(self, parameters: dict[str, Any], context: QgsProcessingContext) -> str:
        """Path of the scene."""
        layer = self.parameterAsRasterLayer(parameters, INPUT, context)
        product = self.parameterAsFile(parameters, PRODUCT, context)
        if (layer is None) == (not product):
            raise CommandError(f"expected a radar image or a product, found {'both' if product else 'neither'}")
        if layer is None:
            return str(product)
        if layer.providerType() != "gdal":
            raise CommandError(f"expected a layer of a raster file, found {layer.name()}, which is no file; export it")
        return str(QgsProviderRegistry.instance().decodeUri("gdal", layer.source()).get("path") or layer.source())
