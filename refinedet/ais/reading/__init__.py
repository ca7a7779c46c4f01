"""Reading of AIS files into tables: formats, columns, times, cleaning and its counts."""
