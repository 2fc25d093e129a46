"""The floor: the same requests through the same SDK's client as raw JSON; the answers are not used.

`read`: every address is known in advance, so no request waits for a listing. `write`: the requests of one
thread are sent in order, several threads in parallel. It runs as a process of its own and prints one line
of JSON.
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
    """The SDK's client with enough connections for all workers. `bytes` and `requests` count the answers."""

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


def read(client: Client, shape: Shape, options: argparse.Namespace) -> Iterator[Callable[[], None]]:
    """Requests for every page of an estate. After a full page one more is requested, which proves the end."""
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
        if options.runs:
            yield partial(client.get, f"/threads/{thread_id(number)}/runs", limit=100, order="asc")


def write(client: Client, shape: Shape, options: argparse.Namespace) -> Iterator[Callable[[], None]]:
    """Requests that create every thread, as few as the service allows, and read it once."""
    estate = Estate(shape)
    for number in range(shape.threads):
        yield partial(_write, client, estate, number, options)


def _write(client: Client, estate: Estate, number: int, options: argparse.Namespace) -> None:
    path, key, subpath, first, per_request = PROJECT if options.project else CLASSIC
    bodies = [_message_body(row, options.project) for row in estate.messages(number)]
    id_ = json.loads(client.post(path, {"metadata": {"from": thread_id(number)}, key: bodies[:first]}))["id"]
    for start in range(first, len(bodies), per_request):
        batch = bodies[start : start + per_request]
        client.post(f"{path}/{id_}/{subpath}", {"items": batch} if options.project else batch[0])
    for page in range(0, len(bodies) + 1, 100):
        after = {"after": f"msg_{int(id_[-16:]):08}{page - 1:016}"} if page else {}
        client.get(f"{path}/{id_}/{subpath}", limit=100, order="asc", **after)


# Path; key of the first messages; path of further messages; how many of the first and of the further ones
# fit into one request.
CLASSIC = ("/threads", "messages", "messages", 32, 1)
PROJECT = ("/conversations", "items", "items", 20, 20)


def _message_body(row: dict[str, Any], project: bool) -> dict[str, Any]:
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


def run_jobs(workers: int, jobs: Iterator[Callable[[], None]]) -> None:
    """Run all jobs on this many worker threads."""
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
    parser.add_argument("what", choices=["read", "write"])
    parser.add_argument("url")
    for name in ("threads", "messages", "workers"):
        parser.add_argument(f"--{name}", type=int, required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--runs", action="store_true")
    parser.add_argument("--project", action="store_true")
    options = parser.parse_args(arguments)
    client = Client(options.url, options.workers, options.project)
    shape = Shape(options.threads, options.messages, seed=options.seed)
    jobs = {"read": read, "write": write}[options.what](client, shape, options)
    began = time.monotonic()
    run_jobs(options.workers, jobs)
    result = {"requests": client.requests, "bytes": client.bytes, "seconds": time.monotonic() - began}
    sys.stdout.write(json.dumps(result) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
