"""What we refuse to take from a server, in the form in which an HTTP client's errors travel."""

from __future__ import annotations

import httpx2

from migrate.model.input_limits import Bound


class Redirected(httpx2.TransportError):
    """The server sends us elsewhere, and we do not go there. `status` is that of its answer."""

    def __init__(self, status: int, where: str, why: str) -> None:
        super().__init__(f"was answered {status} and sent on to {where}: {why}")
        self.status = status


class TooMuch(httpx2.TransportError):
    """The server sends more than is taken."""

    def __init__(self, bound: Bound) -> None:
        super().__init__(f"the answer was given up: {bound.told()}")
        self.bound = bound
