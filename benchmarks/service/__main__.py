"""A process of its own that serves one estate: its address on the first line of standard output."""

from __future__ import annotations

import argparse
import asyncio
import gc
import ssl
import sys
from pathlib import Path

from benchmarks.estate import VARIANTS, Estate, Shape
from benchmarks.service.certificate import write_certificate
from benchmarks.service.protocol import Answering, Connection, Counted
from benchmarks.service.reading import Generated
from benchmarks.service.writing import Kept


def chosen(arguments: list[str]) -> tuple[Answering, float, Path | None]:
    """The estate that the arguments describe, the latency in seconds, and the certificate file for TLS."""
    parser = argparse.ArgumentParser(prog="benchmarks.service")
    parser.add_argument("holds", choices=["generated", "azure-openai", "foundry"])
    for name in ("threads", "messages", "assistants", "seed"):
        parser.add_argument(f"--{name}", type=int, default=1)
    parser.add_argument("--variants", type=int, default=VARIANTS)
    parser.add_argument("--latency", type=float, default=0.05)
    parser.add_argument("--certificate", type=Path, help="serve over TLS; the file is written")
    given = parser.parse_args(arguments)
    shape = Shape(given.threads, given.messages, given.assistants, given.seed, given.variants)
    if given.holds != "generated":
        return Kept(given.holds == "foundry"), given.latency, given.certificate
    estate = Estate(shape)
    if shape.threads and shape.messages:
        estate.rows(0, range(1))  # the texts are written before anybody waits for them
    return Generated(estate), given.latency, given.certificate


async def serve(estate: Answering, latency: float, certificate: Path | None) -> None:
    """Serve until the process is ended."""
    counted, context = Counted(), None
    if certificate:
        write_certificate(certificate)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: Connection(estate, latency, counted), "127.0.0.1", 0, backlog=512, ssl=context
    )
    scheme = "https" if certificate else "http"
    sys.stdout.write(f"{scheme}://127.0.0.1:{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


if __name__ == "__main__":
    made = chosen(sys.argv[1:])
    gc.freeze()
    asyncio.run(serve(*made))
