"""The memory of `serve` in its own process, with giant threads and with many clients at once."""

from __future__ import annotations

import http.client
import json
import re
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.serve.api.archives import Made, MadeSnapshot, make_archive
from tests.serve.certificates import make_certificate
from tests.serve.test_access import KEY
from tests.serve.test_serve_command import running

pytestmark = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs /proc")
MAX_MB = 150
MANY = 20_000
Body = dict[str, Any]


def message(id_: str, thread: str, content: list[Body], **more: Any) -> Body:
    facts = {"created_at": 1, "thread_id": thread, "role": "user", "metadata": {}}
    return {"id": id_, **facts, "content": content, **more}


def text(value: str, notes: list[Body] | None = None) -> Body:
    return {"type": "text", "text": {"value": value, "annotations": notes or []}}


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    words = "слово **bold** `code` 日本語 [link](https://x.example) "
    notes = [
        {"type": "file_citation", "text": "x", "file_citation": {"file_id": f"f-{n}"}} for n in range(MANY)
    ]
    threads = {
        "print": [message(f"p{n}", "print", [text(f"{n} {words * 150}")]) for n in range(400)],
        "parts": [message("m", "parts", [text(f"part {n}") for n in range(MANY)])],
        "notes": [message("m", "notes", [text("x", notes)])],
        "pairs": [message("m", "pairs", [text("x")], metadata={f"k{n}": "v" for n in range(MANY)})],
        "long": [message(f"l{n}", "long", [text("y" * 4_000_000)]) for n in range(25)],
    }
    listings = [Made("thread", "", [{"id": id_, "created_at": 1, "metadata": {}} for id_ in threads])]
    listings += [Made("message", id_, rows) for id_, rows in threads.items()]
    return make_archive(tmp_path_factory.mktemp("giant") / "estate.db", MadeSnapshot(listings))


class Served:
    """A command in its own process, its port and the cookie of its pages."""

    def __init__(self, pid: int, line: str) -> None:
        said = json.loads(line)
        self.pid, self.port, self.cookie = pid, int(said["url"].rsplit(":", 1)[1].rstrip("/")), ""
        answer = self.get(f"/?key={said['key']}")
        self.cookie = answer.getheader("set-cookie", "").partition(";")[0]

    def get(self, path: str) -> http.client.HTTPResponse:
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)) as connection:
            connection.request("GET", path, headers={"cookie": self.cookie})
            answer = connection.getresponse()
            answer.read()
            return answer

    @property
    def peak_mb(self) -> int:
        status = Path(f"/proc/{self.pid}/status").read_text()
        return int(re.findall(r"VmHWM:\s+(\d+) kB", status)[0]) // 1024


@contextmanager
def serving(path: Path) -> Iterator[Served]:
    with running(str(path), "--json") as (process, line):
        yield Served(process.pid, line)


@pytest.mark.exhaustive_only
@pytest.mark.parametrize("thread", ["parts", "notes", "pairs", "long"])
def test_a_page_of_a_giant_message(path: Path, thread: str) -> None:
    with serving(path) as served:
        assert served.get(f"/snapshots/1/threads/{thread}").status == 200
        assert served.peak_mb < MAX_MB


@pytest.mark.exhaustive_only
def test_eight_pages_to_be_printed_at_once(path: Path) -> None:
    statuses: list[int] = []
    with serving(path) as served:
        threads = [
            threading.Thread(
                target=lambda: statuses.append(served.get("/snapshots/1/threads/print?all=1").status)
            )
            for _ in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert set(statuses) <= {200, 503}
        assert 200 in statuses
        assert served.peak_mb < MAX_MB


@pytest.mark.exhaustive_only
def test_a_thousand_connections_without_a_handshake(path: Path, tmp_path: Path) -> None:
    certificate, key = make_certificate(tmp_path)
    tls = ("--tls-cert", str(certificate), "--tls-key", str(key), "--key-env", "ARCHIVE_KEY")
    with running(str(path), "--json", *tls, ARCHIVE_KEY=KEY) as (process, line):
        port = int(json.loads(line)["url"].rsplit(":", 1)[1].rstrip("/"))
        opened = [socket.create_connection(("127.0.0.1", port), 10) for _ in range(1_000)]
        time.sleep(1)
        status = Path(f"/proc/{process.pid}/status").read_text()
        for connection in opened:
            connection.close()
        assert int(re.findall(r"VmHWM:\s+(\d+) kB", status)[0]) // 1024 < MAX_MB


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="has no SIGTERM")
def test_clients_that_read_nothing_do_not_keep_it_from_ending(path: Path) -> None:
    with running(str(path), "--json") as (process, line):
        served = Served(process.pid, line)
        opened = []
        for number in range(6):
            connection = socket.create_connection(("127.0.0.1", served.port), 10)
            head = f"host: localhost\r\ncookie: {served.cookie}\r\n\r\n"
            asked = f"GET /snapshots/1/threads/print HTTP/1.1\r\n{head}"
            connection.sendall(asked.encode() if number % 2 else b"GET / HT")
            opened.append(connection)
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=10)
        assert (process.returncode, out, err) == (0, "", "")
        for connection in opened:
            connection.close()
