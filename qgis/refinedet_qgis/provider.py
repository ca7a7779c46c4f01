"""Provider of the algorithms, and its one setting: the path of the command."""

from __future__ import annotations

from processing.core.ProcessingConfig import ProcessingConfig, Setting
from qgis.core import QgsProcessingProvider
from qgis.PyQt.QtGui import QIcon

from refinedet_qgis.detect_ships import DetectShips
from refinedet_qgis.match_ais import MatchAis
from refinedet_qgis.names import COMMAND, ICON


class RefineDetProvider(QgsProcessingProvider):
    """Group `refinedet` of the toolbox."""

    def id(self) -> str:
        """Name in ids of algorithms."""
        return "refinedet"

    def name(self) -> str:
        """Name in the toolbox."""
        return "refinedet"

    def icon(self) -> QIcon:
        """Picture in the toolbox."""
        return QIcon(str(ICON))

    def load(self) -> bool:
        """Add the setting, then the algorithms."""
        ProcessingConfig.settingIcons["refinedet"] = self.icon()
        what = "Path of the command refinedet (empty: that of PATH)"
        ProcessingConfig.addSetting(Setting("refinedet", COMMAND, what, "", valuetype=Setting.FILE))
        ProcessingConfig.readSettings()
        self.refreshAlgorithms()
        return True

    def unload(self) -> None:
        """Remove the setting."""
        ProcessingConfig.removeSetting(COMMAND)

    def loadAlgorithms(self) -> None:
        """Add the algorithms."""
        for algorithm in (DetectShips(), MatchAis()):
            self.addAlgorithm(algorithm)
