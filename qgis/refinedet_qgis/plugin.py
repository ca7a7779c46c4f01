"""Plugin: it puts the provider into QGIS's Processing."""

from __future__ import annotations

from qgis.core import QgsApplication

from refinedet_qgis.provider import RefineDetProvider


class RefineDetPlugin:
    """Plugin as QGIS loads it, with or without a window."""

    def __init__(self) -> None:
        self._provider: RefineDetProvider | None = None

    def initProcessing(self) -> None:
        """Add the provider; `qgis_process` calls this alone."""
        self._provider = RefineDetProvider()
        QgsApplication.processingRegistry().addProvider(self._provider)

    def initGui(self) -> None:
        """Add the provider; QGIS calls this with a window."""
        self.initProcessing()

    def unload(self) -> None:
        """Remove the provider."""
        if self._provider is not None:
            QgsApplication.processingRegistry().removeProvider(self._provider)
            self._provider = None
