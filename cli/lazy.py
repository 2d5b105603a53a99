"""A click group that knows its commands by name and one-line help, and imports one only to run it."""

from collections.abc import Mapping
from importlib import import_module

import click


class LazyGroup(click.Group):
    """`table` maps a command's name to ("module:attribute", its one-line help)."""

    def __init__(self, *args: object, table: Mapping[str, tuple[str, str]], **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type] # click's own arguments pass through
        self._table = dict(table)

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*self._table, *super().list_commands(ctx)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self._table:
            return super().get_command(ctx, cmd_name)
        module, _, attribute = self._table[cmd_name][0].partition(":")
        command: click.Command = getattr(import_module(module), attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 # click's signature
        """List the table's own help lines: click's version would import every command."""
        own = {name: command.get_short_help_str(80) for name, command in self.commands.items()}
        rows = [*((name, line) for name, (_, line) in self._table.items()), *own.items()]
        if not rows:
            return
        with formatter.section("Commands"):
            formatter.write_dl(rows)
