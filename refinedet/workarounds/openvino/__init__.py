"""Workarounds for faults of OpenVINO and NNCF."""
