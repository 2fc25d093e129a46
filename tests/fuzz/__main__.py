"""python -m tests.fuzz FIRST COUNT: a longer run over the seeds from FIRST on, with figures."""

import sys

from tests.fuzz.runner import run

first, count = int(sys.argv[1]), int(sys.argv[2])
found = run(range(first, first + count))
sys.stdout.write(
    f"{sum(found.ran.values()):,} cases: {dict(found.ran)}; exit codes {dict(sorted(found.codes.items()))}\n"
)
sys.stdout.write(
    "\n".join(found.wrong) or "none ended in a traceback, all with an exit code of the contract\n"
)
sys.exit(1 if found.wrong else 0)
