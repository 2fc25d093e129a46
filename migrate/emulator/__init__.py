"""Options come in; a service on loopback that answers like the real one goes out: a rehearsal."""

from migrate.emulator.cloud import Request
from migrate.emulator.estate import Estate
from migrate.emulator.faults.reading import FaultsFileError
from migrate.emulator.options import Options
from migrate.emulator.saved import Skipped
from migrate.emulator.server import Emulator, serve

__all__ = ["Emulator", "Estate", "FaultsFileError", "Options", "Request", "Skipped", "serve"]
