"""
Whatever the text, it cannot act: checked against models that share no code with ours.
"""

from __future__ import annotations

import html
import re
import unicodedata
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings, strategies as st
from oracle.runner_parser import commands_in

from reliability.escape import (
    console_lines,
    console_text,
    html_text,
    inline,
    markdown_block,
    markdown_cell,
    visible,
)

DANGEROUS = st.sampled_from(
    [
        *("::error::x", "::", ":", "##[add-mask]a", "##[", "##", "#", "[", "]"),
        *("::Set-Output name=a::b", "##[ERROR]", "::stop-commands::t", "error", " "),
        *("\r", "\n", "\r\n", "\x0b", "\x0c", "\x1c", "\x1d", "\x1e", "\x85"),
        *("\u2028", "\u2029", "\u2003", "\ufeff", "\u200b", "\u00ad", "\u0489"),
        *("\u0301", "\ufe0f", "\U000e0041", "\x00", "\x1b[2K", "\u202e", "\ud800"),
        *("%0A", "%3A", "\\u003a", "\\", "|", "`", "```", "~~~", "<b>", "&lt;", "-->"),
        *("</details>", "<!--", "![x](http://e.x)", "@all", "#1", "'", '"', "\t", "日"),
    ]
)
HOSTILE = st.lists(st.one_of(DANGEROUS, st.text(max_size=3)), max_size=12).map("".join)
WIDTHS = st.integers(min_value=1, max_value=60)

quick = settings(max_examples=300, deadline=None)
thorough = settings(max_examples=10_000, deadline=None)


def find_commands(text: str, width: int) -> list[object]:
    """
    Return the commands in all that a console shows of a text, also unprefixed.
    """
    shown = "\n".join(console_lines(text))
    bare = console_text(text)
    # A caller may wrap lines, so every part of a line may come to begin one.
    wrapped = "\n".join(bare[at:] for at in range(len(bare)))
    printed = (shown, bare, wrapped, inline(text, width=width))
    return [command for output in printed for command in commands_in(output)]


@given(HOSTILE, WIDTHS)
@quick
def test_no_text_becomes_a_command(text: str, width: int) -> None:
    """
    The runner finds no command in what a console shows of any text.
    """
    assert find_commands(text, width) == []


@pytest.mark.crash
@given(HOSTILE, WIDTHS)
@thorough
def test_no_text_becomes_a_command_in_ten_thousand(text: str, width: int) -> None:
    """
    The same, for as many texts as it takes to trust it.
    """
    assert find_commands(text, width) == []


@given(HOSTILE)
@quick
def test_lines_hold_no_break_and_nothing_hidden(text: str) -> None:
    """
    A console line is one line to every reader, and every character in it shows.
    """
    for line in console_lines(text):
        assert [line] == line.splitlines()
        assert set("") == {
            char
            for char in line
            if char != "\t" and unicodedata.category(char) in {"Cc", "Cf", "Cs", "Zl"}
        }
        assert line == line.encode().decode()


@given(HOSTILE, WIDTHS)
@quick
def test_inline_keeps_to_its_width(text: str, width: int) -> None:
    """
    One line, never wider than asked, cut only where it had to be.
    """
    line = inline(text, width=width)

    assert len(line) <= width
    assert len(line.splitlines()) <= 1
    if not line.endswith("…"):
        assert console_text(" ".join(text.split())) == line


@given(st.lists(HOSTILE, min_size=1, max_size=4), WIDTHS)
@quick
def test_cells_keep_the_shape_of_their_table(texts: list[str], width: int) -> None:
    """
    A row keeps its number of cells; each reads as its text and holds no markup.
    """
    row = "| " + " | ".join(markdown_cell(text, width=width) for text in texts) + " |"
    # GitHub Flavored Markdown, "Tables": a pipe splits cells unless a backslash is
    # before it, also inside code.
    cells = re.split(r"(?<!\\)\|", row)[1:-1]

    assert [row] == row.splitlines()
    assert len(texts) == len(cells)
    for text, cell in zip(texts, cells, strict=True):
        assert not re.search(r"[`<>\[\]\\*_~$\"']|&(?!#\d+;)|@(?!&)|#\d+(?!\d*;)", cell)
        read = html.unescape(cell).replace("\u200b", "").strip()
        full = visible(" ".join(text.split()))
        assert (full if len(full) <= width else full[: width - 1] + "…").strip() == read


@given(HOSTILE, st.integers(min_value=120, max_value=400))
@quick
def test_block_cannot_be_left(text: str, cap_bytes: int) -> None:
    """
    Only our own last fence closes a block, and the block keeps to its cap.
    """
    block = markdown_block(text, cap_bytes=cap_bytes)
    first, *lines = block.split("\n")
    fence = first.removesuffix("text")
    closing = [
        number
        for number, line in enumerate(lines)
        if re.fullmatch(rf" {{0,3}}`{{{len(fence)},}}[ \t]*", line)
    ]

    assert len(block.encode()) <= cap_bytes
    assert len(closing) == 1
    rest = "\n".join(lines[closing[0] + 1 :])
    body = "\n".join(lines[: closing[0]])
    if rest:
        assert re.fullmatch(
            r"\n_Cut here: [\d,]+ of [\d,]+ bytes are not shown._\n", rest
        )
        assert visible(text).startswith(body)
    else:
        assert visible(text).rstrip("\n") == body


class Reader(HTMLParser):
    """
    Collects what a page says, and the tags in it.
    """

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.text = ""
        self.tags: list[tuple[str, list[tuple[str, str | None]]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, attrs))

    def handle_data(self, data: str) -> None:
        self.text += data

    def handle_comment(self, data: str) -> None:
        self.tags.append((data, []))

    def handle_decl(self, decl: str) -> None:
        self.tags.append((decl, []))


@given(HOSTILE)
@quick
def test_html_reads_back_as_text_alone(text: str) -> None:
    """
    A parser finds the text and no tag in an element, and the text in both attributes.
    """
    safe = html_text(text)
    reader = Reader()
    reader.feed(f"<p a=\"{safe}\" b='{safe}'>{safe}</p>")
    reader.close()

    shown = visible(text)
    assert [("p", [("a", shown), ("b", shown)])] == reader.tags
    assert shown == reader.text
