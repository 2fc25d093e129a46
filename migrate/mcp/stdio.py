"""The protocol's messages over standard input and output: one JSON document a line.

The SDK has a transport of its own. This one ends at once with Ctrl-C, also while nobody writes to standard
input; it answers what was asked before standard input ended; and it reads no line of unlimited length. While
it is open, whatever else writes to descriptor 1 writes to standard error: nothing but the protocol is on
standard output.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field

import anyio
import mcp_types
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
from mcp.shared.message import SessionMessage

from migrate.mcp.daemon_worker import DaemonWorker
from migrate.model.input_limits import MIB

# Bytes of one line. Arguments of tools are short.
MAX_LINE_BYTES = 1 * MIB
READ_BYTES = 1 << 16
# The client no longer waits for a request, which gets no answer then.
CANCELLED = "notifications/cancelled"
# Lines that were read and not yet handled: the reading thread waits then.
MAX_WAITING_LINES = 64

ReadStream = MemoryObjectReceiveStream["SessionMessage | Exception"]
WriteStream = MemoryObjectSendStream[SessionMessage]


@contextmanager
def divert_stdout() -> Iterator[int]:
    """A descriptor of standard output for the protocol alone. Until the end, descriptor 1 and `sys.stdout`
    are standard error."""
    sys.stdout.flush()
    wire = os.dup(1)
    try:
        os.dup2(2, 1)
        try:
            with contextlib.redirect_stdout(sys.stderr):
                yield wire
        finally:
            sys.stdout.flush()
            os.dup2(wire, 1)
    finally:
        os.close(wire)


@asynccontextmanager
async def open_streams(wire: int) -> AsyncIterator[tuple[ReadStream, WriteStream]]:
    """The streams of a session: messages from descriptor 0, and messages to the descriptor `wire`."""
    read_sender, read_receiver = anyio.create_memory_object_stream[SessionMessage | Exception](0)
    write_sender, write_receiver = anyio.create_memory_object_stream[SessionMessage](0)
    session = _Session(wire)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(session.forward_input, read_sender)
        tasks.start_soon(session.write_output, write_receiver, tasks.cancel_scope.cancel)
        yield read_receiver, write_sender
        tasks.cancel_scope.cancel()


@dataclass
class _Session:
    wire: int
    # Ids of requests that were not answered.
    open_requests: set[str] = field(default_factory=set)
    all_answered: asyncio.Event = field(default_factory=asyncio.Event)

    async def forward_input(self, sender: MemoryObjectSendStream[SessionMessage | Exception]) -> None:
        """Pass each line on as a message; at the end wait until what was asked is answered."""
        async with sender:
            async for line in _iter_lines():
                try:
                    message = mcp_types.jsonrpc_message_adapter.validate_json(line, by_name=False)
                except ValueError as error:
                    await sender.send(error)
                    continue
                if isinstance(message, mcp_types.JSONRPCRequest):
                    self.open_requests.add(_key(message.id))
                elif isinstance(message, mcp_types.JSONRPCNotification) and message.method == CANCELLED:
                    self.open_requests.discard(_key((message.params or {}).get("requestId")))
                await sender.send(SessionMessage(message))
            while self.open_requests:
                self.all_answered.clear()
                await self.all_answered.wait()

    async def write_output(
        self, receiver: MemoryObjectReceiveStream[SessionMessage], end: Callable[[], None]
    ) -> None:
        """Write each message. Ends the session when the reader has closed the stream."""
        worker = DaemonWorker("mcp-output")
        async with receiver:
            async for item in receiver:
                data = item.message.model_dump_json(by_alias=True, exclude_unset=True).encode() + b"\n"
                try:
                    await worker.call(lambda data=data: _write_all(self.wire, data))  # type: ignore[misc]
                except OSError:  # the other side closed the pipe
                    end()
                    return
                if isinstance(item.message, (mcp_types.JSONRPCResponse, mcp_types.JSONRPCError)):
                    self.open_requests.discard(_key(item.message.id))
                    self.all_answered.set()


def _key(request_id: object) -> str:
    return repr(request_id)


def _write_all(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


async def _iter_lines() -> AsyncIterator[bytes]:
    """The lines of standard input, read by a daemon thread. A line that is too long comes as one that is no
    JSON."""
    loop = asyncio.get_running_loop()
    lines: asyncio.Queue[bytes | None] = asyncio.Queue()
    room = threading.BoundedSemaphore(MAX_WAITING_LINES)

    def pass_on(line: bytes | None) -> None:
        room.acquire()
        with contextlib.suppress(RuntimeError):  # the loop was closed
            loop.call_soon_threadsafe(lines.put_nowait, line)

    threading.Thread(target=_read_lines, args=(pass_on,), name="mcp-input", daemon=True).start()
    while (line := await lines.get()) is not None:
        room.release()
        if line.strip():
            yield line


def _read_lines(pass_on: Callable[[bytes | None], None]) -> None:
    """Read descriptor 0 to its end. Not through `sys.stdin`: its lock would be held while the program
    ends."""
    rest, too_long = b"", False
    while True:
        try:
            data = os.read(0, READ_BYTES)
        except OSError:
            data = b""
        if not data:
            break
        *complete, rest = (rest + data).split(b"\n")
        for line in complete:
            pass_on(b"too long" if too_long or len(line) > MAX_LINE_BYTES else line)
            too_long = False
        if len(rest) > MAX_LINE_BYTES:
            rest, too_long = b"", True
    if rest and not too_long:
        pass_on(rest)
    pass_on(None)
