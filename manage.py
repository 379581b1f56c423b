#!/usr/bin/env python
"""Runs Omarty's commands; `./manage.py help` lists them."""

import os
import shlex
import sys


def main() -> None:
    """Run the command on the command line. What may go wrong ends in one sentence, not in a traceback."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "omarty.settings")
    if sys.stdout is None or sys.stderr is None:
        # The first files that a command opens would take their numbers, and be written to.
        sys.exit("omarty: standard output and standard error must be open.")
    try:
        _run()
    except KeyboardInterrupt:
        # Interrupted during start-up, which takes a second, or after the command's end.
        if "--json" in sys.argv:
            print('{"error": "Interrupted."}')
        print("Interrupted.", file=sys.stderr)
        sys.exit(130)
    finally:
        _flush()


def _run() -> None:
    from django.core.exceptions import ImproperlyConfigured  # noqa: PLC0415
    from django.core.management import execute_from_command_line  # noqa: PLC0415
    from django.db import OperationalError  # noqa: PLC0415

    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        sys.exit(f"omarty: {error}")
    except (OSError, RuntimeError) as error:
        # A file that Django's own commands and checks stumble over, such as links that lead in a circle.
        named = getattr(error, "filename", None)
        if "--traceback" in sys.argv or not (named or str(error).startswith("Symlink loop")):
            raise
        what = f"{named}: {error.strerror}" if isinstance(error, OSError) else error
        sys.exit(f"omarty: {what}. {_remedy(error, str(named))}")
    except OperationalError as error:
        # Django's own commands, such as migrate; those of ours say it themselves.
        if "--traceback" in sys.argv:
            raise
        from omarty.health import refusal  # noqa: PLC0415

        sys.exit("omarty: The database refused: {} {}".format(*refusal(error)).strip())


def _remedy(error: Exception, file: str) -> str:
    if not isinstance(error, PermissionError):
        return "Remove what is wrong there, or correct its name in .env."
    if file.endswith(".py"):
        return (
            f"The program is read by everybody who runs it. As root: chmod o+r {shlex.quote(file)}"
        )
    return "Open it to the user who ran this, or correct its name in .env."


def _flush() -> None:
    try:
        sys.stdout.flush()
    except OSError as error:
        # Python flushes once more when it exits: that must not fail again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(f"omarty: standard output cannot be written: {error.strerror}.")


if __name__ == "__main__":
    main()
