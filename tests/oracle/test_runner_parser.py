"""
The model of the runner finds what the runner finds: else it proves nothing.
"""

from __future__ import annotations

import pytest
from oracle.runner_parser import Command, EnvFileError, commands_in, pairs_in

LIVE = [
    "::error::x",
    "  \t\u2003::error::x",
    "text before\r::error::x",
    "::ERROR::x",
    "::error file=a,line=1::x",
    "anything ##[error]x",
    "##[error file=a;line=1]x",
    "\ufeff::error::x",
    "#\u00ad#[error]x",
    "::error:\u200b:x",
]
DEAD = [
    "text ::error::x",
    "::error:x",
    "::no-such-command::x",
    "##[error x",
    "# #[error]x",
    "::error",
    "",
]


@pytest.mark.parametrize("output", LIVE)
def test_live_commands_are_found(output: str) -> None:
    """
    Every spelling that the runner honours is a command to the model.
    """
    assert [command.name for command in commands_in(output)] == ["error"]


@pytest.mark.parametrize("output", DEAD)
def test_plain_text_is_no_command(output: str) -> None:
    """
    What the runner prints as it stands is no command to the model.
    """
    assert commands_in(output) == []


def test_command_is_unescaped_as_the_runner_does() -> None:
    """
    Data and properties come out of their escapes, the percent sign last.
    """
    expected = Command(name="notice", data="a\n%0Ab", properties={"title": "x, y: z"})

    assert [expected] == commands_in("::notice title=x%2C y%3A z::a%0A%250Ab\n")


def test_env_file_is_read_as_the_runner_does() -> None:
    """
    Both forms of a pair are read, and the sign that comes first decides the form.
    """
    text = "a=1<<2\n\nb<<E\nx=1\n\ny\nE\nc<<E\n\nE\nd=\n"

    assert pairs_in(text) == [("a", "1<<2"), ("b", "x=1\n\ny"), ("c", ""), ("d", "")]


@pytest.mark.parametrize("text", ["a<<E\nx\n", "neither\n", "<<E\nE\n", "a<<\nE\n"])
def test_bad_env_file_fails_the_step(text: str) -> None:
    """
    A file that the runner refuses is refused.
    """
    with pytest.raises(EnvFileError):
        pairs_in(text)
