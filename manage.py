#!/usr/bin/env python
"""Runs Omarty's commands; `./manage.py help` lists them."""

import os
import sys


def main() -> None:
    """Run the command on the command line; what may go wrong ends in one sentence, not in a traceback."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "omarty.settings")
    if sys.stdout is None or sys.stderr is None:
        # What a command opens would come to stand in their place.
        sys.exit("omarty: standard output and standard error must be open.")
    try:
        _run()
    except KeyboardInterrupt:
        # Before a command has begun, which takes a second, or after its end.
        if "--json" in sys.argv:
            print('{"error": "Interrupted."}')
        print("Interrupted.", file=sys.stderr)
        sys.exit(130)
    finally:
        _flush()


def _run() -> None:
    from django.core.exceptions import ImproperlyConfigured  # noqa: PLC0415
    from django.core.management import execute_from_command_line  # noqa: PLC0415

    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        sys.exit(f"omarty: {error}")


def _flush() -> None:
    try:
        sys.stdout.flush()
    except OSError as error:
        # Python tries it once more at its end: then it is to succeed.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(f"omarty: standard output cannot be written: {error.strerror}.")


if __name__ == "__main__":
    main()
