"""`python -m omarty.port 8000`: is this port free? Granian does not check: it shares a taken one."""

import socket
import sys

HIGHEST = 65535


def is_free(port: int) -> bool:
    """Whether no program listens there, and this one may."""
    with socket.socket() as server:
        # A port that was released a moment ago is free.
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            server.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def main(text: str) -> None:
    """Exit with a sentence unless the port is free."""
    if not text.isdecimal() or not 0 < int(text) <= HIGHEST:
        sys.exit(f"PORT must be a number from 1 to {HIGHEST}, not {text!r}.")
    if not is_free(int(text)):
        free = next(filter(is_free, range(8000, HIGHEST)))
        sys.exit(f"Port {text} is taken. Try: make run PORT={free}")


if __name__ == "__main__":
    main(sys.argv[1])
