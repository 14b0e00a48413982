"""The command line: a few lines per command over the Python API."""

from __future__ import annotations

import io
import sys

import click

from holotype.cli.remedies import advised, told_lines, usage_told
from holotype.cli.root import holotype
from holotype.errors import HolotypeError


def main() -> None:
    """Run the command line; an error of ours, or in how it is used, is one line on stderr and exit code 2."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a name that is not UTF-8 is shown as well as can be
            stream.reconfigure(errors="backslashreplace")
    try:
        code = holotype(standalone_mode=False)
        sys.exit(code if isinstance(code, int) else 0)
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        sys.exit(2)
    except click.ClickException as error:
        click.echo(f"error: {usage_told(error)}", err=True)
        sys.exit(2)
    except (click.Abort, KeyboardInterrupt):
        click.echo("stopped; what was done is kept, run the same command again to go on", err=True)
        sys.exit(130)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(0)
    except (HolotypeError, OSError) as error:
        click.echo(f"error: {advised(error)}", err=True)
        for line in told_lines(error):
            click.echo(f"  {line}", err=True)
        sys.exit(2)
