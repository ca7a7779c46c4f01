"""Algorithm: which detected ships report themselves by AIS, and which do not."""

from __future__ import annotations

from typing import Any

from qgis.core import (
    QgsProcessing,
    QgsProcessingContext,
    QgsProcessingFeedback,
    QgsProcessingParameterFile,
    QgsProcessingParameterMultipleLayers,
)

from refinedet_qgis.algorithm import EXTRA, OVERWRITE, RefineDetAlgorithm, refused
from refinedet_qgis.command import CommandError, match_command, matched
from refinedet_qgis.running import run_command

SHIPS, AIS = "SHIPS", "AIS"


class MatchAis(RefineDetAlgorithm):
    """Matches a result file of "Detect ships" with AIS files."""

    def name(self) -> str:
        """Name in its id."""
        return "matchais"

    def displayName(self) -> str:
        """Name in the toolbox."""
        return "Match with AIS"

    def shortHelpString(self) -> str:
        """Text beside the parameters."""
        return (
            "Matches detected ships (GeoPackage or GeoJSON of refinedet) with AIS files, and loads the ships by "
            "state: matched, dark or unknown, and the ships of AIS where the image shows them."
        )

    def initAlgorithm(self, configuration: dict[str, Any] | None = None) -> None:
        """Declare the parameters."""
        del configuration
        self.addParameter(QgsProcessingParameterFile(SHIPS, "Result file of Detect ships"))
        self.addParameter(QgsProcessingParameterMultipleLayers(AIS, "AIS files", QgsProcessing.TypeFile))
        self.add_common()

    def processAlgorithm(
        self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> dict[str, Any]:
        """Run the command and load its layers."""
        try:
            line = match_command(
                self.command(),
                self.parameterAsFile(parameters, SHIPS, context),
                self.parameterAsFileList(parameters, AIS, context),
                self.folder(parameters, context),
                overwrite=self.parameterAsBool(parameters, OVERWRITE, context),
                extra=self.parameterAsString(parameters, EXTRA, context),
            )
            outcome = matched(run_command(line, feedback))
        except CommandError as error:
            raise refused(error) from error
        return self.loaded(outcome, parameters, context, feedback)
