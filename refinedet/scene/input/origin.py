"""Origin of a scene at an address: its identification for the record, and a note on missing parts for the user."""

from __future__ import annotations

from refinedet.cloud.remote_file import RemoteFile
from refinedet.cloud.scene import CloudScene, Scene
from refinedet.raster import RasterReader


def tell_origin(reader: RasterReader, scene: Scene) -> None:
    """Report address, version and length of the file that is read and of its item; nothing for a local file."""
    if not isinstance(scene, CloudScene) or not isinstance(reader.path, RemoteFile):
        return
    if scene.is_item and scene.address is not None:
        reader.tell(stac_item=str(scene.address))
    if "source" not in reader.read_as:
        reader.tell(source={**reader.path.describe(), "identified_by": "address, version and length"})
        if reader.path.version is None:
            scene.traffic.tell(
                f"the server of {reader.path} tells no version (ETag): a change of the file between two runs shows in "
                "its length alone"
            )
    reader.tell(*(note for note in scene.traffic.notes if note not in reader.notes))
