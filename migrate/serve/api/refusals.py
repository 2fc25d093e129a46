"""Refusals of the API: what is refused, and the JSON body in which each service would say so.

Three forms were recorded (2024 to 2026). OpenAI's own, which Azure passes on; that of Azure's gateway, which
answers for paths and versions that it does not know; and that of agents and conversations of a project.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from migrate.model.entity import JSON
from migrate.model.secrets import mask_text
from migrate.reports.text_table import single_line

# The archive does not have what was asked for, although it may have existed. Not 404, which means that it
# does not exist; and neither of the SDKs repeats a request after this status.
NOT_IN_ARCHIVE_STATUS = 424
NOT_IN_ARCHIVE_CODE = "not_in_archive"
INVALID_REQUEST = "invalid_request_error"
# Content that is known to be incomplete is sent to a client that says so in this header, and is marked with
# the other one.
PARTIAL_HEADER, PARTIAL_ALLOWED = "x-archive-partial", "allow"
INCOMPLETE_HEADER = "x-archive-incomplete"


@dataclass(eq=False)
class ApiRefusal(Exception):
    """A request that is refused. `param`: the name of the parameter that is wrong. `by_gateway`: a service
    would not see the request, its gateway answers."""

    status: int
    message: str
    param: str | None = None
    code: str | None = None
    by_gateway: bool = False
    headers: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.message


# Makes the body of a refusal; the second argument is the id of the request.
RefusalForm = Callable[[ApiRefusal, str], JSON]


def openai_refusal(refusal: ApiRefusal, _request_id: str = "") -> JSON:
    """OpenAI's form: message, type, param and code, each of them always there."""
    return {
        "error": {
            "message": refusal.message,
            "type": INVALID_REQUEST,
            "param": refusal.param,
            "code": refusal.code,
        }
    }


def gateway_refusal(refusal: ApiRefusal, _request_id: str = "") -> JSON:
    """The form of Azure's gateway: the status as a text, and a message."""
    return {"error": {"code": str(refusal.status), "message": refusal.message}}


def azure_refusal(refusal: ApiRefusal, _request_id: str = "") -> JSON:
    """The gateway's form where it answers, OpenAI's for what it passes on."""
    return gateway_refusal(refusal) if refusal.by_gateway else openai_refusal(refusal)


def project_refusal(refusal: ApiRefusal, request_id: str) -> JSON:
    """The form of agents and conversations. A wrong parameter is given as a JSON pointer."""
    if refusal.by_gateway:
        return gateway_refusal(refusal)
    code, type_ = refusal.code or "not_found", "error"
    param: dict[str, str] = {}
    if refusal.status == 400:
        code, type_ = "invalid_payload", INVALID_REQUEST
        steps = re.findall(r"[^.\[\]]+", refusal.param or "")
        param = {"param": "".join(f"/{step}" for step in steps)}
    return {
        "error": {
            "code": code,
            "message": refusal.message,
            **param,
            "type": type_,
            "details": [],
            "additionalInfo": {"request_id": request_id},
        }
    }


# ------------------------------------------------------------------------------ what is refused, and how


def unknown_path() -> ApiRefusal:
    """Azure's answer to a path that it does not know, and to a version without that path."""
    return ApiRefusal(404, "Resource not found", by_gateway=True)


def unsupported_version(message: str = "API version not supported") -> ApiRefusal:
    """A project's answer to a version that it does not have."""
    return ApiRefusal(400, message, by_gateway=True)


def invalid_value(param: str, value: str, supported: tuple[str, ...], code: str | None = None) -> ApiRefusal:
    """A value that is none of those that a parameter has."""
    values = ",".join(f"'{each}'" for each in supported)
    return ApiRefusal(400, f"Invalid value: '{value}'. Supported values are: {values}", param, code)


def only_read(method: str, url: str) -> ApiRefusal:
    """Anything but reading."""
    message = (
        f"{method} is refused: this is an archive of {url}, which can only be read. "
        "Nothing is created, changed, deleted or run here."
    )
    return ApiRefusal(405, message, code="method_not_allowed", headers={"allow": "GET, HEAD"})


def not_in_archive(message: str, param: str | None = None) -> ApiRefusal:
    """Something that the archive does not have, although it may have existed. The message may quote what a
    service said, so credentials in it are masked."""
    return ApiRefusal(NOT_IN_ARCHIVE_STATUS, mask_text(message), param, NOT_IN_ARCHIVE_CODE)


def incomplete_listing(reason: str) -> ApiRefusal:
    """A listing of which the archive has only a part, or nothing."""
    return not_in_archive(
        f"The archive does not have all of this list: {reason}. To get the part that was read, send the "
        f"header '{PARTIAL_HEADER}: {PARTIAL_ALLOWED}'."
    )


def header_text(text: str) -> str:
    """A text as the value of a header: ASCII, on one line, without control characters and credentials, of
    limited length."""
    shown = single_line(mask_text(text)).encode("ascii", "backslashreplace").decode()
    return shown[:500]
