"""
Untrusted text is shown and never acts; the general promises are under `property/`.
"""

from __future__ import annotations

import pytest

from reliability.escape import (
    console_lines,
    console_text,
    html_text,
    inline,
    markdown_block,
    markdown_cell,
    visible,
)

BREAK = "&#8203;"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("\x1b[31mred\x07", "\\u001b[31mred\\u0007"),
        ("\x1b]8;;http://x\x1b\\y", "\\u001b]8;;http://x\\u001b\\y"),
        ("over\rwritten\x08", "over\\u000dwritten\\u0008"),
        ("abc\u202etxt.exe\u2066", "abc\\u202etxt.exe\\u2066"),
        ("in\u200bvisible\ufeff\u00ad", "in\\u200bvisible\\ufeff\\u00ad"),
        ("tag\U000e0041\U000e0042", "tag\\U000e0041\\U000e0042"),
        ("lone \ud800", "lone \\ud800"),
        ("\x0b\x0c\x1c\x1d\x1e\x85", "\\u000b\\u000c\\u001c\\u001d\\u001e\\u0085"),
        ("\u2028\u2029", "\\u2028\\u2029"),
        ("filler \u3164 a\ufe0f", "filler \\u3164 a\\ufe0f"),
        ("❤\ufe0f\ufe0f", "❤\ufe0f\\ufe0f"),
    ],
)
def test_what_hides_or_acts_is_shown(text: str, expected: str) -> None:
    """
    Controls, bidirectional marks, zero width and lone surrogates become visible.
    """
    assert expected == visible(text)


@pytest.mark.parametrize(
    "text",
    [
        "plain",
        "tab\there\nand there",
        "Übergröße, naïve",
        "日本語　文",
        "❤\ufe0f ✅",
        "e\u0301",
    ],
)
def test_ordinary_writing_stays_as_it_is(text: str) -> None:
    """
    Text that people write, in any script, is not disfigured.
    """
    assert text == visible(text)


def test_commands_are_broken_visibly() -> None:
    """
    Both grammars of commands are broken by something that a comparison cannot skip.
    """
    assert console_text("::error::x") == ":\\u003aerror:\\u003ax"
    assert console_text("a ##[error]x") == "a ##\\u005berror]x"
    assert console_text(":\u0489:error") == ":\\u0489:error"


def test_every_line_has_the_prefix() -> None:
    """
    Each line that a terminal shows begins with the prefix, whichever way it was broken.
    """
    assert console_lines("a\r\n\nb\rc\n", prefix="> ") == ["> a", "> ", "> b\\u000dc"]
    assert console_lines("") == []


def test_inline_is_one_line_of_the_asked_width() -> None:
    """
    White space is folded and the cut is marked.
    """
    assert inline(" a\n\tb\u2028c ", width=5) == "a b c"
    assert inline(" a\n\tb\u2028c ", width=4) == "a b…"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a|b\\|c", "a&#124;b&#92;&#124;c"),
        ("`x` <b> & ![i](j)", "&#96;x&#96; &#60;b&#62; &#38; !&#91;i&#93;(j)"),
        ("@all #12", f"@{BREAK}all #{BREAK}12"),
        ("https://x.y", f"https:{BREAK}//x.y"),
        ("www.x.y a@b.c", f"www{BREAK}.x.y a@{BREAK}b.c"),
        (":tada: 10:20:30", f":{BREAK}tada: 10:20:30"),
        ("<!-- c -->\nd", "&#60;!-- c --&#62; d"),
    ],
)
def test_nothing_in_a_cell_acts(text: str, expected: str) -> None:
    """
    Markdown, HTML and GitHub's own links are plain characters in a table cell.
    """
    assert expected == markdown_cell(text, width=80)


def test_cell_is_cut_by_what_a_reader_sees() -> None:
    """
    The width counts characters of the text, not of its escapes, and cuts none apart.
    """
    assert markdown_cell("|||||", width=3) == "&#124;&#124;…"


def test_fence_is_longer_than_any_inside() -> None:
    """
    No run of backticks in the text can close the block.
    """
    expected = "`````text\na\n````\nb\n`````\n"

    assert expected == markdown_block("a\n````\nb\n\n", cap_bytes=1000)


def test_block_says_what_was_cut() -> None:
    """
    A text over the cap keeps its beginning, and the reader is told how much is missing.
    """
    block = markdown_block("ä" * 1000, cap_bytes=200)

    assert len(block.encode()) in {199, 200}
    assert block.startswith("```text\nääää")
    shown = block.count("ä") * 2
    assert block.endswith(
        f"\n_Cut here: {2000 - shown:,} of 2,000 bytes are not shown._\n"
    )


def test_long_fence_counts_towards_the_cap() -> None:
    """
    A text that forces a long fence gets less room for itself.
    """
    block = markdown_block("`" * 50 + "x" * 500, cap_bytes=300)

    assert 290 < len(block.encode()) <= 300
    assert block.startswith("`" * 51 + "text\n" + "`" * 50 + "x")


def test_html_is_text_in_element_and_attribute() -> None:
    """
    Markup, both kinds of quotes and hidden characters are text.
    """
    expected = "&#60;i a=&#34;b&#34; c=&#39;d&#39;&#62; &#38;amp; \\u202e"

    assert expected == html_text("<i a=\"b\" c='d'> &amp; \u202e")
