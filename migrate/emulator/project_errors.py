"""A reason to refuse comes in; the body that agents and conversations of a project answer with goes out."""

from __future__ import annotations

import re
from uuid import uuid4

from migrate.emulator.errors import ApiError, gateway

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
