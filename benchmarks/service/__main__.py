"""Serve one estate, as a process of its own that prints its address as the first line of standard output."""

from __future__ import annotations

import argparse
import asyncio
import gc
import ssl
import sys
from pathlib import Path

from benchmarks.estate import VARIANTS, Estate, Shape
from benchmarks.service.certificate import write_certificate
from benchmarks.service.generated_estate import GeneratedEstate
from benchmarks.service.protocol import Connection, EstateService, RequestCounts
from benchmarks.service.writable_estate import WritableEstate


def parse_arguments(arguments: list[str]) -> tuple[EstateService, float, Path | None]:
    """The estate that the arguments describe, the latency in seconds, and the certificate file for TLS."""
    parser = argparse.ArgumentParser(prog="benchmarks.service")
    parser.add_argument("holds", choices=["generated", "azure-openai", "foundry"])
    for name in ("threads", "messages", "assistants", "seed"):
        parser.add_argument(f"--{name}", type=int, default=1)
    parser.add_argument("--variants", type=int, default=VARIANTS)
    parser.add_argument("--latency", type=float, default=0.05)
    parser.add_argument("--certificate", type=Path, help="serve over TLS; the file is written")
    options = parser.parse_args(arguments)
    shape = Shape(options.threads, options.messages, options.assistants, options.seed, options.variants)
    if options.holds != "generated":
        return WritableEstate(options.holds == "foundry"), options.latency, options.certificate
    estate = Estate(shape)
    if shape.threads and shape.messages:
        estate.rows(0, range(1))  # generates the texts before the first request
    return GeneratedEstate(estate), options.latency, options.certificate


async def serve(estate: EstateService, latency: float, certificate: Path | None) -> None:
    """Serve until the process is ended."""
    counted, context = RequestCounts(), None
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
    arguments_of_service = parse_arguments(sys.argv[1:])
    gc.freeze()
    asyncio.run(serve(*arguments_of_service))
