"""Windows of a scene: how they are cut, read, skipped, and how their detections are merged."""
