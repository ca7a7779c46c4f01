"""Runs in MLflow: names, settings, metrics and models, delivered even after an outage."""
