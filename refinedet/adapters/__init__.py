"""Predictors for other detectors: torchvision, ONNX files, and models with the interface of Ultralytics."""
