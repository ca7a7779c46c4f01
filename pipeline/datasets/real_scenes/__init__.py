"""Real samples as scenes for training: which of them may be trained on, how they are read, laid out and pasted."""
