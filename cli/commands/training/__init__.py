"""Commands on detectors and their data sets: training, export, contents."""
