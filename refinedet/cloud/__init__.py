"""Scenes by address: https://, s3:// and STAC items. Files are read by range, each byte once.

`address.py` checks addresses, `transport.py` and `s3.py` make one request, `traffic.py` retries and
counts, `remote_file.py` reads a file by ranges and keeps its blocks on disk (`blocks.py`), `item.py` reads STAC items,
`store.py` reads Zarr stores, and `scene.py` has `CloudScene`, which the rest of the library accepts in place of a path.
"""
