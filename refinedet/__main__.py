"""Entry point of the command `refinedet` and of `python -m refinedet`.

The command line is the package `cli` of a checkout. A wheel carries it as `refinedet._cli` (see setup.py), since a
top-level package of such a name would shadow other people's. So this file looks it up by name: no import statement
fits both, and nothing else here knows the command line.
"""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec


def main() -> None:
    """Run the command line."""
    package = "refinedet._cli" if find_spec("refinedet._cli") else "cli"
    import_module(f"{package}.app").main()


if __name__ == "__main__":
    main()
