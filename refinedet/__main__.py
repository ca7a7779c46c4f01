"""Entry point of the command `refinedet` and of `python -m refinedet`.

The command line is the package `cli` in a checkout and `refinedet._cli` in a wheel (see setup.py), because a top-level
package `cli` could shadow that of another project. No import statement fits both, so this file looks the package up by
name. No other file of `refinedet` uses the command line.
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
