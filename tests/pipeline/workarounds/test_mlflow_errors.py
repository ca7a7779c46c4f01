"""Failures of MLflow: which of them pass."""

from __future__ import annotations

from pipeline.workarounds.mlflow_errors import is_away, is_refusal


def test_a_failure_passes_a_refusal_does_not() -> None:
    from mlflow.exceptions import MlflowException, RestException

    away = [
        MlflowException("API request to http://x/api failed with exception HTTPConnectionPool(...)"),
        MlflowException("API request to http://x/api failed with timeout exception ..."),
        MlflowException("API request to endpoint /api failed with error code 502 != 200. Response body: '<html>'"),
        RestException({"error_code": "INTERNAL_ERROR", "message": "database is locked"}),
        RestException({"error_code": "TEMPORARILY_UNAVAILABLE", "message": "later"}),
    ]
    refused = [
        RestException({"error_code": "RESOURCE_DOES_NOT_EXIST", "message": "no such run"}),
        RestException({"error_code": "INVALID_PARAMETER_VALUE", "message": "it is deleted"}),
        MlflowException.invalid_parameter_value("from a local store"),
    ]
    neither = [
        RestException({"error_code": "PERMISSION_DENIED", "message": "wrong password"}),
        MlflowException("API request to endpoint /api failed with error code 404 != 200. Response body: 'a proxy'"),
        OSError("disk full"),
    ]
    assert [is_away(error) for error in (*away, *refused, *neither)] == [True] * 5 + [False] * 6
    assert [is_refusal(error) for error in (*away, *refused, *neither)] == [False] * 5 + [True] * 3 + [False] * 3
