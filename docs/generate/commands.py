"""`docs/reference/cli.md`: what `--help` of every command says."""

from collections.abc import Iterator

import click

from cli.main import moot

_WIDTH = 100
_INTRO = """\
# The command line

<!-- Made by `make docs` from the commands' own help. Change `cli/`, not this page. -->

Results go to standard output, everything else to standard error in one line. Exit status: 0 done, 1 refused
or failed, 2 misused, 130 interrupted. Where the servers are is read from the environment
([settings](settings.md)), else from the stack that `moot dev` runs in the same folder. What a file given to
`moot consensus start` or a ballot may hold is in [inputs](inputs.md).
"""


def page() -> str:
    """The reference as Markdown."""
    every = list(helps())
    index = [f"- [`{path}`](#{path.replace(' ', '-')})" for path, _ in every]
    return "\n".join([_INTRO, *index, "", *(_section(*one) for one in every)])


def helps() -> Iterator[tuple[str, str]]:
    """Every command as it is typed, with its help, groups before what they hold."""
    width = {"terminal_width": _WIDTH, "max_content_width": _WIDTH}
    yield from _walk(click.Context(moot, info_name="moot", **{**moot.context_settings, **width}))


def _walk(context: click.Context) -> Iterator[tuple[str, str]]:
    yield context.command_path, context.get_help()
    if isinstance(context.command, click.Group):
        for name in context.command.list_commands(context):
            command = context.command.get_command(context, name)
            if command is not None:
                yield from _walk(click.Context(command, parent=context, info_name=name))


def _section(path: str, text: str) -> str:
    return f"## {path}\n\n```text\n{text}\n```\n"
