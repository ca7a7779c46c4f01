"""Parts that the algorithms share: the command of the settings, and layers with the style that their file holds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from processing.core.ProcessingConfig import ProcessingConfig
from qgis.core import (
    QgsProcessingAlgorithm,
    QgsProcessingContext,
    QgsProcessingException,
    QgsProcessingFeedback,
    QgsProcessingLayerPostProcessorInterface,
    QgsProcessingOutputNumber,
    QgsProcessingOutputVectorLayer,
    QgsProcessingParameterBoolean,
    QgsProcessingParameterDefinition,
    QgsProcessingParameterFolderDestination,
    QgsProcessingParameterString,
    QgsVectorLayer,
)
from qgis.PyQt import sip
from qgis.PyQt.QtGui import QIcon

from refinedet_qgis.command import Outcome, find_command
from refinedet_qgis.names import COMMAND, ICON

OUTPUT, LAYER, COUNT, OVERWRITE, EXTRA = "OUTPUT", "LAYER", "COUNT", "OVERWRITE", "EXTRA"


class _Styled(QgsProcessingLayerPostProcessorInterface):
    """Gives a layer the style in its file, which Processing leaves out."""

    def postProcessLayer(self, layer: Any, context: QgsProcessingContext, feedback: QgsProcessingFeedback) -> None:
        """Style the layer."""
        del context, feedback
        if isinstance(layer, QgsVectorLayer):
            layer.loadDefaultStyle()
            layer.triggerRepaint()


_KEPT: list[_Styled] = []
"""Objects in use: QGIS keeps no reference of Python, but deletes each once its layer is loaded."""


class RefineDetAlgorithm(QgsProcessingAlgorithm):
    """Algorithm that runs the command and loads the layers that it wrote."""

    def createInstance(self) -> QgsProcessingAlgorithm:
        """Make another of its kind, as QGIS asks."""
        return type(self)()

    def icon(self) -> QIcon:
        """Picture in the toolbox."""
        return QIcon(str(ICON))

    def add_common(self) -> None:
        """Add the parameters and outputs that every algorithm has."""
        self.addParameter(QgsProcessingParameterBoolean(OVERWRITE, "Replace existing results", defaultValue=False))
        extra = QgsProcessingParameterString(EXTRA, "Further options, as on the command line", "", optional=True)
        extra.setFlags(extra.flags() | QgsProcessingParameterDefinition.FlagAdvanced)
        self.addParameter(extra)
        self.addParameter(QgsProcessingParameterFolderDestination(OUTPUT, "Folder for results"))
        self.addOutput(QgsProcessingOutputVectorLayer(LAYER, "Ships"))
        self.addOutput(QgsProcessingOutputNumber(COUNT, "Number of ships"))

    def command(self) -> str:
        """Path of the command, by the settings."""
        return find_command(str(ProcessingConfig.getSetting(COMMAND) or "").strip())

    def folder(self, parameters: dict[str, Any], context: QgsProcessingContext) -> str:
        """Folder for results."""
        return str(self.parameterAsString(parameters, OUTPUT, context))

    def loaded(
        self,
        outcome: Outcome,
        parameters: dict[str, Any],
        context: QgsProcessingContext,
        feedback: QgsProcessingFeedback,
    ) -> dict[str, Any]:
        """Tell the notes, ask QGIS to load the layers once the algorithm ends, and return its results."""
        for note in outcome.notes:
            feedback.pushInfo(note)
        _KEPT[:] = [one for one in _KEPT if not sip.isdeleted(one)]
        for path in outcome.layers:
            details = QgsProcessingContext.LayerDetails(Path(path).stem, context.project(), LAYER)
            style = _Styled()
            _KEPT.append(style)
            details.setPostProcessor(style)
            context.addLayerToLoadOnCompletion(path, details)
        return {OUTPUT: self.folder(parameters, context), LAYER: outcome.layers[0], COUNT: outcome.ships}


def refused(sentence: object) -> QgsProcessingException:
    """Error that ends an algorithm with a sentence."""
    return QgsProcessingException(str(sentence))
