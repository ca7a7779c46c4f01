"""Land and coast around a scene, and places to leave out."""
