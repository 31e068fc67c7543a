"""
What a reader refuses: a log of a later version, malformed or changed since its lock.

Everyone who reads a log's events asks here, so that all say the same of the same log.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reliability.errors import JournalError
from reliability.journal.whole import read_whole_events
from reliability.model import SCHEMA_VERSION

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from reliability.journal.reader import Event

FIELD_ERRORS = (AttributeError, LookupError, TypeError, ValueError)
"""What using a field that is missing, or is of another type, raises."""


def read_run_events(path: Path) -> Iterator[Event]:
    """
    Yield the whole events of a log, if they mean what they do here.

    Raises:
        JournalError: as `read_whole_events` does; when the log is of a later schema;
            at the end, when no run began in it.
        LookupError, TypeError: when the schema is missing, or no number; see
            `malformed_error`.
    """
    has_begun = False
    for event in read_whole_events(path):
        if event.event == "run_started":
            _require_known_schema(path, event.fields["schema"])
            has_begun = True
        yield event
    if not has_begun:
        raise no_beginning_error(path)


def _require_known_schema(path: Path, schema: int) -> None:
    if schema > SCHEMA_VERSION:
        raise JournalError(
            f"{path}: its schema is {schema}, newer than the {SCHEMA_VERSION} that is "
            "known here.",
            remedy="Use a newer version.",
        )


def malformed_error(path: Path, error: Exception) -> JournalError:
    """
    Return the error for an event that is not as it should be.

    Args:
        error: One of `FIELD_ERRORS`.
    """
    return JournalError(
        f"{path}: an event lacks a field, or has another than it should: {error!r}."
    )


def changed_error(path: Path, *, present: str, recorded: str) -> JournalError:
    """
    Return the error for a log that is no longer the one that was locked.

    Args:
        present, recorded: Its SHA-256 as it is, and as it was.
    """
    return JournalError(
        f"{path} was changed after it was locked: its SHA-256 is {present}, not "
        f"{recorded}.",
        remedy="Use the log as it was in the artifact.",
    )


def no_beginning_error(path: Path) -> JournalError:
    """
    Return the error for a log in which no run began.
    """
    return JournalError(f"{path}: there is no run_started event in it.")
