"""Result files of a match: reads the detections of `detect`, and writes them with AIS columns."""
