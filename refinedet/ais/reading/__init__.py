"""Files of AIS to tables: formats, columns, times, cleaning and its account."""
