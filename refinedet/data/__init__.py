"""Training data: the annotation record, the Dataset, augmentation and simulated scenes."""
