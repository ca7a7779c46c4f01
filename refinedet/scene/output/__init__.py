"""Result files of a scene: tables, vectors, pictures, the map and the run record."""
