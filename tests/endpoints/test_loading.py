"""A service's module is loaded without the garbage collector looking, and before it threads get one heap."""

from __future__ import annotations

import ctypes
import gc
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from migrate.endpoints.service_module import GC_THRESHOLD_OBJECTS, M_ARENA_MAX, import_service_module

HEAPS = """
import ctypes, sys, threading
if sys.argv[1] == "loaded":
    from migrate.endpoints.service_module import import_service_module
    import_service_module("json")
libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
barrier = threading.Barrier(8)
def work():
    barrier.wait()
    libc.malloc(5000)  # without the interpreter's lock, as everything that a library in C does
    barrier.wait()
threads = [threading.Thread(target=work) for _ in range(8)]
for thread in threads: thread.start()
for thread in threads: thread.join()
libc.fopen.restype = ctypes.c_void_p
out = libc.fopen(sys.argv[2].encode(), b"w")
libc.malloc_info(0, ctypes.c_void_p(out))
libc.fclose(ctypes.c_void_p(out))
"""


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    """What is set for the whole process is undone."""
    threshold = gc.get_threshold()
    yield
    gc.unfreeze()
    gc.set_threshold(*threshold)


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.syspath_prepend(str(tmp_path))
    return tmp_path


def test_the_collector_rests_only_while_a_module_is_loaded(package: Path) -> None:
    (package / "loaded_once.py").write_text("import gc\nlooking = gc.isenabled()\n")
    module = import_service_module("loaded_once")
    assert not module.looking
    assert gc.isenabled()
    assert gc.get_threshold()[0] == GC_THRESHOLD_OBJECTS
    assert gc.get_freeze_count() > 0


def test_it_looks_again_where_a_module_cannot_be_loaded(package: Path) -> None:
    (package / "loaded_never.py").write_text("raise ImportError('of the module')\n")
    with pytest.raises(ImportError, match="of the module"):
        import_service_module("loaded_never")
    assert gc.isenabled()


def test_threads_are_given_one_heap(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[int, int]] = []
    library = SimpleNamespace(mallopt=lambda *given: asked.append(given))
    monkeypatch.setattr(ctypes, "CDLL", lambda name: library)
    assert import_service_module("json").__name__ == "json"
    assert asked == [(M_ARENA_MAX, 1)]


@pytest.mark.parametrize("error", [OSError, TypeError, AttributeError])
def test_another_system_does_without(monkeypatch: pytest.MonkeyPatch, error: type[Exception]) -> None:
    def none(name: object) -> None:
        raise error

    monkeypatch.setattr(ctypes, "CDLL", none)
    assert import_service_module("json").__name__ == "json"


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only glibc has it")
def test_the_real_library_does_so(tmp_path: Path) -> None:
    if not hasattr(ctypes.CDLL(None), "mallopt"):
        pytest.skip("another C library")
    assert (_heaps(tmp_path, "loaded"), _heaps(tmp_path, "not") > 1) == (1, True)


def _heaps(folder: Path, how: str) -> int:
    """How many heaps eight threads of a new process take."""
    told = folder / how
    subprocess.run([sys.executable, "-c", HEAPS, how, str(told)], check=True, cwd=Path(__file__).parents[2])
    return len(re.findall(r"<heap nr=", told.read_text()))
