"""Meaning of MLflow's errors, which their type does not show.

Problem: MLflow raises one type for a server that is unreachable, fails or refuses. A web page of a proxy in front of
the server has no code at all. Only the text of the message remains.
Upstream: https://github.com/mlflow/mlflow/issues/12154 shows such a message.
Versions: MLflow 3.17.
Remove: when MLflow's errors have types, or the HTTP status as a number.
"""

from __future__ import annotations

import re

_REFUSALS = {
    *("INVALID_PARAMETER_VALUE", "RESOURCE_DOES_NOT_EXIST", "RESOURCE_ALREADY_EXISTS", "INVALID_STATE"),
    *("BAD_REQUEST", "MALFORMED_REQUEST"),
}
"""Codes of MLflow's responses to requests that it will never accept."""
_FAILURES = {"INTERNAL_ERROR", "TEMPORARILY_UNAVAILABLE", "REQUEST_LIMIT_EXCEEDED"}
_SERVER_ERROR = 500
_STATUS = re.compile(r"failed with error code (\d+)")


def is_away(error: BaseException | None) -> bool:
    """True if MLflow did not answer or failed: no connection, a timeout, or a status of 500."""
    from mlflow.exceptions import MlflowException, RestException

    if not isinstance(error, MlflowException):
        return False
    if isinstance(error, RestException):
        return error.error_code in _FAILURES
    status = _STATUS.search(str(error))
    return int(status[1]) >= _SERVER_ERROR if status else "API request to" in str(error)


def is_refusal(error: BaseException) -> bool:
    """True if MLflow refused the request and would refuse it again."""
    from mlflow.exceptions import MlflowException

    # a web page with an error status comes from a proxy in front of the server, not from MLflow
    return isinstance(error, MlflowException) and error.error_code in _REFUSALS and not _STATUS.search(str(error))
