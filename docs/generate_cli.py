"""Write the reference of the command line, docs/cli.md, from what the commands themselves say."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from holotype.cli.commands import holotype

HEAD = """# The command line

Made by `make docs` from the commands' own help. Every command takes `--help`; an error is one line on stderr and exit
code 2; `--json` prints JSON for scripts; Ctrl-C stops at once and the same command goes on where it was.
"""


def _sections(command: click.Command, path: tuple[str, ...]) -> Iterator[str]:
    if isinstance(command, click.Group):
        for name, child in sorted(command.commands.items()):
            yield from _sections(child, (*path, name))
        if not command.invoke_without_command:
            return
    context = click.Context(command, info_name=" ".join(path), max_content_width=100, terminal_width=100)
    yield f"\n## {' '.join(path)}\n\n```text\n{command.get_help(context)}\n```\n"


def reference() -> str:
    """The whole page."""
    return HEAD + "".join(_sections(holotype, ("holotype",)))


if __name__ == "__main__":
    (Path(__file__).parent / "cli.md").write_text(reference())
