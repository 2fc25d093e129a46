"""Read the messages of one thread page by page and print how long a page took, as JSON.

`python -m benchmarks.listing_client URL KEY THREAD WALKS`: one connection, and as little as possible besides,
so that the server is what takes the time.
"""

from __future__ import annotations

import json
import re
import socket
import statistics
import sys
import time
from urllib.parse import urlsplit

VERSION = "2025-03-01-preview"
PAGE = 100
LENGTH = re.compile(rb"(?i)\r\ncontent-length: *(\d+)\r\n")


def read_pages(url: str, key: str, thread: str, walks: int) -> dict[str, float]:
    """Walk through the thread so many times. `seconds`: the median of one page of 100 messages."""
    parts = urlsplit(url)
    path = f"/openai/threads/{thread}/messages?api-version={VERSION}&order=asc&limit={PAGE}"
    times, rows = [], 0
    with socket.create_connection((parts.hostname, parts.port or 80)) as connection:
        for _ in range(walks):
            after, has_more = "", True
            while has_more:
                target = f"{path}{after and f'&after={after}'}"
                head = f"GET {target} HTTP/1.1\r\nHost: {parts.netloc}\r\napi-key: {key}\r\n\r\n"
                began = time.perf_counter()
                connection.sendall(head.encode())
                page = _receive(connection)
                times.append(time.perf_counter() - began)
                answer = json.loads(page)
                rows += len(answer["data"])
                after, has_more = answer["last_id"], answer["has_more"]
    return {"seconds": statistics.median(times), "pages": len(times), "messages": rows}


def _receive(connection: socket.socket) -> bytes:
    """The body of one answer."""
    received = bytearray()
    while (end := received.find(b"\r\n\r\n")) < 0:
        received += connection.recv(1 << 18)
    length = LENGTH.search(received, 0, end + 2)
    if length is None or not received.startswith(b"HTTP/1.1 200 "):
        raise ValueError(bytes(received[:300]).decode(errors="replace"))
    while len(received) < end + 4 + int(length[1]):
        received += connection.recv(1 << 18)
    return bytes(received[end + 4 :])


if __name__ == "__main__":
    url, key, thread, walks = sys.argv[1:]
    sys.stdout.write(json.dumps(read_pages(url, key, thread, int(walks))))
