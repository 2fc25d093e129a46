"""Asks the program server for a run of the program: what a script of the documentation starts in its place.

It runs without `site` and imports nothing that takes time: a script starts it once for each command.
"""

from __future__ import annotations

import _signal
import _socket
import posix
import sys
from collections.abc import Mapping, Sequence

NUMBER_BYTES = 4
STREAMS = (0, 1, 2)


def ask(
    server: bytes,
    arguments: Sequence[bytes],
    env: Mapping[bytes, bytes],
    folder: bytes,
    umask: int,
    streams: Sequence[int] = STREAMS,
) -> _socket.socket:
    """Start the program with these standard streams. The connection then gives two lines: its process id, and
    how it ended. If the connection is closed before, the program is killed."""
    pairs = [name + b"=" + value for name, value in env.items()]
    words = [folder, b"%d" % umask, b"%d" % len(arguments), *arguments, *pairs]
    body = b"\0".join(words)
    server_socket = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
    server_socket.connect(server)
    rights = b"".join(number.to_bytes(4, sys.byteorder) for number in streams)
    server_socket.sendmsg(
        [len(body).to_bytes(NUMBER_BYTES, "big")], [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, rights)]
    )
    server_socket.sendall(body)
    return server_socket


def read_number(server: _socket.socket) -> int:
    """One line of the server, a number. Raises `EOFError` where the server has ended."""
    line = b""
    while not line.endswith(b"\n"):
        piece = server.recv(1)
        if not piece:
            raise EOFError("the program server has ended")
        line += piece
    return int(line)


def main() -> int:
    """Run the program with the arguments, streams, folder and variables of this process; returns its exit
    code. Signals are forwarded."""
    server, *arguments = sys.argv[1:]
    encoded = [word.encode(errors="surrogateescape") for word in arguments]
    umask = posix.umask(0o77)
    posix.umask(umask)
    answer = ask(server.encode(), encoded, posix.environ, posix.getcwdb(), umask)
    pid = read_number(answer)
    for number in (_signal.SIGINT, _signal.SIGTERM):
        _signal.signal(number, lambda number, _: posix.kill(pid, number))
    status = read_number(answer)
    return status if status >= 0 else 128 - status


if __name__ == "__main__":
    posix._exit(main())
