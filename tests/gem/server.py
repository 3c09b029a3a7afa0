"""A loopback HTTP server that answers from a list, and keeps the requests."""

import socket
import struct
from dataclasses import dataclass, field

from tests.loopback import Handler, Loopback


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer. `cut` resets the connection after that number of bytes of the body."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    cut: int | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """One request."""

    path: str
    headers: dict[str, str]
    peer: int
    """Port of the client: the same for requests over one connection."""


class ScriptedServer(Loopback):
    """A context manager; the last answer is repeated for all later requests."""

    def __init__(self, *replies: Reply) -> None:
        self.replies = list(replies)
        self.asked: list[Asked] = []
        manager = self

        class Answering(Handler):
            def handle_any(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length") or 0))
                headers = {name.lower(): value for name, value in self.headers.items()}
                asked = Asked(self.path, headers, self.client_address[1])
                manager.asked.append(asked)
                reply = manager.reply(asked)
                self.send_response(reply.status)
                for name, value in reply.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(reply.body)))
                self.end_headers()
                if self.command == "HEAD":
                    return
                if reply.cut is None:
                    self.wfile.write(reply.body)
                    return
                self.wfile.write(reply.body[: reply.cut])
                self.wfile.flush()
                reset = struct.pack("ii", 1, 0)
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, reset)
                self.close_connection = True

            do_GET = do_PUT = do_DELETE = handle_any  # noqa: N815 - http.server's names
            do_POST = do_HEAD = handle_any  # noqa: N815 - as above

        super().__init__(Answering)

    def reply(self, asked: Asked) -> Reply:  # noqa: ARG002 - subclasses use it
        """The answer to this request."""
        return self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
