"""Runs what a page of the documentation tells its reader to run, in order, in a folder of its own.

A block ``sh`` is run line by line and must succeed. A block ``text`` right behind one is what it printed, as doctest
compares: ``...`` stands for anything, and blanks count as one. Where it begins with ``error:`` the command must fail.
A block with ``title="NAME"`` is a file, there from the start. A block ``python`` without prompts is run as it is; those
with prompts are doctests.
"""

from __future__ import annotations

import contextlib
import doctest
import io
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

import holotype
from conftest import saved_ontology
from holotype.cli import main
from holotype.ontology import Ontology

FENCE = re.compile(r"^```([a-z]+)(?: +title=\"([^\"]+)\")?\n(.*?)^```$", re.M | re.S)
ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
INSTALLS = ("git ", "make ", "pip ", "python3 -m venv ", ". ", "export HOLOTYPE_CATALOG=")
"""How commands begin that are for the reader's machine alone."""
PROGRESS = re.compile(r"^(\w+ +[\d,]+ done after|in all) +[\d.]+ s\n", re.M)
SAME = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block: its language, the file that it is ("" if it is none), its text, and where it begins."""

    language: str
    title: str
    text: str
    line: int
    follows: bool
    """Whether nothing but blanks is between it and the block before."""

    @property
    def commands(self) -> list[str]:
        """The commands of a block of shell, each on one line."""
        lines = self.text.replace("\\\n", " ").splitlines()
        return [line for line in lines if shlex.split(line, comments=True) and not line.startswith(INSTALLS)]


def blocks(page: str) -> list[Block]:
    found, end = [], 0
    for match in FENCE.finditer(page):
        line = page.count("\n", 0, match.start()) + 1
        found.append(Block(match[1], match[2] or "", match[3], line, not page[end : match.start()].strip()))
        end = match.end()
    return found


class Terminal(io.TextIOWrapper):
    """A stream that says it is a terminal, so that tables are drawn as a reader sees them."""

    def isatty(self) -> bool:
        return True


@dataclass(frozen=True, slots=True)
class Reader:
    """Somebody who follows a page in a folder.

    Before a command that begins with a key of `does`, they do what it says, such as filling in a table; `elsewhere`
    says what stands here for texts of the page, such as absolute paths.
    """

    folder: Path
    does: Mapping[str, Callable[[Path], object]] = field(default_factory=dict)
    elsewhere: Mapping[str, str] = field(default_factory=dict)
    ontology: Ontology | None = None
    names: dict[str, Any] = field(default_factory=dict)

    @property
    def project(self) -> Path:
        """The project of the page, which Python there calls `db` where it does not open one."""
        return next(path.parent for path in sorted(self.folder.rglob("holotype.json")))

    def follow(self, page: Path) -> int:
        """Run all of a page; returns how many commands and blocks of Python were run."""
        found, done = blocks(page.read_text()), 0
        for block in found:
            if block.title:
                (self.folder / block.title).write_text(block.text)
        for block, after in zip(found, [*found[1:], None], strict=True):
            where = f"{page.name}:{block.line}"
            wanted = after.text if after and after.language == "text" and after.follows else None
            if block.language == "sh":
                done += self._shell(block, wanted, where)
            elif block.language == "python" and ">>>" not in block.text:
                self._python(block, wanted, where)
                done += 1
        return done

    def _shell(self, block: Block, wanted: str | None, where: str) -> int:
        said = ""
        fails = wanted is not None and wanted.startswith("error:")
        for line in block.commands:
            for begins, do in self.does.items():
                if line.startswith(begins):
                    do(self.folder)
            code, text = run(self._here(line), self.folder)
            assert (code != 0) == fails, f"{where}: {line}\n{text}"
            said += text
        self._compare(wanted, said, where)
        return len(block.commands)

    def _python(self, block: Block, wanted: str | None, where: str) -> None:
        said = io.StringIO()
        with contextlib.ExitStack() as stack:
            if re.search(r"\bdb\.", block.text) and not re.search(r"\bdb = |as db\b|\(db", block.text):
                self.names["db"] = stack.enter_context(holotype.open(self.project, self.ontology))
            stack.enter_context(contextlib.chdir(self.folder))
            stack.enter_context(contextlib.redirect_stdout(said))
            exec(compile(self._here(block.text), where, "exec"), self.names)  # noqa: S102 - our own page
        self._compare(wanted, said.getvalue(), where)

    def _compare(self, wanted: str | None, said: str, where: str) -> None:
        if wanted is not None:
            same = doctest.OutputChecker().check_output(self._here(wanted), said, SAME)
            assert same, f"{where} should print\n{wanted}\nand printed\n{said}"

    def _here(self, text: str) -> str:
        for there, here in self.elsewhere.items():
            text = text.replace(there, here)
        return text


def run(line: str, folder: Path) -> tuple[int, str]:
    """The exit code of a line of shell, and what a terminal 120 wide would show of it but for progress."""
    words = shlex.split(line, comments=True)
    bare = re.sub(r"'[^']*'|\"[^\"]*\"|#.*", "", line)
    simple = not set("|><&;*?") & set(bare)
    code, said = _inside(words[1:], folder) if words[0] == "holotype" and simple else _shell(line, folder)
    return code, PROGRESS.sub("", ESCAPES.sub("", said))


def _inside(arguments: list[str], folder: Path) -> tuple[int, str]:
    """The program run in this process."""
    buffer = io.BytesIO()
    out = Terminal(buffer, "utf-8", write_through=True)
    err = io.TextIOWrapper(buffer, "utf-8", write_through=True)
    with contextlib.ExitStack() as stack:
        stack.enter_context(mock.patch.object(sys, "argv", ["holotype", *arguments]))
        stack.enter_context(mock.patch.object(sys.modules["__main__"], "__package__", ""))
        stack.enter_context(mock.patch.object(Ontology, "from_bytes", saved_ontology))
        stack.enter_context(mock.patch.dict(os.environ, {"COLUMNS": "120", "TERM": "xterm", "NO_COLOR": "1"}))
        stack.enter_context(contextlib.chdir(folder))
        stack.enter_context(contextlib.redirect_stdout(out))
        stack.enter_context(contextlib.redirect_stderr(err))
        end = stack.enter_context(pytest.raises(SystemExit))
        main()
    assert isinstance(end.value.code, int)
    return end.value.code, buffer.getvalue().decode()


def _shell(line: str, folder: Path) -> tuple[int, str]:
    """A line of shell in a process of its own, where `holotype` and `python` are ours."""
    programs = folder.parent / "programs"
    if not programs.exists():
        programs.mkdir()
        for name, runs in {"python": "", "holotype": " -m holotype"}.items():
            (programs / name).write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)}{runs} "$@"\n')
            (programs / name).chmod(0o755)
    paths = {"PATH": f"{programs}:{os.environ['PATH']}", "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        ["sh", "-c", line], cwd=folder, env=os.environ | paths, text=True, check=False, capture_output=True
    )
    return done.returncode, done.stdout + done.stderr


def pages(docs: Path) -> Iterator[Path]:
    """Every page with something to run."""
    for page in sorted(docs.rglob("*.md")):
        found = blocks(page.read_text())
        if any(one.language == "sh" or (one.language == "python" and ">>>" not in one.text) for one in found):
            yield page
