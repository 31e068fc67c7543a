"""
Many writers at once: no line is torn or mixed, no number missing or given twice.
"""

from __future__ import annotations

import random
import threading
from collections import Counter
from pathlib import Path

import pytest
from fakes.journals import crashed_log, new_journal, start_writer

from reliability.journal import examine, read_events
from reliability.journal.line import LINE_CAP_BYTES

THREADS = 64
LINES_EACH = 12
PROCESSES = 4
TURNS_EACH = 8
LINES_A_TURN = 5
DEADLINE_S = 60


def _text(thread: int, number: int) -> str:
    """
    Return one letter over and over, 1 byte to nearly 256 KiB.
    """
    size = int(2 ** random.Random(thread * 1000 + number).uniform(0, 18))
    return chr(97 + thread % 26) * min(size, LINE_CAP_BYTES - 300)


def test_threads_that_log_at_once_mix_no_line_and_miss_no_number(
    tmp_path: Path,
) -> None:
    """
    64 threads, lines of 1 byte to 256 KiB: each line whole, numbers dense.
    """
    numbers: list[int] = []

    def write(thread: int) -> None:
        for number in range(LINES_EACH):
            text = _text(thread, number)
            fields = {"thread": thread, "number": number, "text": text}
            numbers.append(journal.append("trial_finished", fields))

    with new_journal(tmp_path) as journal:
        threads = [threading.Thread(target=write, args=(n,)) for n in range(THREADS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        journal.append("run_finished", {})
        journal.lock()

    assert sorted(numbers) == list(range(1, THREADS * LINES_EACH + 1))
    assert examine(journal.path).locked
    in_order: Counter[int] = Counter()
    for event in read_events(journal.path):
        if event.event == "run_finished":
            continue
        thread, number = event.fields["thread"], event.fields["number"]
        assert number == in_order[thread]
        assert event.fields["text"] == _text(thread, number)
        in_order[thread] += 1
    assert set(in_order.values()) == {LINES_EACH}


@pytest.mark.crash
def test_processes_taking_turns_on_one_log_mix_no_line_and_miss_no_number(
    tmp_path: Path,
) -> None:
    """
    Four processes wait for each other's lock; the log is one whole sequence.
    """
    path = crashed_log(tmp_path)
    children = [start_writer("turns", path, TURNS_EACH) for _ in range(PROCESSES)]
    said = [child.communicate(timeout=DEADLINE_S) for child in children]

    assert [child.returncode for child in children] == [0] * PROCESSES, said
    numbers = sorted(int(word) for out, _ in said for word in out.split())
    count = PROCESSES * TURNS_EACH * LINES_A_TURN
    assert numbers == list(range(1, count + 1))
    assert (examine(path).intact, examine(path).lines) == (True, count)
    for event in read_events(path):
        assert len(set(event.fields["text"])) == 1


@pytest.mark.crash
def test_processes_that_begin_logs_in_one_folder_do_not_meet(tmp_path: Path) -> None:
    """
    Four runs at once in one folder: four logs, each its own, each locked.
    """
    children = [
        start_writer("create", tmp_path, f"run-{n}", 50, "mixed")
        for n in range(PROCESSES)
    ]
    said = [child.communicate(timeout=DEADLINE_S) for child in children]
    paths = {Path(out.split()[0]) for out, _ in said}

    assert [child.returncode for child in children] == [0] * PROCESSES, said
    assert set(tmp_path.glob("*.jsonl")) == paths
    assert [
        (found.lines, found.locked and found.intact) for found in map(examine, paths)
    ] == [(51, True)] * PROCESSES
