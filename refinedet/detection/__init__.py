"""Detection: a detector that is loaded once, and its runs on scenes with all their result files."""
