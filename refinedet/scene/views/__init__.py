"""Views of a result in memory: columns of its ships, tables, pictures, HTML for a notebook."""
