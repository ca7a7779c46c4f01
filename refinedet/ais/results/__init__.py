"""Result files of a match: detections of `detect` in, the same with AIS out."""
