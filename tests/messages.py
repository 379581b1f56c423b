"""A mail server and a text messages' gateway on loopback, which keep what they take."""

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs


class Mailbox:
    """What a mail server took; `refuses` is the answer to each recipient in place of 250."""

    def __init__(self) -> None:
        self.messages: list[Any] = []
        self.refuses = ""
        self.hangs_up = False
        self.port = 0

    @property
    def texts(self) -> list[str]:
        return [each.get_content() for each in self.messages]


class _Session(socketserver.StreamRequestHandler):
    """As much of SMTP as a client needs that sends a message."""

    mailbox: Mailbox

    def handle(self) -> None:
        self._say("220 here")
        while line := self.rfile.readline():
            verb = line[:4].upper()
            if verb == b"RCPT" and self.mailbox.refuses:
                self._say(self.mailbox.refuses)
            elif verb == b"DATA":
                self._say("354 go on")
                body = b"".join(iter(self.rfile.readline, b".\r\n"))
                self.mailbox.messages.append(message_from_bytes(body, policy=policy.default))
                if self.mailbox.hangs_up:
                    return
                self._say("250 taken")
            elif verb == b"QUIT":
                self._say("221 bye")
                return
            else:
                self._say("250 yes")

    def _say(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())


@contextmanager
def mail_server() -> Iterator[Mailbox]:
    """A mail server that is up until the end."""
    mailbox = Mailbox()
    session = type("Session", (_Session,), {"mailbox": mailbox})
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), session) as server:
        server.daemon_threads = True
        mailbox.port = server.server_address[1]
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield mailbox
        server.shutdown()


class Gateway:
    """The forms that a gateway took, and how it answers."""

    def __init__(self) -> None:
        self.forms: list[dict[str, str]] = []
        self.status, self.body = 200, '{"code":"1901"}'
        self.url = ""


@contextmanager
def sms_gateway() -> Iterator[Gateway]:
    """A gateway that is up until the end."""
    gateway = Gateway()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            if gateway.status == 200:
                gateway.forms.append({name: found[0] for name, found in parse_qs(body).items()})
            self.send_response(gateway.status)
            self.end_headers()
            self.wfile.write(gateway.body.encode())

        def log_message(self, *_args: Any) -> None:
            return

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        gateway.url = f"http://127.0.0.1:{server.server_address[1]}/send"
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield gateway
        server.shutdown()
