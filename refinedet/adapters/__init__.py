"""Predictors around other people's detectors: torchvision, ONNX files, Ultralytics-style models."""
