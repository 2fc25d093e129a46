"""The command `serve`: what it prints, how it ends, and what it refuses with a clear message."""

from __future__ import annotations

import json
import os
import signal
import socket
import sqlite3
import ssl
import subprocess
import sys
import urllib.request
import webbrowser
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from migrate.archive.database import Archive
from tests.archive.filling import filled, write
from tests.serve.certificates import make_certificate
from tests.serve.test_access import KEY

ROOT = Path(__file__).parents[2]
Command = subprocess.CompletedProcess[str]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    filled(tmp_path / "estate.db")
    return tmp_path / "estate.db"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return make_certificate(tmp_path_factory.mktemp("tls"))


@contextmanager
def running(*arguments: str, **env: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The command in its own process, and its first line."""
    process = subprocess.Popen(
        [sys.executable, "-m", "migrate", "serve", *arguments, "--port", "0"],
        cwd=ROOT, env={**os.environ, **env}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        yield process, process.stdout.readline()
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_it_prints_an_address_that_opens_the_pages_and_ends_when_asked(path: Path, ending: int) -> None:
    with running(f"{path}@1", "--json") as (process, line):
        said = json.loads(line)
        assert said["open"] == f"{said['url']}?key={said['key']}"
        assert (said["snapshot"], said["api"]) == (1, ["azure", "foundry", "openai"])
        opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
        with opener.open(said["open"]) as answer:
            assert answer.url == f"{said['url']}snapshots/1/"
            assert "Snapshot 1" in answer.read().decode()
        process.send_signal(ending)
        out, err = process.communicate(timeout=10)
        assert (process.returncode, out, err) == (0, "", "")
    assert [file.name for file in path.parent.iterdir()] == ["estate.db"]


def test_a_lasting_key_is_used_and_never_printed(path: Path, certificate: tuple[Path, Path]) -> None:
    tls = ("--tls-cert", str(certificate[0]), "--tls-key", str(certificate[1]))
    with running(str(path), "--key-env", "ARCHIVE_KEY", *tls, ARCHIVE_KEY=KEY) as (process, line):
        assert line.startswith("https://127.0.0.1:")
        host, port = line.strip().removeprefix("https://").rstrip("/").split(":")
        context = ssl.create_default_context(cafile=str(certificate[0]))
        request = urllib.request.Request(f"https://{host}:{port}/static/base.css", headers={"api-key": KEY})
        with urllib.request.urlopen(request, context=context) as answer:
            assert answer.status == 200
        assert process.stdout is not None
        assert process.stdout.readline() == "The key is the value of ARCHIVE_KEY.\n"
        assert process.stdout.readline() == "The same address and key answer the old API: docs/api.md.\n"
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=10)
        assert KEY not in line + out + err


def refused(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *arguments: str
) -> tuple[int, str]:
    from migrate import cli

    monkeypatch.setattr(sys, "argv", ["assistants-migrate", "serve", *arguments])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    out, err = capsys.readouterr()
    assert out == ""
    assert "Traceback" not in err
    assert "  next: " in err
    return int(ended.value.code or 0), err


@pytest.mark.parametrize(
    ("options", "key", "words"),
    [
        (["--key-env", "ARCHIVE_KEY"], "", "ARCHIVE_KEY of --key-env is not set"),
        (["--key-env", "ARCHIVE_KEY"], "short", "at least 16"),
        (["--key-env", "ARCHIVE_KEY"], "with a blank in the middle", "cannot be sent"),
        (["--key-env", "ARCHIVE_KEY"], "schlüsselschlüssel", "cannot be sent"),
        (["--host", "0.0.0.0"], KEY, "--key-env VARIABLE"),
        (["--host", "0.0.0.0", "--key-env", "ARCHIVE_KEY"], KEY, "a token over https only"),
        (["--host", "::"], KEY, "--allowed-host NAME"),
        (["--host", "archive.example.com"], KEY, "can be reached by other machines"),
        (["--tls-cert", "missing.pem"], KEY, "belong together"),
        (["--tls-cert", "missing.pem", "--tls-key", "missing.pem"], KEY, "No such file"),
        (["--tls-cert", __file__, "--tls-key", __file__], KEY, "cannot use the certificate"),
        (["--allowed-host", "https://x"], KEY, "is not the name of a host"),
        (["--allowed-host", "*"], KEY, "is not the name of a host"),
    ],
)  # fmt: skip
def test_options_that_would_not_protect_are_refused(
    path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, options: list[str],
    key: str, words: str,
) -> None:  # fmt: skip
    monkeypatch.setenv("ARCHIVE_KEY", key)
    code, err = refused(capsys, monkeypatch, str(path), "--port", "0", *options)
    assert code == 2
    assert words in err
    assert not key or key not in err


def test_another_host_is_served_with_everything_that_protects_it(
    certificate: tuple[Path, Path], path: Path
) -> None:
    from migrate.serve.settings import ServeSettings, check_serve_settings, load_tls

    check_serve_settings(
        ServeSettings(
            path, KEY, host="0.0.0.0", key_is_given=True, allowed_hosts=frozenset({"archive.example.com"}),
            tls=load_tls(*certificate),
        )
    )  # fmt: skip


def test_a_taken_port_is_refused(
    path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        code, err = refused(capsys, monkeypatch, str(path), "--port", str(taken.getsockname()[1]))
    assert code == 2
    assert "is taken" in err


def test_archives_that_cannot_be_read_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    empty, foreign, later, none = (
        tmp_path / name for name in ("empty.db", "foreign.db", "later.db", "none.db")
    )
    Archive.open(empty, write=True, create=True).close()
    with closing(sqlite3.connect(foreign)) as conn:
        conn.execute("CREATE TABLE mine (x)")
    with Archive.open(later, write=True, create=True) as archive:
        write(archive)
        archive.conn.execute("UPDATE _sqlite_migrations SET name = 'version_99' WHERE name = 'version_1'")
    for file, exit_code, words in (
        (empty, 2, "contains no snapshot yet"),
        (foreign, 2, "it is another SQLite database"),
        (later, 4, "was written by a later version"),
        (none, 2, "there is no archive"),
        (tmp_path, 2, "is a config directory"),
    ):
        code, err = refused(capsys, monkeypatch, str(file), "--port", "0")
        assert (code, words in err) == (exit_code, True), err
    code, err = refused(capsys, monkeypatch, f"{later}@7", "--port", "0")
    assert code == 4


def test_the_browser_gets_an_address_that_works_once(
    path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from migrate.cli.commands import serve as module
    from migrate.cli.commands.serve import serve_command

    opened: list[str] = []
    monkeypatch.setattr(webbrowser, "open", opened.append)

    class Ended:
        def wait(self, seconds: float) -> bool:
            return True

    @contextmanager
    def ended() -> Iterator[Ended]:
        yield Ended()

    monkeypatch.setattr(module, "_end", ended)
    serve_command.main([str(path), "--port", "0", "--open"], standalone_mode=False)
    printed = capsys.readouterr().out.split()[0]
    assert opened[0].partition("?")[0] == printed.partition("?")[0]
    assert opened[0] != printed, "the key would be among the arguments of a program"
