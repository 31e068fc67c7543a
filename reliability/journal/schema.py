"""
What a reader of events refuses: a log of a later version, and one that is malformed.

Everyone who reads a log's events asks here, so that all say the same of the same log.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reliability.errors import JournalError
from reliability.model import SCHEMA_VERSION

if TYPE_CHECKING:
    from pathlib import Path

FIELD_ERRORS = (AttributeError, LookupError, TypeError, ValueError)
"""What using a field that is missing, or is of another type, raises."""


def require_known_schema(path: Path, schema: int) -> None:
    """
    Refuse a log whose events may mean something else than they do here.

    Args:
        schema: As `run_started` has it.

    Raises:
        JournalError: when the schema is newer than the one that is known here.
        TypeError: when it is no number; see `malformed_error`.
    """
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


def no_beginning_error(path: Path) -> JournalError:
    """
    Return the error for a log in which no run began.
    """
    return JournalError(f"{path}: there is no run_started event in it.")
