"""The command of a team: send a file to a benchmark's site, or to a benchmark of a project on this machine."""

from __future__ import annotations

import http.client
import json
import os
import ssl
import time
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, urlsplit

import click

import holotype as api
from holotype.cli.options import file_type
from holotype.cli.text import plain
from holotype.errors import BenchmarkError

HERE: Final = frozenset({"127.0.0.1", "localhost", "::1"})
MOST: Final = 1 << 20
"""Bytes of an answer that are read."""
SECONDS: Final = 60.0
PAUSE: Final = 30.0


@click.command()
@click.argument("file", type=file_type)
@click.option("--server", metavar="URL", help="The benchmark's page: https://HOST/benchmarks/NAME.")
@click.option("--token-env", metavar="VARIABLE", help="The environment variable that holds the team's token.")
@click.option("--token-file", type=file_type, help="The file that holds the team's token.")
@click.option("--wait", is_flag=True, help="Wait until it is told what became of it.")
@click.option("-p", "--project", type=click.Path(path_type=Path), help="Instead of a server, a project's folder,")
@click.option("-b", "--benchmark", metavar="NAME", help="and its benchmark.")
def submit(
    file: Path,
    server: str | None,
    token_env: str | None,
    token_file: Path | None,
    wait: bool,
    project: Path | None,
    benchmark: str | None,
) -> None:
    """Submit FILE to a benchmark for the team of a token, which no command line, log or address ever holds."""
    token = _token(token_env, token_file)
    if server and not (project or benchmark):
        _submit(Server.at(server, token), file, wait)
    elif benchmark and not server:
        if wait:
            raise click.UsageError("--wait asks a --server; here what waits is evaluated by holotype benchmark run")
        with api.open(project or Path()) as db:
            number, new = db.benchmarks.submit_file(benchmark, token, file)
        click.echo(_taken(number, new))
    else:
        raise click.UsageError("say where to: --server URL, or --project FOLDER and --benchmark NAME")


def _token(variable: str | None, file: Path | None) -> str:
    if (variable is None) == (file is None):
        raise click.UsageError("say where the token is: --token-env VARIABLE or --token-file FILE")
    text = os.environ.get(variable, "") if variable else file.read_text() if file else ""
    token = text.strip()
    if not token or not token.isascii() or not token.isprintable() or " " in token:
        raise click.ClickException(f"there is no token in {f'${variable}' if variable else file}")
    return token


def _submit(server: Server, file: Path, wait: bool) -> None:
    try:
        told = server.send(file)
        number = int(told["submission"])
        click.echo(_taken(number, told["new"]) + f"; {int(told['left'])} left today for {plain(str(told['team']))}")
        while wait:
            one = next((one for one in server.listed()["submissions"] if one["id"] == number), None)
            if one is None or one["state"] != "waiting":
                click.echo(_said(one or {}))
                return
            time.sleep(PAUSE)
    except (KeyError, TypeError, ValueError) as error:
        raise BenchmarkError("what answers at this URL is no benchmark of this version of holotype") from error


def _taken(number: int, new: bool) -> str:
    return f"submission {number} was taken" if new else f"this file is submission {number} already"


def _said(one: dict[str, Any]) -> str:
    told = one["told"]
    if one["state"] != "scored" or not told:
        return f"{plain(one['state'])}: {plain(one['detail'])}" if one["detail"] else plain(one["state"])
    if told["best"] is None:
        return "scored: there is nothing to measure"
    number = f"{told['value']:.4f} [{told['low']:.4f}, {told['high']:.4f}]"
    return (
        f"scored: {number}" if told["new"] else f"scored; the board still says {number}, of submission {told['best']}"
    )


class Server:
    """A benchmark on a site, and the token of a team; nothing is sent anywhere else, whatever the site answers."""

    def __init__(self, secure: bool, place: str, path: str, token: str) -> None:
        self._secure, self._place, self._path = secure, place, path
        self._headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}

    @classmethod
    def at(cls, url: str, token: str) -> Server:
        """The benchmark of a page. Raises `BenchmarkError` for a URL that is none, or not encrypted."""
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.query:
            raise BenchmarkError(f"a benchmark's page is https://HOST/benchmarks/NAME, not {url!r}")
        if "/benchmarks/" not in parts.path:
            raise BenchmarkError(f"a benchmark's page is https://HOST/benchmarks/NAME, not {url!r}")
        if parts.scheme == "http" and parts.hostname not in HERE:
            raise BenchmarkError(f"{parts.hostname} is asked without encryption: a token goes over https only")
        return cls(parts.scheme == "https", parts.netloc, parts.path.rstrip("/"), token)

    def send(self, file: Path) -> dict[str, Any]:
        """Send a file: what the site says. Raises `BenchmarkError` where it does not take it."""
        headers = {"Content-Length": str(file.stat().st_size), "Content-Type": "application/octet-stream"}
        with file.open("rb") as body:
            return self._asked("POST", f"/submissions?name={quote(file.name, safe='')}", body, headers)

    def listed(self) -> dict[str, Any]:
        """What became of what the team sent."""
        return self._asked("GET", "/submissions", None, {})

    def _asked(self, method: str, path: str, body: Any, headers: dict[str, str]) -> dict[str, Any]:
        kind = http.client.HTTPSConnection if self._secure else http.client.HTTPConnection
        more: dict[str, Any] = {"context": ssl.create_default_context()} if self._secure else {}
        try:
            with closing(kind(self._place, timeout=SECONDS, **more)) as connection:
                with suppress(BrokenPipeError, ConnectionResetError):  # it has answered before it had all
                    connection.request(method, self._path + path, body, self._headers | headers)
                answer = connection.getresponse()
                return _read(answer.status, answer.read(MOST))
        except (OSError, http.client.HTTPException) as error:
            raise BenchmarkError(f"{self._place} does not answer: {error or type(error).__name__}") from error


def _read(status: int, text: bytes) -> dict[str, Any]:
    """What a site said. Raises `BenchmarkError` where it refused, or is none of ours."""
    try:
        told = json.loads(text)
    except ValueError:
        told = None
    if not isinstance(told, dict):
        raise BenchmarkError(f"there is no benchmark at this URL: it answered {status}, and nothing that can be read")
    if status not in (200, 201):
        raise BenchmarkError(plain(str(told.get("error", f"it answered {status}"))))
    return told
