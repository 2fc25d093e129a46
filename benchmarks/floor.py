"""The floor: the same requests through the same SDK's client, raw, and nothing done with the answers.

Reading: every address is known beforehand, so nothing waits for a listing. Writing: a thread's requests one
after the other, as order demands, threads side by side. A process of its own; told as one JSON line.
"""

from __future__ import annotations

import argparse
import json
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from benchmarks.child import SECRET
from benchmarks.estate import Estate, Shape, thread_id

VERSION = "2025-04-01-preview"
BETA = {"OpenAI-Beta": "assistants=v2"}


class Client:
    """The SDK's client with as many connections as workers. `bytes` counts what came."""

    def __init__(self, url: str, workers: int, project: bool) -> None:
        import httpx2
        import openai

        limits = httpx2.Limits(max_connections=workers + 2, max_keepalive_connections=workers + 2)
        options: dict[str, Any] = {"max_retries": 0, "http_client": httpx2.Client(limits=limits, timeout=60)}
        if project:
            base = f"{url}/api/projects/demo/openai/v1/"
            self._client: Any = openai.OpenAI(base_url=base, api_key=SECRET, **options)
        else:
            self._client = openai.AzureOpenAI(
                azure_endpoint=url, api_key=SECRET, api_version=VERSION, **options
            )
        self._raw = httpx2.Response
        self._lock = threading.Lock()
        self.bytes = self.requests = 0

    def get(self, path: str, **params: object) -> None:
        options = {"params": params, "headers": BETA}
        self._count(self._client.get(path, cast_to=self._raw, options=options))

    def post(self, path: str, body: object) -> bytes:
        content: bytes = self._count(
            self._client.post(path, cast_to=self._raw, body=body, options={"headers": BETA})
        )
        return content

    def _count(self, answer: Any) -> bytes:
        content: bytes = answer.content
        with self._lock:
            self.bytes += len(content)
            self.requests += 1
        return content


def reading(client: Client, shape: Shape, given: argparse.Namespace) -> Iterator[Callable[[], None]]:
    """Every page of an estate, as requests that know their address. Behind a full page there is one
    more, which proves that it was the last."""
    for path in ("/files", "/vector_stores", "/assistants"):
        yield partial(client.get, path, limit=100, order="asc")
    for start in range(0, shape.threads + 1, 100):
        after = {"after": thread_id(start - 1)} if start else {}
        yield partial(client.get, "/threads", limit=100, order="asc", **after)
    for number in range(shape.threads):
        for start in range(0, shape.messages + 1, 100):
            after = {"after": f"msg_{number:08}{start - 1:016}"} if start else {}
            path = f"/threads/{thread_id(number)}/messages"
            yield partial(client.get, path, limit=100, order="asc", **after)
        if given.runs:
            yield partial(client.get, f"/threads/{thread_id(number)}/runs", limit=100, order="asc")


def writing(client: Client, shape: Shape, given: argparse.Namespace) -> Iterator[Callable[[], None]]:
    """Every thread, in as few requests as the service allows, read back once."""
    estate = Estate(shape)
    for number in range(shape.threads):
        yield partial(_write, client, estate, number, given)


def _write(client: Client, estate: Estate, number: int, given: argparse.Namespace) -> None:
    top, key, below, first, more = PROJECT if given.project else CLASSIC
    wires = [_wire(row, given.project) for row in estate.messages(number)]
    id_ = json.loads(client.post(top, {"metadata": {"from": thread_id(number)}, key: wires[:first]}))["id"]
    for start in range(first, len(wires), more):
        batch = wires[start : start + more]
        client.post(f"{top}/{id_}/{below}", {"items": batch} if given.project else batch[0])
    for page in range(0, len(wires) + 1, 100):
        after = {"after": f"msg_{int(id_[-16:]):08}{page - 1:016}"} if page else {}
        client.get(f"{top}/{id_}/{below}", limit=100, order="asc", **after)


CLASSIC = ("/threads", "messages", "messages", 32, 1)
# Path, key of the first messages, path of further ones, how many of each a request takes.
PROJECT = ("/conversations", "items", "items", 20, 20)


def _wire(row: dict[str, Any], project: bool) -> dict[str, Any]:
    text = row["content"][0]["text"]["value"]
    if not project:
        return {"role": row["role"], "content": text}
    user = row["role"] == "user"
    part = (
        {"type": "input_text", "text": text}
        if user
        else {"type": "output_text", "text": text, "annotations": []}
    )
    return {"type": "message", "role": row["role"], "content": [part]}


def hurried(workers: int, jobs: Iterator[Callable[[], None]]) -> None:
    """Do every job on so many threads."""
    lock = threading.Lock()

    def work() -> None:
        while True:
            with lock:
                job = next(jobs, None)
            if job is None:
                return
            job()

    with ThreadPoolExecutor(workers) as pool:
        for done in [pool.submit(work) for _ in range(workers)]:
            done.result()


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="benchmarks.floor")
    parser.add_argument("what", choices=["reading", "writing"])
    parser.add_argument("url")
    for name in ("threads", "messages", "workers"):
        parser.add_argument(f"--{name}", type=int, required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--runs", action="store_true")
    parser.add_argument("--project", action="store_true")
    given = parser.parse_args(arguments)
    client = Client(given.url, given.workers, given.project)
    shape = Shape(given.threads, given.messages, seed=given.seed)
    jobs = {"reading": reading, "writing": writing}[given.what](client, shape, given)
    began = time.monotonic()
    hurried(given.workers, jobs)
    told = {"requests": client.requests, "bytes": client.bytes, "seconds": time.monotonic() - began}
    sys.stdout.write(json.dumps(told) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
