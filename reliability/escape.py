r"""
Untrusted text made safe to show: on a console, in Markdown, in HTML.

Promises: the result holds no control character, no bidirectional or zero-width one
and no lone surrogate (each is shown as `\u001b`), so it can always be encoded, never
moves a cursor and never hides or reorders what it says. On a console no runner
command survives, wherever a caller breaks or indents the line afterwards. In Markdown
and HTML it is text and nothing else.

Not promised: that a link made of escaped text is harmless (`javascript:` is plain
text too), or that the original can be read back: a backslash stays a backslash.

Trade-offs: an emoji joined of several shows its joiners; code such as `std::vector`
shows as `std:\u003avector` on a console, because a lone colon pair at the start of
a line is a command. Breaking a command with an invisible character is not an option:
the runner compares by culture rules, which skip invisible characters (actions/runner,
ActionCommand.cs: `StartsWith` and `IndexOf` without `StringComparison.Ordinal`).
"""

from __future__ import annotations

import re
import unicodedata
from itertools import pairwise

ELLIPSIS = "…"

# Invisible, though their category says letter or mark (Default_Ignorable_Code_Point).
_FILLERS = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0"
    "\U000e0100-\U000e01ef]"
)
_EMOJI_STYLE = "\ufe0f"
_HIDDEN_CATEGORIES = frozenset(("Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"))
_NOT_PLAIN = re.compile(r"[^\t\n\x20-\x7e]+")
_COMMAND = re.compile(r"(?<=:):|(?<=##)\[")

_BREAK = "\u200b"  # Zero-width space: parts what GitHub would link, and shows nothing.
# A mention, an issue number, a URL, an emoji code: found by GitHub in the rendered
# text, where an entity is a plain character again, hence a character between.
_ACTING = re.compile(
    r"@|#(?=\d)|:(?=//|[a-z+-][\w+-]*:)|www(?=\.)|\bgh(?=-\d)", re.IGNORECASE
)
_CELL_ENTITIES = str.maketrans(
    {char: f"&#{ord(char)};" for char in f"|`\\*_[]~$<>&\"'{_BREAK}"}
)
_HTML_ENTITIES = str.maketrans({char: f"&#{ord(char)};" for char in "<>&\"'"})
_BACKTICKS = re.compile("`+")
_SHORTEST_FENCE = 3


def visible(text: str) -> str:
    r"""
    Show every character that would act or hide, as `\u....`; keep tabs and newlines.

    `\r\n` becomes `\n`; any other line break is shown. Characters that this Python's
    Unicode tables do not know are shown too.
    """
    if text.isascii() and text.isprintable():  # Most lines, at no cost.
        return text
    return _NOT_PLAIN.sub(_show_run, text.replace("\r\n", "\n"))


def console_text(text: str) -> str:
    r"""
    Make text safe to print: its lines are the ones that `\n` and `\r\n` make.

    Every `::` and `##[` is broken visibly, so that neither grammar of workflow commands
    matches in any line, also not after trimming or wrapping.
    """
    return _COMMAND.sub(_escape_match, visible(text))


def console_lines(text: str, *, prefix: str = "  | ") -> list[str]:
    """
    Make text safe to print as lines of their own, each after `prefix`.

    Args:
        prefix: Trusted; marks the lines as quoted.
    """
    return [prefix + line for line in _split(console_text(text))]


def inline(text: str, *, width: int) -> str:
    """
    Make one safe console line: white space folded, cut with an ellipsis.

    Args:
        width: Most characters of the result, at least 1.
    """
    return _cut(console_text(_fold(text)), width)


def markdown_cell(text: str, *, width: int) -> str:
    """
    Make the text of one table cell, in which no Markdown and nothing of GitHub's acts.

    Args:
        width: Most characters that a reader sees, at least 1; the source is longer.
    """
    shown = _cut(visible(_fold(text)), width)
    return _ACTING.sub(rf"\g<0>{_BREAK}", shown).translate(_CELL_ENTITIES)


def markdown_block(text: str, *, cap_bytes: int) -> str:
    """
    Make a fenced block, with a sentence below it if something was cut.

    The fence is longer than any run of backticks inside. Begins with the fence and
    ends with a newline; put a blank line before it.

    Args:
        cap_bytes: Most bytes of the whole result in UTF-8, fences and sentence
            included. Below about 100 there is room for the sentence alone.
    """
    body = visible(text).rstrip("\n")
    block = _fenced(body)
    if len(block.encode()) <= cap_bytes:
        return block
    total_bytes = len(body.encode())
    # The sentence is longest when all is cut, so its room is known beforehand.
    frame_bytes = len((_fenced("") + _cut_sentence(total_bytes, total_bytes)).encode())
    kept = _head(body, cap_bytes - frame_bytes)
    # A shorter body never needs a longer fence: one correction is enough.
    longer_fences = 2 * (len(_fence(kept)) - _SHORTEST_FENCE)
    kept = _head(kept, cap_bytes - frame_bytes - longer_fences)
    cut_bytes = total_bytes - len(kept.encode())
    return _fenced(kept) + _cut_sentence(cut_bytes, total_bytes)


def html_text(text: str) -> str:
    """
    Make text for the content of an element or the inside of a quoted attribute.
    """
    return visible(text).translate(_HTML_ENTITIES)


def _show_run(match: re.Match[str]) -> str:
    """
    Show what is hidden in a run of characters outside printable ASCII.
    """
    run = match[0]
    before = match.string[match.start() - 1] if match.start() else ""
    # Some marks weigh nothing in the runner's comparison, so a mark on one of these
    # could disguise a command; no language puts one there.
    marks = before in {":", "#"} and unicodedata.category(run[0]).startswith("M")
    if not marks and run.isprintable() and not _FILLERS.search(run):
        return run
    shown = []
    for left, char in pairwise(before + run if before else "\n" + run):
        is_mark = unicodedata.category(char).startswith("M")
        marks = is_mark and (marks or left in {":", "#"})
        shown.append(_escape(char) if marks or _is_hidden(char, left) else char)
    return "".join(shown)


def _is_hidden(char: str, left: str) -> bool:
    """
    Tell if a character shows nothing of its own, given the one to its left.
    """
    if char == _EMOJI_STYLE:
        # The usual second half of an emoji; anywhere else it is a hiding place.
        return left.isascii() or _FILLERS.match(left) is not None
    is_filler = _FILLERS.match(char) is not None
    return is_filler or unicodedata.category(char) in _HIDDEN_CATEGORIES


def _escape(char: str) -> str:
    r"""
    Write a character as `\u....`, or `\U........` beyond the basic plane.
    """
    code = ord(char)
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def _escape_match(match: re.Match[str]) -> str:
    """
    Write a match of one character as its escape.
    """
    return _escape(match[0])


def _split(shown: str) -> list[str]:
    r"""
    Split at `\n` alone; a newline at the end starts no further line.
    """
    lines = shown.split("\n")
    return lines if lines[-1] else lines[:-1]


def _fold(text: str) -> str:
    """
    Make every run of white space, line breaks included, one blank.
    """
    return " ".join(text.split())


def _cut(line: str, width: int) -> str:
    """
    Cut to `width` characters, the last of which is then an ellipsis.
    """
    return line if len(line) <= width else line[: width - 1] + ELLIPSIS


def _head(text: str, size_bytes: int) -> str:
    """
    Return the longest beginning that fits into so many bytes of UTF-8.
    """
    return text.encode()[: max(0, size_bytes)].decode(errors="ignore")


def _fence(body: str) -> str:
    """
    Return a fence longer than any run of backticks in `body`.
    """
    longest = max(map(len, _BACKTICKS.findall(body)), default=0)
    return "`" * max(_SHORTEST_FENCE, longest + 1)


def _fenced(body: str) -> str:
    """
    Put `body` between fences.
    """
    fence = _fence(body)
    return f"{fence}text\n{body}\n{fence}\n"


def _cut_sentence(cut_bytes: int, total_bytes: int) -> str:
    """
    Say how much of a block is not shown.
    """
    return f"\n_Cut here: {cut_bytes:,} of {total_bytes:,} bytes are not shown._\n"
