"""The detector as tensors: RefineDet++ with its alignment convolution, losses, postprocessing and checkpoint."""
