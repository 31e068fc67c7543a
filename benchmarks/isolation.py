"""
What a room of its own costs each attempt: 20 attempts in a repository of 10,000 files.

Run by hand: `python benchmarks/isolation.py [FOLDER ...]`. Each folder stands for the
file system that it is on; without one, the folder for temporary files and `/dev/shm`.
Printed per attempt: wall and CPU time of making the room, of looking at what was left
(three files changed) and of removing it. CPU time is ours and our children's; cp(1),
rm(1) and diff(1) work outside of the interpreter, beside other trials.
"""

from __future__ import annotations

import os
import random
import resource
import sys
import tempfile
import threading
import time
from collections import Counter
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from reliability.agents.user import choose_user
from reliability.choices import Isolation
from reliability.clock import SystemClock
from reliability.engine.leftovers import describe_leftovers
from reliability.engine.tools import Tools
from reliability.engine.workspace import Rooms

if TYPE_CHECKING:
    from collections.abc import Iterator

FILES = 10_000
ATTEMPTS = 20
SIZES_BYTES = (200, 2_000, 6_000, 20_000)  # About the mix of a repository of sources.


class Watch:
    """
    Adds up wall and CPU time by what they were spent on.
    """

    def __init__(self) -> None:
        self.wall_s: Counter[str] = Counter()
        self.cpu_s: Counter[str] = Counter()

    @contextmanager
    def on(self, what: str) -> Iterator[None]:
        """
        Count what happens inside under *what*.
        """
        wall_s, cpu_s = time.monotonic(), spent_cpu_s()
        try:
            yield
        finally:
            self.wall_s[what] += time.monotonic() - wall_s  # type: ignore[assignment]
            self.cpu_s[what] += spent_cpu_s() - cpu_s  # type: ignore[assignment]


def spent_cpu_s() -> float:
    """
    Return the CPU seconds of this process and of its children that have ended.
    """
    used = [resource.getrusage(resource.RUSAGE_SELF)]
    used += [resource.getrusage(resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


def make_repository(folder: Path) -> None:
    """
    Write the files: 200 folders of 50.
    """
    chance = random.Random(1)
    for number in range(FILES):
        place = folder / f"d{number // 1000}" / f"e{number // 50 % 20}"
        place.mkdir(parents=True, exist_ok=True)
        size = chance.choice(SIZES_BYTES)
        (place / f"f{number}.py").write_bytes(
            chance.randbytes(size // 2).hex().encode()
        )


def measure(folder: Path) -> Watch:
    """
    Make, use and remove the rooms of a run whose workspace and copies are in *folder*.
    """
    watch = Watch()
    workspace = folder / "project"
    make_repository(workspace)
    tempfile.tempdir = str(folder)
    tools = Tools(
        os.environ, name="bench", clock=SystemClock(), cancel=threading.Event()
    )
    rooms = Rooms(
        workspace=workspace,
        isolation=Isolation.COPY,
        user=choose_user(""),
        tools=tools,
        output_dir=workspace / "reliability-results",
    )
    for attempt in range(ATTEMPTS):
        opened = rooms.open_room()
        with watch.on("first room" if attempt == 0 else "room"):
            stay = opened.__enter__()
        stay.begin(after_setup=False)
        for name in ("d0/e0/f1.py", "d5/e3/f5150.py", "d9/e19/f9999.py"):
            (stay.room.workspace / name).write_text("changed\n", encoding="utf-8")
        with watch.on("look"):
            assert stay.origin is not None
            found = describe_leftovers(
                stay.leftovers(), stay.origin.tree, tools=tools, redact=str
            )
            assert len(found["changed"]) == 3
        with watch.on("removal"):
            opened.__exit__(None, None, None)
    rooms.close()
    return watch


def main() -> None:
    """
    Measure each file system and print a table.
    """
    places = [Path(place) for place in sys.argv[1:]]
    places = places or [Path(tempfile.gettempdir()), Path("/dev/shm")]
    print(f"{ATTEMPTS} attempts, {FILES} files; ms an attempt: wall (CPU)")
    print("| file system | first room | later room | look | removal | all attempts |")
    print("|---|--:|--:|--:|--:|--:|")
    for place in places:
        with tempfile.TemporaryDirectory(dir=place) as name:
            Path(name).chmod(0o711)
            watch = measure(Path(name))
        counts = {"first room": 1, "room": ATTEMPTS - 1}
        cells = [
            f"{1000 * watch.wall_s[what] / counts.get(what, ATTEMPTS):.0f} "
            f"({1000 * watch.cpu_s[what] / counts.get(what, ATTEMPTS):.0f})"
            for what in ("first room", "room", "look", "removal")
        ]
        wall_s, cpu_s = sum(watch.wall_s.values()), sum(watch.cpu_s.values())
        print(f"| {place} | {' | '.join(cells)} | {wall_s:.1f} s ({cpu_s:.1f} s) |")


if __name__ == "__main__":
    main()
