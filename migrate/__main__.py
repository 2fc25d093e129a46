"""The start of the program, as `assistants-migrate` and as `python -m migrate`.

Nothing of the program is loaded before `start_program` runs: loading it takes a few tenths of a second, in
which a Ctrl-C would show a traceback.
"""

import os
import sys

# What shells report of a program that Ctrl-C ended: 128 and the number of the signal.
INTERRUPTED_EXIT_CODE = 130


def start_program() -> None:
    """Run the program. Ctrl-C before a command has begun, or after it has ended, ends it without a word."""
    try:
        import signal

        # Who started the program may have it ignore the signal, as a shell does with a job in the background.
        if signal.getsignal(signal.SIGINT) != signal.SIG_IGN:
            signal.signal(signal.SIGINT, _end_at_once)
        from migrate.cli import main

        main()
    except KeyboardInterrupt:  # between two of the places that expect it
        sys.exit(INTERRUPTED_EXIT_CODE)


def _end_at_once(_number: int, _frame: object) -> None:
    os._exit(INTERRUPTED_EXIT_CODE)


if __name__ == "__main__":
    start_program()
