"""Errors of the emulated services: the status and the body of a refusal."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any
from uuid import uuid4

Header = tuple[bytes, bytes]


class ApiError(Exception):
    """A refusal, ready to be sent. `headers` stand in for those the service puts on every answer."""

    def __init__(self, status: int, body: dict[str, Any], headers: Sequence[Header] | None = None) -> None:
        super().__init__(f"{status} {body}")
        self.status = status
        self.body = body
        self.headers = headers


class UnknownKey(Exception):
    """A key no schema knows; each service words it in its own way, so the api turns it into an answer."""

    def __init__(self, at: str, key: str) -> None:
        super().__init__(f"{at}.{key}" if at else key)
        self.at = at
        self.key = key


def refuse(
    message: str,
    *,
    param: str | None = None,
    code: str | None = None,
    status: int = 400,
    kind: str = "invalid_request_error",
) -> ApiError:
    """The shape of OpenAI; Azure passes it on for everything behind its gateway (recorded 2024-2026)."""
    return ApiError(status, {"error": {"message": message, "type": kind, "param": param, "code": code}})


def gateway(status: int, message: str) -> ApiError:
    """The shape of Azure's gateway, which never saw an assistant (reported 2024)."""
    return ApiError(status, {"error": {"code": str(status), "message": message}})


def not_found(noun: str, wanted: str) -> ApiError:
    """(recorded 2024-08 for assistants, threads and vector stores, 2024-04 for run steps)"""
    return refuse(f"No {noun} found with id '{wanted}'.", status=404)


def no_file(wanted: str) -> ApiError:
    """(recorded 2025-05)"""
    return refuse(f"No such File object: {wanted}", param="id", status=404)


# ---------------------------------------------------------------- wordings that differ between the services


def resource_not_found(_method: str, _path: str) -> ApiError:
    return gateway(404, "Resource not found")


def unknown_url(method: str, path: str) -> ApiError:
    return refuse(f"Unknown request URL: {method} {path}.", code="unknown_url", status=404)


def access_denied(_given: bool) -> ApiError:
    return gateway(401, "Access denied: the subscription key is missing or not valid for this endpoint.")


def token_needed(_given: bool) -> ApiError:
    """A project lets Entra tokens in, a key on some routes only. The words are assumed."""
    return gateway(401, "Unauthorized: the access token is missing, not valid or for another audience.")


def incorrect_key(given: bool) -> ApiError:
    if given:
        return refuse("Incorrect API key provided.", code="invalid_api_key", status=401)
    return refuse("No API key was sent. Use an Authorization header: Bearer YOUR_KEY.", status=401)


def needs_session_key() -> ApiError:
    """OpenAI lists threads for its own web pages only (reported 2024)."""
    return refuse("GET /v1/threads must be made with a session key, that is from the browser.", status=401)


def unknown_parameter(unknown: UnknownKey) -> ApiError:
    """(reported 2024-09: Unknown parameter: 'messages[0].file_ids')"""
    return refuse(f"Unknown parameter: '{unknown}'.", param=str(unknown), code="unknown_parameter")


def unexpected_property(unknown: UnknownKey) -> ApiError:
    """(reported 2024-05, for a form part)"""
    where = f" - '{unknown.at}'" if unknown.at else ""
    return refuse(f"Additional properties are not allowed ('{unknown.key}' was unexpected){where}")


INVALID = "The supplied value is invalid."
VERSIONS = (b"api-supported-versions", b"1.0,2025-05-15-preview,2025-11-15-preview")  # (recorded 2026-02)


def _error(status: int, code: str, message: str, kind: str, param: str | None = None) -> ApiError:
    """(recorded 2025-11 to 2026-04; the wordings differ from route to route)"""
    request_id = uuid4().hex
    body = {
        "code": code,
        "message": message,
        **({} if param is None else {"param": param}),
        "type": kind,
        "details": [],
        "additionalInfo": {"request_id": request_id},
    }
    # What a schema refuses has its id in the body only and no headers of its own (recorded 2026-02).
    headers = [] if param is not None else [(b"x-request-id", request_id.encode()), VERSIONS]
    return ApiError(status, {"error": body}, headers)


def missing(message: str) -> ApiError:
    return _error(404, "not_found", message, "error")


def invalid(message: str = INVALID, param: str = "") -> ApiError:
    return _error(400, "invalid_payload", message, "invalid_request_error", param)


def preview_feature(kind: str) -> ApiError:
    """(described, not recorded)"""
    return _error(403, "preview_feature_required", f"Agents of kind '{kind}' are in preview.", "error")


def version_unsupported() -> ApiError:
    """The words are assumed."""
    return gateway(400, "API version not supported")


def as_payload(error: ApiError) -> ApiError:
    """A schema's refusal in this family; `items[0].role` becomes `/items/0/role`. The rest passes."""
    body = error.body["error"]
    if error.status != 400 or "additionalInfo" in body or "type" not in body:
        return error
    parts = re.findall(r"[^.\[\]]+", body["param"] or "")
    return invalid(body["message"], "".join(f"/{part}" for part in parts))


def as_agent_payload(error: ApiError) -> ApiError:
    """Of a definition the service says that it is wrong, never where (recorded 2026-03)."""
    param = error.body["error"].get("param") or ""
    return invalid() if param.split(".")[0] == "definition" and error.status == 400 else as_payload(error)
