"""What the program changes in its own process to need less processor time. Results do not depend on it.

Only the program's entry (`migrate.cli.main`) calls `enable_process_settings`. Importing `migrate` changes
nothing. Each setting was measured alone, over TLS with 100 ms latency (docs/performance.md, "Tuning of the
process"). Settings that saved less than 5 % of the time and less than 10 MB were removed.
"""

from __future__ import annotations

import gc
from dataclasses import dataclass

# Garbage collector: threshold and freezing together saved 16 % of the processor time of a snapshot of 300
# threads, and 14 % of a verify. Python looks for cycles after some hundred new objects. Bodies contain
# none, so looking less often loses nothing.
GC_THRESHOLD_OBJECTS = 20_000

# The openai package builds and signs the same headers for each GET. Reusing them for a minute saved 8 to 11
# % of the processor time of a snapshot. Tokens are renewed 300 seconds before they expire, so a token in
# reused headers stays valid; if it is refused anyway, the request is signed and sent again.
MAX_HEADER_AGE_S = 60.0


@dataclass
class _ProcessTuning:
    is_enabled: bool = False


_tuning = _ProcessTuning()


def enable_process_settings() -> None:
    """Change the garbage collector of this process, and allow the other settings."""
    _tuning.is_enabled = True
    gc.set_threshold(GC_THRESHOLD_OBJECTS, *gc.get_threshold()[1:])


def tune_for_requests() -> None:
    """Exclude the loaded modules of an SDK from all later garbage collections, if the tuning is enabled."""
    if _tuning.is_enabled:
        gc.freeze()


def header_reuse_s() -> float:
    """Seconds for which the signed headers of a GET may be reused; 0: not at all."""
    return MAX_HEADER_AGE_S if _tuning.is_enabled else 0.0
