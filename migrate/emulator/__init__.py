"""Options come in; a service on loopback that answers like the real one goes out: a rehearsal."""

from .cloud import Request
from .estate import Estate
from .faults.reading import FaultsFileError
from .options import Options
from .saved import Skipped
from .server import Emulator, serve

__all__ = ["Emulator", "Estate", "FaultsFileError", "Options", "Request", "Skipped", "serve"]
