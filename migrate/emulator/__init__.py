"""An emulated service on this machine, for rehearsals and tests. It answers like the real service."""

from migrate.emulator.app import Request
from migrate.emulator.faults.parser import FaultsFileError
from migrate.emulator.options import Options
from migrate.emulator.saved_state import Skipped, save
from migrate.emulator.server import Emulator, serve
from migrate.emulator.state import Estate

__all__ = ["Emulator", "Estate", "FaultsFileError", "Options", "Request", "Skipped", "save", "serve"]
