"""Write the log: with -v and --debug to standard error, with --log-file to a file, otherwise nowhere.

Modules log to the logger of their name, at two levels. INFO: what is done, such as "create assistant
asst_1". DEBUG: each request (`migrate.endpoints.http.request_log`). No line goes to standard output, and
`redact` removes secrets from each.
"""

from __future__ import annotations

import logging
import os
import re
import stat
import time
from collections.abc import Callable
from pathlib import Path

from migrate.cli import safe_text
from migrate.errors import BadUsage
from migrate.files.output import OWNER_ONLY_MODE, resolve_destination, translate_write_errors

ROOT_LOGGER = "migrate"  # the parent of the loggers of all modules
TIME_FORMAT = "%Y-%m-%dT%H:%M:%S"
LOG_LINE = re.compile(rb"\d{4}-\d\d-\d\dT")
STDERR_FORMAT = "%(asctime)s %(name)s: %(message)s"
FILE_FORMAT = "%(asctime)s.%(msecs)03dZ %(levelname)s %(name)s: %(message)s"


class _Formatter(logging.Formatter):
    """One line without secrets, and without characters that control a terminal. Times are in UTC."""

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:
        return time.strftime(datefmt or TIME_FORMAT, time.gmtime(record.created))

    def format(self, record: logging.LogRecord) -> str:
        return safe_text(super().format(record)).replace("\n", "\\n")


class _CallbackHandler(logging.Handler):
    """Passes each line to `show`."""

    def __init__(self, show: Callable[[str], None]) -> None:
        super().__init__()
        self._show = show

    def emit(self, record: logging.LogRecord) -> None:
        self._show(self.format(record))


class _FileHandler(logging.StreamHandler):  # type: ignore[type-arg]
    """Appends to a file until a line cannot be written; `error` is the reason."""

    error: OSError | None = None

    def emit(self, record: logging.LogRecord) -> None:
        if self.error is None:
            try:
                self.stream.write(f"{self.format(record)}\n")
                self.stream.flush()
            except OSError as error:
                self.error = error

    def close(self) -> None:
        try:
            self.stream.close()
        except OSError as error:
            self.error = self.error or error
        super().close()


class CommandLog:
    """The log of one command, from `start` to `stop`."""

    def __init__(self, level: int | None, file: Path | None, show: Callable[[str], None]) -> None:
        """`level`: of the lines passed to `show`, or None for no line. Raises `BadUsage` if `file` is no
        log."""
        self._logger = logging.getLogger(ROOT_LOGGER)
        self._handlers: list[logging.Handler] = []
        self._show = show
        self._file, self._level_before = file, self._logger.level
        if level is not None:
            self._add(_CallbackHandler(show), level, _Formatter(STDERR_FORMAT, "%H:%M:%S"))
        if file is not None:
            stream = os.fdopen(_open_log(file), "a", encoding="utf-8", errors="backslashreplace")
            self._add(_FileHandler(stream), logging.DEBUG, _Formatter(FILE_FORMAT, TIME_FORMAT))

    def _add(self, handler: logging.Handler, level: int, formatter: logging.Formatter) -> None:
        handler.setLevel(level)
        handler.setFormatter(formatter)
        self._handlers.append(handler)

    def start(self) -> None:
        """Start writing log lines."""
        for handler in self._handlers:
            self._logger.addHandler(handler)
        if self._handlers:
            self._logger.setLevel(min(handler.level for handler in self._handlers))

    def failed(self, error: BaseException) -> None:
        """Log how the command ended: an error, or an exit code that is not 0."""
        code = getattr(error, "exit_code", "none")
        self._logger.debug("ended with %s, exit code %s: %s", type(error).__name__, code, error)

    def silence_stderr(self) -> None:
        """Undo -v, but not --debug: for a command that uses -v for something else."""
        for handler in [each for each in self._handlers if each.level == logging.INFO]:
            self._logger.removeHandler(handler)

    def stop(self) -> None:
        """Close the file; report it if the file is incomplete."""
        for handler in self._handlers:
            self._logger.removeHandler(handler)
            handler.close()
            if isinstance(handler, _FileHandler) and handler.error is not None:
                why = handler.error.strerror or str(handler.error)
                self._show(f"the log file {self._file} is incomplete: {why}")
        if self._handlers:
            self._logger.setLevel(self._level_before)


def _open_log(path: Path) -> int:
    """A descriptor that appends to a log of this program or to a new file, which only its owner can read."""
    destination = resolve_destination(path)
    if not destination.is_plain_file:
        raise BadUsage(f"{path} cannot be a log file", "it is not a plain file", "name another file")
    flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
    with translate_write_errors(path):
        handle = os.open(destination.path, flags, OWNER_ONLY_MODE)
        try:
            if not stat.S_ISREG(os.fstat(handle).st_mode):
                raise BadUsage(f"{path} cannot be a log file", "it is not a plain file", "name another file")
            head = os.read(handle, 16)
            if head and not LOG_LINE.match(head):
                raise BadUsage(f"{path} is no log file", "it contains something else", "name another file")
            if hasattr(os, "fchmod"):
                os.fchmod(handle, OWNER_ONLY_MODE)  # it may be older, with other permissions
        except BaseException:
            os.close(handle)
            raise
    return handle
