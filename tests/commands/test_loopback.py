"""The server of pages: for whoever has its address, under its own name, and for reading only."""

import stat
import threading
import webbrowser
from collections.abc import Iterator, Mapping
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from gem_core.commands import loopback
from gem_core.commands.loopback import LoopbackServer
from gem_core.errors import DocumentMissing, RequestError, StoreError
from gem_core.web import HttpResponse


def respond(path: str, query: Mapping[str, str]) -> HttpResponse:
    if path == "missing":
        raise DocumentMissing("no page")
    if path == "away":
        raise StoreError("storage is away")
    if path == "odd":
        raise ValueError("s3cret")
    return HttpResponse(200, f"{path}|{query}", "text/html", {"X-Own": "1"})


@pytest.fixture
def server() -> Iterator[LoopbackServer]:
    with LoopbackServer(respond) as running:
        thread = threading.Thread(target=running.serve_forever, args=(0.01,))
        thread.start()
        yield running
        running.shutdown()
        thread.join()


def ask(
    server: LoopbackServer, path: str, *, method: str = "GET", host: str = ""
) -> tuple[HTTPResponse, str]:
    connection = HTTPConnection("127.0.0.1", server.server_port, timeout=60)
    try:
        connection.request(method, path, headers={"Host": host} if host else {})
        answer = connection.getresponse()
        return answer, answer.read().decode()
    finally:
        connection.close()


def test_whoever_has_the_address_gets_the_pages(server: LoopbackServer) -> None:
    path = urlsplit(server.address).path
    answer, body = ask(server, f"{path}a%20b/c?text=x%26y&text2=")
    assert (answer.status, body) == (200, "a b/c|{'text': 'x&y'}")
    assert answer.headers["X-Own"] == "1"
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    answer, body = ask(server, path, method="HEAD")
    assert (answer.status, body) == (200, "")
    assert ask(server, path, host=f"localhost:{server.server_port}")[0].status == 200


@pytest.mark.parametrize(
    "path", ["/", "", "/x/", "//", "/%00/", "/{cut}/", "/{token}x/", "/%C3%A9/"]
)
def test_an_address_without_the_token_is_refused(server: LoopbackServer, path: str) -> None:
    path = path.replace("{cut}", server.token[:-1]).replace("{token}", server.token)
    answer, body = ask(server, path)
    assert answer.status == 403
    assert server.token not in body
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1", "127.0.0.1:1", "localhost.evil:{}"])
def test_another_host_name_is_refused(server: LoopbackServer, host: str) -> None:
    """A page of another site can let its own name lead to this machine."""
    answer, body = ask(server, f"/{server.token}/", host=host.format(server.server_port))
    assert answer.status == 421
    assert "|" not in body


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
def test_other_methods_are_refused(server: LoopbackServer, method: str) -> None:
    assert ask(server, f"/{server.token}/", method=method)[0].status == 501


@pytest.mark.parametrize(
    ("path", "status", "text"),
    [
        ("missing", 404, "no page\n"),
        ("away", 503, "storage is away\n"),
        ("odd", 500, "ValueError"),
    ],
)
def test_an_error_is_a_text_and_the_server_goes_on(
    server: LoopbackServer, path: str, status: int, text: str
) -> None:
    answer, body = ask(server, f"/{server.token}/{path}")
    assert answer.status == status
    assert body.startswith(text)
    assert "s3cret" not in body
    assert ask(server, f"/{server.token}/")[0].status == 200


def test_nothing_is_written_about_a_request(
    server: LoopbackServer, capsys: pytest.CaptureFixture[str]
) -> None:
    ask(server, f"/{server.token}/")
    assert capsys.readouterr() == ("", "")


def test_each_server_has_its_own_token(server: LoopbackServer) -> None:
    with LoopbackServer(respond) as other:
        assert len({server.token, other.token}) == 2
        assert other.server_address[0] == "127.0.0.1"
        with pytest.raises(RequestError, match=rf"--port {other.server_port}: Address already in"):
            LoopbackServer(respond, port=other.server_port)


@pytest.mark.parametrize("place", ["print_lines", "print_json"])
def test_ctrl_c_ends_it_as_soon_as_the_address_is_printed(
    place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def press(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(loopback, place, press)
    try:
        loopback.serve(respond, port=0, with_browser=False, as_json=place == "print_json")
    except KeyboardInterrupt:
        pytest.fail("that is a normal end")


def test_the_browser_gets_the_address_by_a_file_of_this_user(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Everybody can read the arguments of a process."""
    opened: list[tuple[str, str, int]] = []

    def look(address: str) -> bool:
        file = Path(unquote(urlsplit(address).path))
        mode = stat.S_IMODE(file.parent.stat().st_mode)
        opened.append((address, file.read_text("utf-8"), mode))
        return True

    def stop(_: LoopbackServer) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(webbrowser, "open", look)
    monkeypatch.setattr(LoopbackServer, "serve_forever", stop)
    loopback.serve(respond, port=0, with_browser=True, as_json=False)
    ((address, text, mode),) = opened
    assert "url=http://127.0.0.1:" in text
    assert text.partition("url=")[2].split("/")[3] not in address
    assert mode == 0o700
    assert not Path(unquote(urlsplit(address).path)).exists()
