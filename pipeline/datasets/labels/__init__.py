"""Labels of annotation tools: each format becomes a COCO document and the paths of its images."""
