"""Errors of the emulated services: the status and the JSON body of each refusal."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any
from uuid import uuid4

Header = tuple[bytes, bytes]

SUPPORTED_VERSIONS = (  # (recorded 2026-02)
    b"api-supported-versions",
    b"1.0,2025-05-15-preview,2025-11-15-preview",
)


class ApiError(Exception):
    """A refusal, ready to be sent. `headers` replace those that the service adds to every answer."""

    def __init__(self, status: int, body: dict[str, Any], headers: Sequence[Header] | None = None) -> None:
        super().__init__(f"{status} {body}")
        self.status = status
        self.body = body
        self.headers = headers


class UnknownKey(Exception):
    """A key that the schema does not know. `Service.unknown_key` turns it into the error of the service."""

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
    """An error as OpenAI sends it; Azure sends the same behind its gateway (recorded 2024-2026)."""
    return ApiError(status, {"error": {"message": message, "type": kind, "param": param, "code": code}})


def gateway(status: int, message: str) -> ApiError:
    """An error of Azure's gateway, which does not pass the request on (reported 2024)."""
    return ApiError(status, {"error": {"code": str(status), "message": message}})


def not_found(noun: str, id_: str) -> ApiError:
    """(recorded 2024-08 for assistants, threads and vector stores, 2024-04 for run steps)"""
    return refuse(f"No {noun} found with id '{id_}'.", status=404)


def file_not_found(file_id: str) -> ApiError:
    """(recorded 2025-05)"""
    return refuse(f"No such File object: {file_id}", param="id", status=404)


def unsupported_value(param: str, value: Any, supported: Sequence[str], code: str | None) -> ApiError:
    """A value outside an enumeration (reported 2024-05, for a tool of another API version)."""
    values = ",".join(f"'{each}'" for each in supported)
    return refuse(f"Invalid value: '{value}'. Supported values are: {values}", param=param, code=code)


# ---------------------------------------------------------------- texts that differ between the services


def resource_not_found(_method: str, _path: str) -> ApiError:
    """Azure, for an unknown path."""
    return gateway(404, "Resource not found")


def unknown_url(method: str, path: str) -> ApiError:
    """OpenAI, for an unknown path."""
    return refuse(f"Unknown request URL: {method} {path}.", code="unknown_url", status=404)


def access_denied(_has_key: bool) -> ApiError:
    """Azure, for a missing or wrong key."""
    return gateway(401, "Access denied: the subscription key is missing or not valid for this endpoint.")


def token_required(_has_key: bool) -> ApiError:
    """A project accepts Entra tokens, and keys on some routes only. The text is assumed."""
    return gateway(401, "Unauthorized: the access token is missing, not valid or for another audience.")


def incorrect_key(has_key: bool) -> ApiError:
    """OpenAI, for a missing or wrong key."""
    if has_key:
        return refuse("Incorrect API key provided.", code="invalid_api_key", status=401)
    return refuse("No API key was sent. Use an Authorization header: Bearer YOUR_KEY.", status=401)


def session_key_required() -> ApiError:
    """OpenAI lists threads only for its own web pages (reported 2024)."""
    return refuse("GET /v1/threads must be made with a session key, that is from the browser.", status=401)


def unknown_parameter(unknown: UnknownKey) -> ApiError:
    """(reported 2024-09: Unknown parameter: 'messages[0].file_ids')"""
    return refuse(f"Unknown parameter: '{unknown}'.", param=str(unknown), code="unknown_parameter")


def unexpected_property(unknown: UnknownKey) -> ApiError:
    """(reported 2024-05, for a part of a form)"""
    where = f" - '{unknown.at}'" if unknown.at else ""
    return refuse(f"Additional properties are not allowed ('{unknown.key}' was unexpected){where}")


# ------------------------------------------------------------------------------ new agents of a project


def _agent_error(status: int, code: str, message: str, kind: str, param: str | None = None) -> ApiError:
    """(recorded 2025-11 to 2026-04; the texts differ from route to route)"""
    request_id = uuid4().hex
    body = {
        "code": code,
        "message": message,
        **({} if param is None else {"param": param}),
        "type": kind,
        "details": [],
        "additionalInfo": {"request_id": request_id},
    }
    # An error of the schema has its request id in the body only, and no headers of its own (recorded
    # 2026-02).
    headers = [] if param is not None else [(b"x-request-id", request_id.encode()), SUPPORTED_VERSIONS]
    return ApiError(status, {"error": body}, headers)


def agent_not_found(message: str) -> ApiError:
    """404 for an agent, a conversation, an item, a deployment or a connection."""
    return _agent_error(404, "not_found", message, "error")


def invalid_payload(message: str = "The supplied value is invalid.", param: str = "") -> ApiError:
    """400 for a body that the schema refuses. `param` is a JSON pointer."""
    return _agent_error(400, "invalid_payload", message, "invalid_request_error", param)


def preview_feature(kind: str) -> ApiError:
    """(described, not recorded)"""
    return _agent_error(403, "preview_feature_required", f"Agents of kind '{kind}' are in preview.", "error")


def version_unsupported() -> ApiError:
    """The text is assumed."""
    return gateway(400, "API version not supported")


def as_invalid_payload(error: ApiError) -> ApiError:
    """Convert an error of the schema: `items[0].role` becomes `/items/0/role`. Others stay unchanged."""
    body = error.body["error"]
    if error.status != 400 or "additionalInfo" in body or "type" not in body:
        return error
    parts = re.findall(r"[^.\[\]]+", body["param"] or "")
    return invalid_payload(body["message"], "".join(f"/{part}" for part in parts))


def as_invalid_definition(error: ApiError) -> ApiError:
    """The service says that a definition is wrong, but never where (recorded 2026-03)."""
    param = error.body["error"].get("param") or ""
    if param.split(".")[0] == "definition" and error.status == 400:
        return invalid_payload()
    return as_invalid_payload(error)
