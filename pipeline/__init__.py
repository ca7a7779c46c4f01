"""The versioned workflow: stages of `dvc repro`, data sets, MLflow, provenance and reports."""
