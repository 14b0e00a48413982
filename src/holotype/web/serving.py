"""Running a site: the server, the invitation that a new project needs, and a clean end."""

from __future__ import annotations

import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Final

import uvicorn

from holotype.errors import HolotypeError, ProjectError
from holotype.files import allow_files
from holotype.project import Project
from holotype.project.evaluator import Evaluator
from holotype.project.runner import Runner
from holotype.web.app import create_app
from holotype.web.connections import MOST, Connection
from holotype.web.settings import Settings

IDLE_SECONDS: Final = 5
"""How long a connection is kept for another request."""


def listening(host: str, port: int) -> socket.socket:
    """A socket that listens; port 0 is any that is free. Raises `ProjectError` where that cannot be."""
    kind = socket.AF_INET6 if ":" in host else socket.AF_INET
    made = socket.socket(kind, socket.SOCK_STREAM)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        made.bind((host, port))
        made.listen(2_048)
    except OSError as error:
        made.close()
        raise ProjectError(f"port {port} of {host} cannot be listened at: {error.strerror}") from error
    return made


def first_invitation(db: Project) -> str | None:
    """The secret of an invitation for an operator where the project has none yet; those made before hold no more."""
    if any("operator" in account.roles for account in db.people.everybody()):
        return None
    for invitation in db.people.invitations():
        if invitation.open and invitation.role == "operator" and not invitation.by:
            db.people.end_invitation(invitation.id, "")
    return db.people.invite("operator", days=7)


class _Server(uvicorn.Server):
    """A server that ends when it is told to, and lets whoever runs it end too: uvicorn's raises the signal again."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {one: signal.signal(one, self.handle_exit) for one in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for one, handler in before.items():
                signal.signal(one, handler)


class Site:
    """A project that is served at `address`, its campaigns driven and submissions to its benchmarks evaluated; `run`
    returns when it is told to stop."""

    def __init__(self, db: Project, settings: Settings, listener: socket.socket) -> None:
        self._db, self._listener = db, listener
        host, port = listener.getsockname()[:2]
        self.address = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
        self.app = create_app(db, settings)
        config = uvicorn.Config(
            self.app,
            http=Connection,
            ws="none",
            log_level="warning",
            access_log=False,
            server_header=False,
            limit_concurrency=2 * MOST,
            timeout_keep_alive=IDLE_SECONDS,
            timeout_graceful_shutdown=10,
            proxy_headers=bool(settings.public_url),
            forwarded_allow_ips="127.0.0.1",
            lifespan="off",
        )
        self._server = _Server(config)
        self._runner = Runner(db.campaigns, db.crowd.web())
        self._evaluator = Evaluator(db.benchmarks)

    def warm(self) -> None:
        """Read what pages need and what takes long, aside, so that the first visitor does not wait for it."""
        threading.Thread(target=self._warm, daemon=True).start()

    def _warm(self) -> None:
        with suppress(HolotypeError):  # whoever asks for a page is told
            self._db.explore.warm()

    def run(self) -> None:
        """Serve until Ctrl-C or SIGTERM; what was acknowledged is durable, and what waits is written first."""
        allow_files(4 * MOST)
        with self._db.catalog.grouped(), self._runner.running(), self._evaluator.running():
            self._server.run(sockets=[self._listener])

    @contextmanager
    def running(self) -> Iterator[str]:
        """Serve on a thread while this lasts: the address."""
        started = threading.Event()
        with self._db.catalog.grouped(), self._runner.running(), self._evaluator.running():
            thread = threading.Thread(target=self._serve, args=(started.set,), daemon=True)
            thread.start()
            started.wait()
            try:
                yield self.address
            finally:
                self._server.should_exit = True
                thread.join()

    def _serve(self, started: Callable[[], None]) -> None:
        started()  # the socket listens already: who connects before the server accepts, waits
        self._server.run(sockets=[self._listener])
