"""MLflow's web pages for the runs of a data set: their initial view, their address, and their server."""
