"""Groups whose commands are imported when they are asked for, and that name the near one for one there is not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from importlib import import_module
from types import MappingProxyType
from typing import Any

import click


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """A command by where it is, ``module:attribute``, and the first sentence of its help."""

    where: str
    help: str

    def load(self) -> click.Command:
        """The command."""
        module, _, attribute = self.where.partition(":")
        found: click.Command = getattr(import_module(module), attribute)
        return found


class CommandGroup(click.Group):
    """A group that knows the commands `elsewhere` by name and help without importing them: a start takes no second."""

    def __init__(
        self, *arguments: Any, elsewhere: Mapping[str, Elsewhere] = MappingProxyType({}), **settings: Any
    ) -> None:
        super().__init__(*arguments, **settings)
        self.elsewhere = elsewhere

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names of all commands."""
        return sorted({*super().list_commands(ctx), *self.elsewhere})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name, imported if it must be."""
        if cmd_name not in self.commands and cmd_name in self.elsewhere:
            self.add_command(self.elsewhere[cmd_name].load(), cmd_name)
        return super().get_command(ctx, cmd_name)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands with their help."""
        names = self.list_commands(ctx)
        room = formatter.width - 6 - max(map(len, names))
        with formatter.section("Commands"):
            formatter.write_dl([(name, self._described(name).get_short_help_str(room)) for name in names])

    def _described(self, name: str) -> click.Command:
        held = self.commands.get(name)
        return held if held is not None else click.Command(name, help=self.elsewhere[name].help)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that `args` begin with. Raises `click.UsageError` with the near ones where there is none."""
        name = args[0]
        if not ctx.resilient_parsing and not name.startswith("-") and self.get_command(ctx, name) is None:
            near = _near(self, ctx, name)
            ctx.fail(f"No such command {name!r}." + (f" Did you mean {' or '.join(near)}?" if near else ""))
        return super().resolve_command(ctx, args)


def _near(group: click.Group, ctx: click.Context, name: str) -> list[str]:
    """Commands of groups below that are called so, or else those here that are written nearly so."""
    below = [path for path, _ in commands_below(group, ctx) if path.split()[-1] == name]
    return [f"{one!r}" for one in below or get_close_matches(name, group.list_commands(ctx))]


def commands_below(group: click.Group, ctx: click.Context, path: str = "") -> Iterator[tuple[str, click.Command]]:
    """Every command in a group that is no group itself, and in those below it, with its path: ``datasets add urls``."""
    for name in group.list_commands(ctx):
        command = group.get_command(ctx, name)
        if isinstance(command, click.Group):
            yield from commands_below(command, ctx, f"{path}{name} ")
        elif command is not None:
            yield f"{path}{name}", command
