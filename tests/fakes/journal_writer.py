"""
A process that writes a log, for tests that kill it, starve it or run several.

    journal_writer.py create DIRECTORY RUN_ID LINES SIZE
    journal_writer.py finish PATH LINES
    journal_writer.py turns PATH TURNS
    journal_writer.py hold PATH

`create` prints the log's path, then each number that `append` acknowledged; LINES of 0
writes for ever; SIZE is the bytes of each text, or `mixed`. `finish` reopens a log,
adds LINES of 1,000 bytes and locks it. `turns` reopens a log again and again, a few
lines each time. `hold` keeps it open until stdin ends. A JournalError ends the process
with code 3 and its text on stderr.
"""

from __future__ import annotations

import os
import random
import sys
from itertools import count
from pathlib import Path

from reliability.clock import SystemClock
from reliability.errors import JournalError
from reliability.journal import Journal

MOST_TEXT_BYTES = 256 * 1024 - 300  # With the rest of the line below its cap.


def say(word: object) -> None:
    """
    Tell the test at once; a line of a pipe is whole or absent.
    """
    os.write(1, f"{word}\n".encode())


def mixed_text() -> str:
    """
    Return a text of 1 byte to 256 KiB, short ones as likely as long ones.
    """
    size = int(2 ** random.uniform(0, 18))
    return chr(random.randrange(97, 123)) * min(size, MOST_TEXT_BYTES)


def create(directory: Path, run_id: str, lines: int, size: str) -> None:
    """
    Write a new log and lock it.
    """
    journal = Journal.create(
        directory,
        base_name="chat",
        run_id=run_id,
        clock=SystemClock(),
        redact=lambda value: value,
    )
    say(journal.path)
    with journal:
        for number in range(lines) if lines else count():
            text = mixed_text() if size == "mixed" else "x" * int(size)
            say(journal.append("trial_finished", {"number": number, "text": text}))
        journal.append("run_finished", {"status": "completed"})
        say(journal.lock())


def finish(path: Path, lines: int) -> None:
    """
    Go on with a log and end it, saying each number written and the hash.
    """
    with reopen(path, wait_s=0) as journal:
        for _ in range(lines):
            say(journal.append("trial_finished", {"text": "x" * 900}))
        say(journal.append("run_finished", {"status": "completed"}))
        say(journal.lock())


def take_turns(path: Path, turns: int) -> None:
    """
    Reopen the log *turns* times, waiting for others, and say each number written.
    """
    for _ in range(turns):
        with reopen(path, wait_s=60) as journal:
            for _ in range(5):
                say(
                    journal.append(
                        "trial_finished", {"pid": os.getpid(), "text": mixed_text()}
                    )
                )


def hold(path: Path) -> None:
    """
    Keep the log open until the test closes stdin.
    """
    with reopen(path, wait_s=0):
        say("open")
        sys.stdin.read()


def reopen(path: Path, *, wait_s: float) -> Journal:
    """
    Open a log again with the machine's clock and no redaction.
    """
    return Journal.reopen(
        path, clock=SystemClock(), redact=lambda value: value, wait_s=wait_s
    )


def main(task: str, path: str, *rest: str) -> int:
    """
    Do what the command line says and return the exit code.
    """
    try:
        if task == "create":
            create(Path(path), rest[0], int(rest[1]), rest[2])
        elif task == "finish":
            finish(Path(path), int(rest[0]))
        elif task == "turns":
            take_turns(Path(path), int(rest[0]))
        else:
            hold(Path(path))
    except JournalError as error:
        print(error, file=sys.stderr)  # noqa: T201 - the test reads it
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
