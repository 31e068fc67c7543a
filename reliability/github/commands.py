"""
Workflow commands: what a step tells the runner through its standard output.

Promises: one command is one write of one line, escaped as the runner unescapes it
(actions/runner, ActionCommand.cs), so a message keeps its line breaks and can
neither end its command nor begin another. What would hide or act in a message is
shown (see `reliability.escape`).

Not promised: that the runner sees a command written behind an unfinished line. Only
whole lines may be written to the same stream. A step shows at most 10 annotations of
a kind, so these are for one sentence about the run, not for each trial.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from reliability.escape import inline, visible

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import TextIO

SHORTEST_MASK = 4  # Shorter masks blank ordinary words all over the job's log.

_GROUP_TITLE_WIDTH = 200


class Commands:
    """
    Writes workflow commands.

    Args:
        stream: The step's standard output, or standard error: the runner reads both.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def notice(self, message: str, *, title: str | None = None) -> None:
        """
        Annotate the run with a remark.
        """
        self._annotate("notice", message, title)

    def warning(self, message: str, *, title: str | None = None) -> None:
        """
        Annotate the run with a warning.
        """
        self._annotate("warning", message, title)

    def error(self, message: str, *, title: str | None = None) -> None:
        """
        Annotate the run with an error; the step's result does not change by it.
        """
        self._annotate("error", message, title)

    def debug(self, message: str) -> None:
        """
        Write a line that shows only when the workflow's debug log is on.
        """
        self._write("debug", visible(message))

    def mask(self, value: str) -> None:
        """
        Have the runner hide a value, and each of its lines, from now on.

        Lines shorter than 4 characters are skipped. Masks cover the log and the
        summary, not artifacts: see `reliability.redact`.
        """
        # A value from the environment may hold bytes that are no UTF-8; the runner
        # sees them as replacement characters, so that is what it has to look for.
        readable = value.encode(errors="surrogateescape").decode(errors="replace")
        for line in readable.replace("\r", "\n").split("\n"):
            if len(line.strip()) >= SHORTEST_MASK:
                self._write("add-mask", line.strip())

    @contextmanager
    def group(self, title: str) -> Iterator[None]:
        """
        Fold what is printed inside under a title; groups do not nest.
        """
        self._write("group", inline(title, width=_GROUP_TITLE_WIDTH))
        try:
            yield
        finally:
            self._write("endgroup", "")

    def _annotate(self, command: str, message: str, title: str | None) -> None:
        """
        Write an annotation, with its title as a property.
        """
        properties = f" title={_escape_property(visible(title))}" if title else ""
        self._write(command + properties, visible(message))

    def _write(self, command: str, data: str) -> None:
        """
        Write one command as one line, at once.
        """
        self._stream.write(f"::{command}::{_escape_data(data)}\n")
        self._stream.flush()


def _escape_data(text: str) -> str:
    """
    Escape what would end or change the data of a command.
    """
    # The percent sign first: the others bring new ones.
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _escape_property(text: str) -> str:
    """
    Escape what would end or change a property of a command.
    """
    return _escape_data(text).replace(":", "%3A").replace(",", "%2C")
