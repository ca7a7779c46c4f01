"""MLflow's web pages for the runs of a data set: the view that they open with, their address, and their server."""
