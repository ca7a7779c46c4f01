"""Commands on runs of the pipeline: comparison, records in MLflow, restoration."""
