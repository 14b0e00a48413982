"""Connections that are slow, silent, endless or many, and the others, which are served meanwhile."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from urllib.parse import urlsplit

import pytest
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from browser import PASSWORD, Served, served
from clients import Visitor, said
from conftest import program
from holotype.catalog import Catalog
from holotype.project import Project
from holotype.web import connections, passwords, routing

HEAD = b"GET /login HTTP/1.1\r\nHost: 127.0.0.1\r\n"
POSTED = (
    b"POST /login HTTP/1.1\r\nHost: 127.0.0.1\r\nSec-Fetch-Site: same-origin\r\n"
    b"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 40\r\n\r\nname="
)


@pytest.fixture
def site(project: Project) -> Iterator[Served]:
    with served(project) as site:
        yield site


def connect(site: Served, sent: bytes = b"", place: str = "127.0.0.1") -> socket.socket:
    """A connection from an address of this machine that has said something."""
    parts = urlsplit(site.address)
    assert parts.hostname is not None
    assert parts.port is not None
    opened = socket.create_connection((parts.hostname, parts.port), timeout=60, source_address=(place, 0))
    opened.sendall(sent)
    return opened


@contextmanager
def many(site: Served, count: int, sent: bytes, place: str = "127.0.0.1") -> Iterator[list[socket.socket]]:
    """As many connections at once, each of which has said something and then goes silent."""
    with ExitStack() as stack:
        yield [stack.enter_context(connect(site, sent, place)) for _ in range(count)]


def heard(connection: socket.socket) -> bytes:
    """All that a connection says until it ends, however that is."""
    found = b""
    try:
        while chunk := connection.recv(65_536):
            found += chunk
    except ConnectionResetError:
        pass
    return found


@pytest.mark.parametrize(
    "sent", [b"", b"GET", HEAD, HEAD + b"X-Long: ", POSTED], ids=["nothing", "word", "line", "head", "body"]
)
def test_silent_clients_that_take_all_places_keep_nobody_out(
    site: Served, monkeypatch: pytest.MonkeyPatch, sent: bytes
) -> None:
    monkeypatch.setattr(connections, "MOST", 20)
    with many(site, 60, sent):
        assert Visitor(site).get("/healthz").text == "ok"
        assert Visitor(site).get("/login").status == 200
        Visitor.joined(site, "worker", "Ada")


def test_who_has_most_places_loses_one_first(site: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "MOST", 20)
    with connect(site, HEAD) as slow, many(site, 40, HEAD, "127.0.0.2") as greedy:
        assert Visitor(site).get("/healthz").text == "ok"
        slow.sendall(b"Connection: close\r\n\r\n")
        assert b"Sign in" in heard(slow), "it was the first and has waited longest, but is alone"
        assert heard(greedy[0]) == b""


@pytest.mark.parametrize("dribbled", [b"\r\n", b"X: y\r\n", b""])
def test_a_head_that_does_not_come_to_an_end_is_not_waited_for(
    site: Served, monkeypatch: pytest.MonkeyPatch, dribbled: bytes
) -> None:
    monkeypatch.setattr(connections, "HEAD_SECONDS", 0.2)
    with connect(site, b"" if dribbled == b"\r\n" else HEAD) as slow:
        slow.settimeout(0.02)
        ended = False
        while not ended:
            try:
                slow.sendall(dribbled)
                ended = slow.recv(1) == b""
            except TimeoutError:
                pass
            except (ConnectionResetError, BrokenPipeError):
                ended = True


def test_a_second_request_is_waited_for_as_long_as_the_first(site: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "HEAD_SECONDS", 0.3)
    with connect(site, HEAD + b"\r\n") as client:
        assert client.recv(65_536).startswith(b"HTTP/1.1 200")
        client.sendall(b"GET /healthz HTTP/1.1\r\n")
        assert b"HTTP/1.1" not in heard(client)


def test_requests_sent_all_at_once_are_answered_in_turn(site: Served) -> None:
    one = b"GET /%s HTTP/1.1\r\nHost: 127.0.0.1\r\n%s\r\n"
    replies = said(site, one % (b"healthz", b"") * 3 + one % (b"robots.txt", b"Connection: close\r\n"))
    assert [*re.findall(rb"\r\n\r\n(ok|User)", replies)] == [b"ok", b"ok", b"ok", b"User"]


@pytest.mark.parametrize("endless", [b"X: " + b"a" * 1000 + b"\r\n", b"a" * 1000])
def test_an_endless_head_is_refused(site: Served, endless: bytes) -> None:
    with connect(site, HEAD + b"X-Long: ") as client:
        sent = 0
        try:
            while sent < 50_000_000:
                client.sendall(endless)
                sent += len(endless)
        except (BrokenPipeError, ConnectionResetError):
            pass
        assert sent < 20_000_000
    assert Visitor(site).get("/healthz").text == "ok"


def test_a_body_that_does_not_come_is_not_waited_for(site: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(routing, "BODY_SECONDS", 0.2)
    with connect(site, POSTED) as slow:
        reply = heard(slow)
    assert reply.startswith(b"HTTP/1.1 408")
    assert b"did not arrive in time" in reply


def test_the_rest_of_a_refused_body_is_no_request(site: Served) -> None:
    smuggled = b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
    head = b"POST /nowhere HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100000\r\n\r\n"
    with connect(site, head + smuggled) as client:
        reply = heard(client)
    assert reply.count(b"HTTP/1.1") == 1
    assert reply.startswith(b"HTTP/1.1 404")


@pytest.mark.parametrize(
    "head",
    [
        b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n",
        b"Content-Length: 4\r\nContent-Length: 5\r\n",
        b"Content-Length: -1\r\n",
        b"Content-Length: 1e3\r\n",
        b"Transfer-Encoding: chunked, identity\r\n",
    ],
)
def test_a_body_of_two_lengths_is_refused(site: Served, head: bytes) -> None:
    reply = said(site, b"POST /login HTTP/1.1\r\nHost: 127.0.0.1\r\n" + head + b"\r\n0\r\n\r\n")
    assert reply.startswith(b"HTTP/1.1 400"), reply


def test_who_takes_nothing_of_an_answer_is_not_waited_for(site: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "TAKING_SECONDS", 0.2)
    lost = threading.Event()
    connection_lost = connections.Connection.connection_lost

    def noted(self: connections.Connection, exc: Exception | None) -> None:
        connection_lost(self, exc)
        lost.set()

    async def long(_: Request) -> Response:
        return Response(bytes(80_000_000))

    monkeypatch.setattr(connections.Connection, "connection_lost", noted)
    site.app.routes.append(Route("/long", long))
    with connect(site, b"GET /long HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n") as client:
        assert lost.wait(60)
        assert len(heard(client)) < 80_000_000


# Many at once


def test_many_who_come_in_at_once_take_neither_memory_nor_others_threads(
    site: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    Visitor.joined(site, "operator", "Olga")
    go_on, lock, now, most = threading.Event(), threading.Lock(), 0, 0

    passwords.is_right("", "the first one makes what nobody's password is compared with")

    class Slow:
        def verify(self, *_: str) -> bool:
            nonlocal now, most
            with lock:
                now += 1
                most = max(most, now)
            go_on.wait(60)
            with lock:
                now -= 1
            return False

    monkeypatch.setattr(passwords, "_HASHER", Slow())
    with ThreadPoolExecutor(100) as threads:
        wrong = [
            threads.submit(Visitor(site).post, "/login", {"name": f"Olga {n % 3}", "password": PASSWORD})
            for n in range(100)
        ]
        while sum(future.done() for future in wrong) < 90:  # all but those that wait for their turn were told so
            pass
        assert Visitor(site).get("/login").status == 200
        assert Visitor(site).get("/healthz").text == "ok"
        go_on.set()
        statuses = sorted(future.result().status for future in wrong)
    assert statuses == [403] * 10 + [503] * 90
    assert most == 2


def test_every_thread_of_a_site_can_read_while_another_writes(catalog: Catalog) -> None:
    together = threading.Barrier(41)

    def read(_: int) -> bool:
        with catalog.read():
            together.wait(60)
            together.wait(60)
        return True

    with catalog.grouped(), ThreadPoolExecutor(40) as threads:
        reading = threads.map(read, range(40))
        together.wait(60)
        assert catalog.transact(lambda connection: 7) == 7
        together.wait(60)
        assert all(reading)


# The end


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_a_site_that_is_told_to_stop_ends_well(project: Project, how: signal.Signals) -> None:
    arguments = program("serve", "--port", "0", "-p", project.path)
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        (address,) = re.findall(r"served at (http://127\.0\.0\.1:\d+)/ ", process.stdout.readline())
        (secret,) = re.findall(rf"{address}/join/(\S+)", process.stdout.readline())
        site = Served(project, address)
        olga = Visitor(site)
        assert olga.post(f"/join/{secret}", {"name": "Olga", "password": PASSWORD, "again": PASSWORD}).status == 303
        with many(site, 5, b""), many(site, 5, HEAD):
            process.send_signal(how)
            assert process.stdout.read() == "stopped; all that was handed in is kept\n"
        assert process.stderr.read() == ""
        assert process.wait() == 0
    assert [one.name for one in project.people.everybody()] == ["Olga"]


def test_what_is_being_done_is_done_before_the_end(project: Project) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def slow(visit: object) -> Response:
        begun.set()
        go_on.wait(60)
        return Response("done")

    with ThreadPoolExecutor(1) as threads:
        with served(project) as site:
            site.app.routes.append(routing.page("/slow", slow, None))
            asked = threads.submit(Visitor(site).get, "/slow")
            begun.wait(60)
            threading.Timer(0.1, go_on.set).start()
        assert asked.result().text == "done"


def test_a_port_that_is_taken_is_said(project: Project, site: Served) -> None:
    port = urlsplit(site.address).port
    ended = subprocess.run(
        program("serve", "--port", port, "-p", project.path), capture_output=True, text=True, check=False
    )
    assert ended.returncode == 2
    assert f"port {port} of 127.0.0.1 cannot be listened at: Address already in use; try another --port" in ended.stderr


@pytest.mark.parametrize(
    ("options", "told"),
    [(("--port", "99999"), "not in the range"), (("--host", "203.0.113.1"), "say it with --public-url")],
)
def test_where_it_cannot_be_served_is_said(project: Project, options: tuple[str, str], told: str) -> None:
    ended = subprocess.run(program("serve", *options, "-p", project.path), capture_output=True, text=True, check=False)
    assert ended.returncode == 2
    assert told in ended.stderr
