"""`python -m migrate` is the same program as `assistants-migrate`."""

from migrate.cli import main

if __name__ == "__main__":
    main()
