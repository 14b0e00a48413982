"""Write the reference of the command line, docs/reference/cli.md, from what the commands themselves say."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from holotype.cli.root import holotype

HEAD = """# The command line

Made by `make docs` from the commands' own help. Every command takes `--help`; an error is one line on stderr that
says what to do, and exit code 2; `--json` prints JSON for scripts; Ctrl-C stops at once and the same command goes on
where it was.
"""


def _sections(command: click.Command, name: str, parent: click.Context | None = None) -> list[str]:
    settings: dict[str, Any] = {**command.context_settings, "max_content_width": 80, "terminal_width": 80}
    context = click.Context(command, parent, name, **settings)
    if not isinstance(command, click.Group):
        return [f"\n## {context.command_path}\n\n```text\n{command.get_help(context)}\n```\n"]
    below = [(one, command.get_command(context, one)) for one in command.list_commands(context)]
    return [section for one, child in below if child is not None for section in _sections(child, one, context)]


def reference() -> str:
    """The whole page."""
    return HEAD + "".join(_sections(holotype, "holotype"))


if __name__ == "__main__":
    (Path(__file__).parent / "reference/cli.md").write_text(reference())
