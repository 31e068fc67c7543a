"""
How many lines a unified diff adds and removes, and whether it is whole.

Lines are counted by what each hunk's head announces and never by how they begin: a
removed `-- comment` looks like the head of a file. A diff from which something was cut
does not keep what its heads announce, so no word in it has to be believed.
"""

from __future__ import annotations

import re

_HUNK = re.compile(r"@@ -\d+(?:,(\d{1,15}))? \+\d+(?:,(\d{1,15}))? @@")
_HEADS = ("--- ", "+++ ")
_REMARK = "\\"  # "\ No newline at end of file"


def changed_lines(diff: str) -> tuple[int, bool]:
    """
    Return how many lines are added and removed, and whether that is all of them.
    """
    count = 0
    old = new = 0  # Lines that the hunk still owes.
    is_whole = True
    lines = diff.split("\n")
    if lines[-1] == "":
        lines.pop()
    for line in lines:
        first = line[:1]
        if first == _REMARK:
            continue
        if old or new:
            count += first in {"+", "-"}
            old -= first in {" ", "-"}
            new -= first in {" ", "+"}
            if first not in {" ", "+", "-"} or old < 0 or new < 0:
                is_whole = False
                old = new = 0
        elif head := _HUNK.match(line):
            old, new = (1 if owed is None else int(owed) for owed in head.groups())
        elif not line.startswith(_HEADS):
            is_whole = False
    return count, is_whole and not (old or new)
