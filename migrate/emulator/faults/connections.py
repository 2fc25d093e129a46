"""Faults of what is sent: elsewhere, nothing at all, without end, byte by byte."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Awaitable, Callable, Iterator
from typing import TYPE_CHECKING

from starlette.types import Message, Receive

if TYPE_CHECKING:
    from migrate.emulator.faults.actions import Hit

BEGIN = b'{"object": "list", "data": [{"id": "'
FILL = b"a" * (1 << 20)
GZIP_HEAD = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03"


async def redirect(hit: Hit) -> None:
    """To the address `to`; one that begins with / lies on this service. Nothing is carried out."""
    await hit.heard()
    query = hit.scope["query_string"].decode("latin-1")
    to = str(hit.row["to"]) or f"{hit.asked.path}{'?' if query else ''}{query}"
    headers = [(b"location", to.encode()), (b"content-length", b"0")]
    await hit.send({"type": "http.response.start", "status": hit.row["code"], "headers": headers})
    await hit.send({"type": "http.response.body", "body": b""})


async def silent(hit: Hit) -> None:
    """No answer while the client waits, at most so many seconds; then the connection ends."""
    await hit.heard()
    try:
        await asyncio.wait_for(_left(hit.receive), hit.row["silence"])
    except asyncio.TimeoutError:
        await hit.cut(at_once=True)


async def flood(hit: Hit) -> None:
    """An answer that begins as a listing does and holds so many bytes, packed or not."""
    await hit.heard()
    packed = hit.row["packing"] == "gzip"
    headers = [(b"content-type", b"application/json")]
    if packed:
        headers.append((b"content-encoding", b"gzip"))
    await hit.send({"type": "http.response.start", "status": 200, "headers": headers})
    gone = asyncio.ensure_future(_left(hit.receive))
    for piece in _packed(hit.row["bytes"]) if packed else _plain(hit.row["bytes"]):
        await hit.send({"type": "http.response.body", "body": piece, "more_body": True})
        await asyncio.sleep(0)
        if gone.done():
            return
    gone.cancel()
    await hit.send({"type": "http.response.body", "body": b"", "more_body": False})


async def drip(hit: Hit, carried_out: Callable[[], Awaitable[list[Message]]]) -> None:
    """The answer of the service, one byte after the other."""
    start, *rest = await carried_out()
    await hit.send(start)
    gone = asyncio.ensure_future(_left(hit.receive))
    for byte in b"".join(message.get("body", b"") for message in rest):
        await hit.send({"type": "http.response.body", "body": bytes([byte]), "more_body": True})
        await asyncio.wait([gone], timeout=hit.row["pause"])
        if gone.done():
            return
    gone.cancel()
    await hit.send({"type": "http.response.body", "body": b"", "more_body": False})


def _plain(size: int) -> Iterator[bytes]:
    yield BEGIN
    for _ in range(size // len(FILL) + 1):
        yield FILL


def _packed(size: int) -> Iterator[bytes]:
    """Blocks of deflate that unpack to the same, one after the other: a megabyte in a kilobyte."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    yield GZIP_HEAD + packer.compress(BEGIN) + packer.flush(zlib.Z_FULL_FLUSH)
    block = packer.compress(FILL) + packer.flush(zlib.Z_FULL_FLUSH)
    for _ in range(size // len(FILL) + 1):
        yield block


async def _left(receive: Receive) -> None:
    """Until the client has gone."""
    while (await receive())["type"] != "http.disconnect":
        pass
