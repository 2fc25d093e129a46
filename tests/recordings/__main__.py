"""`make recordings DIR=...`: decodes, moves and compares recorded answers of real services."""

from __future__ import annotations

import sys
import tempfile
from collections import Counter
from pathlib import Path

from tests.recordings.answers import read
from tests.recordings.pipeline import Result, run

SHOWN = 40


def lines(result: Result) -> list[str]:
    """What is printed."""
    said = [f"{result.files} recordings"]
    for held in result.held:
        kinds = Counter(kind for kind, _, _ in held.objects)
        counts = ", ".join(f"{number} {kind}" for kind, number in sorted(kinds.items()))
        said.append(
            f"{held.family}: {len(held.objects)} objects ({counts or 'none'}); {held.repeated} seen again, "
            f"{held.made_up} made up to hold others"
        )
    said.append(f"not decoded: {len(result.broken)}")
    said += [f"  {row}" for row in result.broken[:SHOWN]]
    said.append(f"keys that no rule knows: {', '.join(sorted(result.unknown)) or 'none'}")
    others = ", ".join(f"{what} ({number})" for what, number in sorted(result.others.items()))
    said.append(f"no objects of an estate: {others or 'none'}")
    said.append(f"compared with themselves, once for each target: {result.compared}")
    for passed in result.passed:
        actions = ", ".join(f"{number} {name}" for name, number in passed.actions.items() if number)
        said.append(f"{passed.family} to {passed.target}: {actions}; {passed.created} created")
        for grade in ("adapted", "lost", "blocked"):
            fields = {field: number for (one, field), number in passed.told.items() if one == grade}
            if fields:
                said.append(
                    f"  told as {grade}: {', '.join(f'{f} ({n})' for f, n in sorted(fields.items()))}"
                )
        said.append(f"  untold: {len(passed.untold)}")
        said += [f"    {row}" for row in passed.untold[:SHOWN]]
    return said


def main(folder: Path) -> int:
    """The exit code: 0; 1 if something was not decoded or was lost silently; 2 if there is no folder."""
    if not folder.is_dir():
        sys.stderr.write(f"{folder} is no folder\n")
        return 2
    with tempfile.TemporaryDirectory() as work:
        result = run(read(folder), Path(work))
    sys.stdout.write("\n".join(lines(result)) + "\n")
    if not result.files:
        sys.stderr.write(f"{folder} holds no recording: a file for each, ending in .json\n")
        return 2
    return 1 if result.broken or any(passed.untold for passed in result.passed) else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
