"""
Read the events of a log with every text in its place, also those kept beside the log.

The whole text of one event is in memory at a time, and not of two.
"""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from reliability.journal.reader import Event, read_events
from reliability.journal.side import read_side_text

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def read_whole_events(path: Path) -> Iterator[Event]:
    """
    Yield the events of a log in their order; a torn last line is ignored.

    Raises:
        JournalError: as `read_events` does, and when a side file is missing or changed.
    """
    for event in read_events(path):
        yield _with_side_texts(path, event) if event.side_files else event


def _with_side_texts(path: Path, event: Event) -> Event:
    fields: dict[str, Any] = dict(event.fields)
    for name, *inner in event.side_files:
        if not inner:
            fields[str(name)] = read_side_text(path, fields[str(name)])
            continue
        holder = fields[str(name)] = copy.copy(fields[str(name)])
        holder[inner[0]] = read_side_text(path, holder[inner[0]])
    return replace(event, fields=fields, side_files=())
