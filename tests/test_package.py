"""The package: one version, type information, and a wheel that contains both."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from migrate import __version__

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.Path:
    """The wheel, built by the build backend without downloads."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True, timeout=120)
    (file,) = folder.glob("*.whl")
    assert file.name == f"assistants_migrate-{__version__}-py3-none-any.whl"
    return zipfile.Path(file)


def test_the_version_is_defined_in_one_place() -> None:
    assert "version" in PROJECT["project"]["dynamic"]
    assert "version" not in PROJECT["project"]
    assert PROJECT["tool"]["hatch"]["version"]["path"] == "migrate/__init__.py"


def test_the_wheel_has_types_and_the_examples(wheel: zipfile.Path) -> None:
    assert (wheel / "migrate" / "py.typed").exists()
    assert (wheel / "migrate" / "fixtures_data" / "azure-v2" / "assistants.json").exists()
    assert not (wheel / "tools").exists()
    info = (wheel / f"assistants_migrate-{__version__}.dist-info" / "METADATA").read_text(encoding="utf-8")
    assert f"\nVersion: {__version__}\n" in info
