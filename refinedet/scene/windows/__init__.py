"""Windows of a scene: cutting, reading, skipping, and the merge of their detections."""
