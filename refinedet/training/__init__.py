"""Training: epochs, optimiser, exact resume, one process or many."""
