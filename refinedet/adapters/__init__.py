"""Other people's detectors behind the Predictor protocol: torchvision, ONNX files, Ultralytics-style models."""
