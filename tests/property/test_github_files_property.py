"""
Any outputs read back exactly, and any summary keeps to its cap with all closed.
"""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

from hypothesis import given, settings, strategies as st
from oracle.runner_parser import pairs_in

from reliability.github.excerpt import excerpt
from reliability.github.files import write_outputs, write_summary

NAMES = st.from_regex(r"[A-Za-z_][A-Za-z0-9_-]{0,8}", fullmatch=True)
VALUES = st.lists(
    st.one_of(
        st.sampled_from(["EOF", "<<", "=", "\n", "\r\n", "ghadelimiter_", "a<<b\n"]),
        st.text(st.characters(exclude_categories=["Cs"]), max_size=4),
    ),
    max_size=6,
).map("".join)
LINES = st.lists(
    st.sampled_from(
        [
            *("```", "````text", "~~~", "~~~~", "text", "", "| a | b |", "é" * 30),
            *("<details>", "</details>", "<details><summary>x</summary>", "    ```"),
        ]
    ),
    max_size=40,
)

quick = settings(max_examples=200, deadline=None)


@given(st.lists(st.dictionaries(NAMES, VALUES, max_size=3), max_size=3), VALUES)
@quick
def test_outputs_read_back_exactly(calls: list[dict[str, str]], there: str) -> None:
    """
    The runner's parser finds the names and values that were given, in order.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "output")
        path.write_text(f"there<<E0F\n{there}\nE0F", newline="")
        for outputs in calls:
            write_outputs(path, outputs)
        found = pairs_in(path.read_bytes().decode())

    given_pairs = [pair for outputs in calls for pair in outputs.items()]
    assert found == [("there", there), *given_pairs]


def is_open(markdown: str) -> bool:
    """
    Tell if a fence or details are open at the end; by CommonMark 0.31, section 4.5.
    """
    fence, details = "", 0
    for line in markdown.split("\n"):
        mark = re.match(r" {0,3}(```+|~~~+)(.*)", line)
        if fence:
            if mark and mark[1].startswith(fence) and mark[2].strip() == "":
                fence = ""
        elif mark:
            fence = mark[1]
        else:
            details += line.count("<details>") - line.count("</details>")
            details = max(0, details)
    return bool(fence or details)


@given(LINES, st.integers(min_value=0, max_value=900))
@quick
def test_excerpt_keeps_to_its_cap_and_closes_all(
    lines: list[str], cap_bytes: int
) -> None:
    """
    Never longer than the cap; whole lines from the start; nothing left open by the cut.
    """
    markdown = "".join(f"{line}\n" for line in lines)
    kept = excerpt(markdown, cap_bytes=cap_bytes)

    assert len(kept.encode()) <= cap_bytes
    if kept and kept != markdown:
        number = re.search(r"\*\*Cut here:\*\* ([\d,]+) of ([\d,]+) lines", kept)
        assert number
        assert len(lines) == int(number[2])
        count = len(lines) - int(number[1])
        assert kept.startswith("".join(f"{line}\n" for line in lines[:count]))
        assert not is_open(kept)
    if len(markdown.encode()) <= cap_bytes:
        assert kept == markdown


@given(st.lists(st.text(max_size=80), max_size=30), st.integers(0, 2000))
@quick
def test_summary_file_never_passes_its_cap(texts: list[str], cap_bytes: int) -> None:
    """
    However much is written and how often, the file is not longer than the cap.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "summary")
        written = [write_summary(path, text, cap_bytes=cap_bytes) for text in texts]
        size_bytes = path.stat().st_size if path.exists() else 0

    assert sum(written) == size_bytes <= cap_bytes
