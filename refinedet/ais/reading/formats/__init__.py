"""Formats of AIS files: NMEA, tables and JSON, plain or compressed."""
