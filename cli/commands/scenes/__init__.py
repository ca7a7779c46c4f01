"""Commands on scenes and their ships: detection, catalogues, AIS, archives, scores."""
