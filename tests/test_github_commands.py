"""
Workflow commands arrive at the runner as they were meant: its model reads them back.
"""

from __future__ import annotations

import io

import pytest
from hypothesis import given, settings, strategies as st
from oracle.runner_parser import Command, commands_in

from reliability.escape import visible
from reliability.github import commands
from reliability.github.commands import Commands

HOSTILE = st.lists(
    st.sampled_from(
        ["::", "##[", "]", "%", "%0A", "%25", "\n", "\r", ":", ",", "=", "a", " ", "é"]
    ),
    max_size=8,
).map("".join)


@pytest.fixture(name="stream")
def make_stream() -> io.StringIO:
    """
    Stand in for standard output.
    """
    return io.StringIO(newline="")


@given(HOSTILE, HOSTILE.filter(str.strip))
@settings(deadline=None)
def test_message_and_title_arrive_exactly(message: str, title: str) -> None:
    """
    Whatever they hold, the runner reads one command with this message and this title.
    """
    stream = io.StringIO(newline="")
    Commands(stream).error(message, title=f"t{title}t")

    expected = Command(
        name="error",
        data=visible(message),
        properties={"title": visible(f"t{title}t")},
    )
    assert commands_in(stream.getvalue()) == [expected]


def test_every_special_character_is_escaped() -> None:
    """
    What ends a line, a property or a command is escaped, the percent sign first.
    """
    assert commands._escape_data("%\r\n:,") == "%25%0D%0A:,"
    assert commands._escape_property("%\r\n:,") == "%25%0D%0A%3A%2C"


def test_each_kind_is_its_own_command(stream: io.StringIO) -> None:
    """
    Every method writes the command of its name.
    """
    step = Commands(stream)
    step.notice("a")
    step.warning("b")
    step.error("c")
    step.debug("d")

    assert stream.getvalue() == "::notice::a\n::warning::b\n::error::c\n::debug::d\n"


def test_every_line_of_a_secret_is_masked(stream: io.StringIO) -> None:
    """
    Each line is masked on its own, exactly; short ones are not, they would blank words.
    """
    Commands(stream).mask(" first%20line \r\nabc\nlast:line,\n")

    expected = [
        Command(name="add-mask", data="first%20line"),
        Command(name="add-mask", data="last:line,"),
    ]
    assert commands_in(stream.getvalue()) == expected


def test_mask_of_no_utf8_is_what_the_runner_sees() -> None:
    """
    A byte that is no UTF-8 becomes the replacement character, and printing works.
    """
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="utf-8", write_through=True)
    Commands(stream).mask("pass\udcffword")

    assert raw.getvalue().decode() == "::add-mask::pass\ufffdword\n"


def test_group_is_closed_after_an_error(stream: io.StringIO) -> None:
    """
    What follows a failing group is not folded into it.
    """
    with pytest.raises(ZeroDivisionError), Commands(stream).group("a\n::error::b"):
        stream.write(f"{1 // 0}")

    names = [(command.name, command.data) for command in commands_in(stream.getvalue())]
    assert names == [("group", "a :\\u003aerror:\\u003ab"), ("endgroup", "")]


def test_command_is_written_at_once() -> None:
    """
    A command is one write followed by a flush, so that no other line gets into it.
    """
    calls = []

    class Recorder(io.StringIO):
        """
        Notes what is called.
        """

        def write(self, text: str) -> int:
            calls.append(text)
            return len(text)

        def flush(self) -> None:
            calls.append("flush")

    Commands(Recorder()).notice("a\nb", title="t")

    assert calls == ["::notice title=t::a%0Ab\n", "flush"]
