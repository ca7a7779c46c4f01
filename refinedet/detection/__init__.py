"""Detection: a detector that is loaded once, and its runs on scenes, which write all result files."""
