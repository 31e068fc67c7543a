"""
A summary cut to its budget without breaking what surrounds the cut.

Promises: whole lines only; an open fence and open `<details>` are closed; a sentence
says how much is missing; the result is never longer than asked.

Not promised: understanding of Markdown in general. It knows fences and `<details>` at
the left margin, which is what our own reports use, and expects untrusted text in
them to be escaped.
"""

from __future__ import annotations

import re

_FENCE = re.compile(r" {0,3}(?P<mark>`{3,}|~{3,})(?P<rest>.*)", re.DOTALL)
_LINE = re.compile(r"[^\n]*\n|[^\n]+")
_DETAILS = re.compile(r"<(?P<closing>/?)details\b", re.IGNORECASE)


def excerpt(markdown: str, *, cap_bytes: int) -> str:
    """
    Return the text if it fits, else its first lines and a sentence on the rest.

    Args:
        cap_bytes: Most bytes of the result in UTF-8. When not even the sentence fits,
            the result is empty.
    """
    if len(markdown.encode()) <= cap_bytes:
        return markdown
    lines = _LINE.findall(markdown)
    room_bytes = cap_bytes - len(_sentence(len(lines), len(lines)).encode())
    if room_bytes < 0:
        return ""
    scan = _Scan()
    size_bytes, kept, closing = 0, 0, ""
    for number, line in enumerate(lines, start=1):
        size_bytes += len(line.encode())
        if size_bytes > room_bytes:
            break
        scan.read(line)
        candidate = scan.closing()
        if size_bytes + len(candidate) <= room_bytes:
            kept, closing = number, candidate
    missing = _sentence(len(lines) - kept, len(lines))
    return "".join((*lines[:kept], closing, missing))


def _sentence(cut_lines: int, total_lines: int) -> str:
    """
    Say what is missing, and why.
    """
    return (
        f"\n> **Cut here:** {cut_lines:,} of {total_lines:,} lines are left out, "
        "because GitHub drops a summary of more than 1 MiB. The log has everything.\n"
    )


class _Scan:
    """
    What is open after the lines read so far.
    """

    def __init__(self) -> None:
        self._fence = ""
        self._details = 0

    def read(self, line: str) -> None:
        """
        Take one more line into account.
        """
        match = _FENCE.match(line)
        if self._fence:
            closes = match and match["mark"].startswith(self._fence)
            if match and closes and not match["rest"].strip():
                self._fence = ""
        elif match and not (match["mark"][0] == "`" and "`" in match["rest"]):
            self._fence = match["mark"]
        else:
            for tag in _DETAILS.finditer(line):
                self._details = max(0, self._details + (-1 if tag["closing"] else 1))

    def closing(self) -> str:
        """
        Return the lines that close what is open.
        """
        fence = f"{self._fence}\n" if self._fence else ""
        details = "\n" + "</details>\n" * self._details if self._details else ""
        return fence + details
