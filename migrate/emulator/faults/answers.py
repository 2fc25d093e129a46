"""Faults that replace, cut or delay the answer to a request."""

from __future__ import annotations

import asyncio
import json
import time
import zlib
from collections.abc import Iterator
from email.utils import formatdate

from migrate.emulator.faults.rule import JSON_TYPE, FaultContext, FaultRule

KEY_HEADERS = (b"authorization", b"api-key")
SLOW_PARTS = 10
GATEWAY_PAGE = b"<html><head><title>%d</title></head><body><h1>The gateway got no answer</h1></body></html>"

LISTING_START = b'{"object": "list", "data": [{"id": "'
FILLER = b"a" * (1 << 20)
GZIP_HEADER = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03"


def _retry_header(rule: FaultRule) -> dict[str, str]:
    """The header that asks to wait, in the form that the row selects."""
    if (value := rule["retry_after_ms"]) is not None:
        return {"retry-after-ms": f"{value:g}"}
    if (value := rule["retry_after"]) is not None:
        return {"retry-after": str(value)}
    if (value := rule["retry_after_date"]) is not None:
        return {"retry-after": formatdate(time.time() + value, usegmt=True)}
    return {}


async def too_many(ctx: FaultContext) -> None:
    content = ctx.error_body(429, "Too many requests; slow down.", "rate_limit_exceeded")
    await ctx.answer(429, content, {**JSON_TYPE, **_retry_header(ctx.rule)})


async def error(ctx: FaultContext) -> None:
    status = ctx.rule["status"]
    content = ctx.error_body(status, f"A fault of the faults file: {status}.", "server_error")
    await ctx.answer(status, content, {**JSON_TYPE, **_retry_header(ctx.rule)})


async def html(ctx: FaultContext) -> None:
    status = ctx.rule["status"]
    await ctx.answer(status, GATEWAY_PAGE % status, {"content-type": "text/html"})


async def cut(ctx: FaultContext) -> None:
    await ctx.close_connection(at_once=True)


async def lost(ctx: FaultContext) -> None:
    await ctx.service_answer()
    await ctx.close_connection(at_once=True)


async def truncated(ctx: FaultContext) -> None:
    start, content = await ctx.service_answer()
    kept = content[: int(len(content) * ctx.rule["keep"])]
    shows_whole_length = ctx.rule["length"] == "whole"
    await ctx.send_resized(start, len(content if shows_whole_length else kept))
    await ctx.send_body(kept, more=shows_whole_length)
    if shows_whole_length:
        await ctx.close_connection(at_once=False)


async def slow(ctx: FaultContext) -> None:
    start, content = await ctx.service_answer()
    await ctx.send(start)
    size = max(1, -(-len(content) // SLOW_PARTS))
    for offset in range(0, len(content), size):
        await asyncio.sleep(ctx.rule["seconds"] / SLOW_PARTS)
        await ctx.send_body(content[offset : offset + size], more=True)
    await ctx.send_body()


async def drip(ctx: FaultContext) -> None:
    """The answer of the service arrives byte by byte."""
    start, content = await ctx.service_answer()
    await ctx.send(start)
    disconnected = asyncio.ensure_future(ctx.disconnected())
    for byte in content:
        await ctx.send_body(bytes([byte]), more=True)
        await asyncio.wait([disconnected], timeout=ctx.rule["pause"])
        if disconnected.done():
            return
    disconnected.cancel()
    await ctx.send_body()


async def silent(ctx: FaultContext) -> None:
    """No answer while the client waits. After `silence` seconds the connection ends."""
    await ctx.drain_request()
    try:
        await asyncio.wait_for(ctx.disconnected(), ctx.rule["silence"])
    except asyncio.TimeoutError:
        await ctx.close_connection(at_once=True)


async def flood(ctx: FaultContext) -> None:
    """An answer that begins like a listing and has at least `bytes` bytes, compressed or not."""
    await ctx.drain_request()
    is_packed = ctx.rule["packing"] == "gzip"
    await ctx.send_start(200, {**JSON_TYPE, **({"content-encoding": "gzip"} if is_packed else {})})
    disconnected = asyncio.ensure_future(ctx.disconnected())
    for chunk in _packed_flood(ctx.rule["bytes"]) if is_packed else _plain_flood(ctx.rule["bytes"]):
        await ctx.send_body(chunk, more=True)
        await asyncio.sleep(0)
        if disconnected.done():
            return
    disconnected.cancel()
    await ctx.send_body()


def _plain_flood(size: int) -> Iterator[bytes]:
    yield LISTING_START
    for _ in range(size // len(FILLER) + 1):
        yield FILLER


def _packed_flood(size: int) -> Iterator[bytes]:
    """Independent deflate blocks, so that one compressed megabyte (about a kilobyte) can be repeated."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    yield GZIP_HEADER + packer.compress(LISTING_START) + packer.flush(zlib.Z_FULL_FLUSH)
    block = packer.compress(FILLER) + packer.flush(zlib.Z_FULL_FLUSH)
    for _ in range(size // len(FILLER) + 1):
        yield block


async def redirect(ctx: FaultContext) -> None:
    """To the address `to`; one that begins with / is on this service. The request is not carried out."""
    await ctx.drain_request()
    query = ctx.scope["query_string"].decode("latin-1")
    location = str(ctx.rule["to"]) or f"{ctx.request.path}{'?' if query else ''}{query}"
    await ctx.send_answer(ctx.rule["code"], b"", {"location": location})


async def retired(ctx: FaultContext) -> None:
    await ctx.retired_app(ctx.scope, ctx.receive, ctx.send)


async def expired(ctx: FaultContext) -> None:
    """The service receives an unknown token, so it refuses the request with its own error."""
    headers = [(name, b"Bearer expired" if name in KEY_HEADERS else v) for name, v in ctx.scope["headers"]]
    await ctx.pass_on(headers=headers)


async def undeleted(ctx: FaultContext) -> None:
    """A deletion is answered and the object stays. Other requests are carried out."""
    if ctx.request.method != "DELETE":
        await ctx.pass_on()
    elif ctx.rule["answer"] == "empty":
        await ctx.answer(204, b"", {})
    else:
        id_ = ctx.request.path.rstrip("/").rpartition("/")[2]
        body = {"id": id_, "object": "deleted", "deleted": ctx.rule["answer"] == "deleted"}
        await ctx.answer(200, json.dumps(body).encode(), JSON_TYPE)
