"""What the headers of a request say: its key, the name by which this server was called, and a foreign origin.

An application sends the key in the header `api-key` or as a bearer token. A name in `Host` that is not
allowed is refused: a page of somebody else can make a browser call this machine by a name of its own (DNS
rebinding). A request that a page of another origin sends is refused as well.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

# A name or an address, and a port.
HOST_HEADER = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9._-]+?))\.?(?::[0-9]{0,5})?")


def key_of_headers(headers: Mapping[str, str]) -> str | None:
    """The key that an application sends: in `api-key`, or as a bearer token. None where it sends none."""
    if (key := headers.get("api-key")) is not None:
        return key.strip()
    scheme, _, token = headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


def host_name(header: str) -> str:
    """The name in a `Host` header, in lower case, without port; '' where it is anything else."""
    match = HOST_HEADER.fullmatch(header)
    return (match[1] or match[2]).lower() if match else ""


def foreign_request_reason(headers: Mapping[str, str]) -> str:
    """Why a request comes from a page of another origin, or ''. Following a link is no such request: nothing
    of the answer reaches the page with the link."""
    origin = headers.get("origin")
    if origin is not None and origin.lower().partition("://")[2] != headers.get("host", "").lower():
        return f"a page of {origin} sent it"
    site = headers.get("sec-fetch-site", "none")
    is_link = (headers.get("sec-fetch-mode"), headers.get("sec-fetch-dest")) == ("navigate", "document")
    if site not in ("none", "same-origin") and not is_link:
        return "a page of another site sent it"
    return ""
