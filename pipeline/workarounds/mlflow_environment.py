"""Environment that makes MLflow quiet and limits its retries.

Problem: MLflow sends usage data, writes its errors to the log as well as raising them, and retries for more than an
hour if a server is unreachable. Only environment variables, read at import, change that.
Upstream: https://github.com/mlflow/mlflow/issues/5744 (the hour) and
    https://github.com/mlflow/mlflow/pull/16917 (usage data, on unless refused).
Versions: MLflow 3.17.
Remove: when a client of MLflow has arguments for these.
"""

from __future__ import annotations

import logging
import os

_SETTINGS = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    "MLFLOW_LOGGING_LEVEL": "CRITICAL",  # its errors are raised, and this project reports them once
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0",  # the spool keeps unsent entries for another attempt
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "30",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "GIT_PYTHON_REFRESH": "quiet",
}


def quiet_mlflow() -> None:
    """Set the variables; call this before MLflow is imported. Variables that the user has set stay unchanged."""
    for name, value in _SETTINGS.items():
        os.environ.setdefault(name, value)
    logging.getLogger("alembic").setLevel(logging.WARNING)
