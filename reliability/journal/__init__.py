"""
The log of a run: written line by line, locked at the end, never rewritten.

    line     one line as bytes: checksum, limits
    handler  from an event to a line, strictly (writer only)
    side     texts too long for a line
    sync     group commit to disk, off the writers' path
    lock     one writer at a time
    files    opening, keeping and copying files safely
    writer   Journal: create, reopen, append, lock
    reader   read_events: stream the events, tell a torn tail from damage
    whole    read_whole_events: with the texts of side files in their places
    sidecar  the hash of a locked log, as recorded and as it is
    verify   examine, repair

What is promised, line by line and byte by byte, is in `docs/log-format.md`.
"""

from __future__ import annotations

from reliability.journal.reader import Damage, Event, read_events
from reliability.journal.side import read_side_text
from reliability.journal.sidecar import present_sha256, recorded_sha256
from reliability.journal.verify import Examination, examine, repair
from reliability.journal.whole import read_whole_events
from reliability.journal.writer import Journal

__all__ = [
    "Damage",
    "Event",
    "Examination",
    "Journal",
    "examine",
    "present_sha256",
    "read_events",
    "read_side_text",
    "read_whole_events",
    "recorded_sha256",
    "repair",
]
