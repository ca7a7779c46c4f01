"""Labels as annotation tools write them: each dialect becomes a COCO document and the paths of its images."""
