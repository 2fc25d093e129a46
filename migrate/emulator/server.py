"""Start and stop an emulated service, in a thread of its own or until Ctrl-C."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from migrate.emulator import load_state
from migrate.emulator.apis import Api, azure_dated, azure_v1, foundry, openai
from migrate.emulator.app import EmulatedService, Request
from migrate.emulator.faults.middleware import Faults
from migrate.emulator.faults.parser import read
from migrate.emulator.http_server import Server, listen
from migrate.emulator.options import Options, ServiceName
from migrate.emulator.resources import deployments
from migrate.emulator.state import Estate

APIS: dict[ServiceName, tuple[Api, ...]] = {
    "azure-openai": (azure_dated.API, azure_v1.API),
    "openai": (openai.API,),
    "foundry": foundry.APIS,
}
# What a client calls the service's address: the SDK of OpenAI wants the version in it, Azure's does not.
BASE_PATHS: dict[ServiceName, str] = {"azure-openai": "", "openai": "/v1", "foundry": foundry.PROJECT}
START_SECONDS, STOP_SECONDS = 10.0, 5.0

Wrapper = Callable[[Any], Any]  # an ASGI application around ours, for faults


class Emulator:
    """A running service with its estate. Use it as a context, or call start() and stop()."""

    def __init__(self, options: Options | None = None, *, wrap: Wrapper | None = None) -> None:
        self.options = options or Options()
        self.estate = Estate()
        self.skipped = load_state.load(self.options.state, self.estate) if self.options.state else []
        deployments.stock(self.estate, self.options)
        self._cloud = EmulatedService(self.estate, APIS[self.options.service], self.options)
        self.faults = Faults(read(self.options.faults) if self.options.faults else (), self._cloud)
        service = self.faults if self.options.faults else self._cloud
        self._port: int | None = None
        self._server = Server(wrap(service) if wrap else service)
        self._thread: threading.Thread | None = None

    @property
    def requests(self) -> list[Request]:
        """What was asked so far, if `Options.record` is set."""
        return self._cloud.requests

    @property
    def url(self) -> str:
        if self._port is None:
            raise RuntimeError("the emulator has not been started")
        host = f"[{self.options.host}]" if ":" in self.options.host else self.options.host
        return f"http://{host}:{self._port}{BASE_PATHS[self.options.service]}"

    def start(self) -> Emulator:
        listener = listen(self.options.host, self.options.port)
        self._port = listener.getsockname()[1]
        self._thread = threading.Thread(
            target=self._server.run, args=([listener],), name="emulator", daemon=True
        )
        self._thread.start()
        deadline = time.monotonic() + START_SECONDS
        while not self._server.started:
            if not self._thread.is_alive() or time.monotonic() > deadline:
                raise RuntimeError("the emulator did not start")
            time.sleep(0.002)
        return self

    def stop(self) -> None:
        self._server.should_exit = True
        if self._thread:
            self._thread.join(STOP_SECONDS)
        self.estate.close()

    def __enter__(self) -> Emulator:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()


def serve(options: Options, ready: Callable[[Emulator], object] = lambda _: None) -> None:
    """Runs until Ctrl-C; `ready` is told the running emulator, so that it can say the address."""
    with Emulator(options) as cloud:
        ready(cloud)
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            return
