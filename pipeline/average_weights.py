"""Average the weights of several trainings: `python -m pipeline.average_weights A B --out C`.

All are checkpoints of one recipe, such as trainings from one start with several seeds. The mean need not be better than
each of them: evaluate it like any other checkpoint.
"""

from __future__ import annotations

import argparse
import logging
from pathlib import Path

from pipeline.stage import run_stage
from refinedet.files import sha256_file
from refinedet.model.averaging import average_checkpoints

_LOG = logging.getLogger(__name__)


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoints", type=Path, nargs="+")
    parser.add_argument("--out", type=Path, required=True, help="the file to write")
    asked = parser.parse_args()
    header = average_checkpoints(asked.checkpoints, asked.out)
    _LOG.info("%s: mean of %d checkpoints, SHA-256 %s", asked.out, len(asked.checkpoints), sha256_file(asked.out))
    _LOG.info(
        "its operating score, %.3f, is the mean of theirs and was not measured; evaluate the file before it is used",
        header.operating_score,
    )


if __name__ == "__main__":
    run_stage(main)
