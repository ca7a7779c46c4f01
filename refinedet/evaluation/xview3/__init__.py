"""Rules of the xView3-SAR contest: its metric, and its tables from and to our files."""
