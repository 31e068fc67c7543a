"""
The job's token in git's configurations: it is found, and it is taken out.
"""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest
from fakes.runs import PATH
from hypothesis import given, settings, strategies as st

from reliability.agents.git_tokens import drop_tokens, token_files

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("line", "left"),
    [
        ("\textraheader = T\n", "\t\n"),
        ("  ExtraHeader=T\n", "  \n"),
        ('[http "https://h/"] extraheader = T\n', '[http "https://h/"] \n'),
        ('[http "a]b\\"c"]extraheader=T', '[http "a]b\\"c"]'),
        ("\textraheader = T\\\n T\n\tx = 1\n", "\t\n\tx = 1\n"),
        ('\textraheader = "T\\"T" # T\n', "\t\n"),
        ("\textraheader\n", "\t\n"),
        ("\textraheaders = T\n", "\textraheaders = T\n"),
        ("\tx = extraheader = T\n", "\tx = extraheader = T\n"),
        ("# extraheader = T\n", "# extraheader = T\n"),
        ('[includeIf "gitdir:/w/.git"]\n\tpath = P\n[a]\n\tx = 1\n', "[a]\n\tx = 1\n"),
        ("[Include]\n\tpath = P\n\tpath = Q", ""),
        ("[a] [include] path = P\n\tpath = Q\n", "[a] \n"),
        ("[include] [a] x = 1\n\ty = 2\n", "[a] x = 1\n\ty = 2\n"),
        (
            "[a]\n\tinclude = x\n[includes]\n\tx\n",
            "[a]\n\tinclude = x\n[includes]\n\tx\n",
        ),
    ],
)
def test_a_header_is_taken_out_however_it_is_written(line: str, left: str) -> None:
    """
    In the forms that git itself reads.
    """
    assert left == drop_tokens(line.encode()).decode()


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            [
                *("[http]", '[http "u"] ', "\n", "\\\n", "\t", " ", "extraHeader"),
                *("=", "T", "x", '"', "\\", "#", "\r\n"),
                *("[include]", '[includeIf "gitdir:/"]', "path", "[a]"),
            ]
        ),
        max_size=20,
    )
)
def test_git_finds_no_header_in_what_is_left(pieces: list[str]) -> None:
    """
    Whatever git can read: it then reads no header, and every other value as before.

    But for a value whose second line looks like a header: that is taken for one.
    """
    text = "".join(pieces).encode()
    before, after = values_in(text), values_in(drop_tokens(text))
    if before is not None:
        expected = [pair for pair in before if not is_header(pair)]

        assert after is not None
        assert not any(is_header(pair) for pair in after)
        assert expected == after or b"\\\n" in text


def is_header(pair: bytes) -> bool:
    """
    Tell whether what git lists is an extra header, or of an include.
    """
    name = pair.split(b"\n", 1)[0].lower()
    if name.partition(b".")[0] in {b"include", b"includeif"}:
        return True
    return name.rpartition(b".")[2] == b"extraheader"


def values_in(config: bytes) -> list[bytes] | None:
    """
    Return what git reads of a configuration; None when it cannot.
    """
    done = subprocess.run(
        ["git", "config", "--file", "-", "--list", "-z"],
        input=config,
        env={"PATH": PATH, "HOME": os.devnull},
        capture_output=True,
        check=False,
        timeout=10,
    )
    return None if done.returncode else done.stdout.split(b"\0")


def test_files_with_a_token_are_found_where_the_checkout_says(tmp_path: Path) -> None:
    """
    In the configuration itself, in what it includes, and in the runner's folder.
    """
    token = '[http "https://github.com/"]\n\textraheader = AUTHORIZATION: basic T\n'
    runner, elsewhere = tmp_path / "runner", tmp_path / "elsewhere"
    repository = tmp_path / "project" / ".git"
    sub = repository / "modules" / "sub" / "config"
    for folder in (runner, elsewhere, sub.parent):
        folder.mkdir(parents=True)
    one = runner / "git-credentials-1-2.config"
    other = elsewhere / "any name"
    for path in (one, other, sub):
        path.write_text(token, encoding="utf-8")
    (runner / "git-credentials-empty.config").write_text("[core]\n", encoding="utf-8")
    includes = f'[includeIf "gitdir:/x/.git"]\n\tpath = {other}\n\tpath = /none\n'
    (repository / "config").write_text(includes, encoding="utf-8")
    os.mkfifo(repository / "config.worktree")
    found = token_files(tmp_path / "project", {"RUNNER_TEMP": str(runner)})

    assert {one, other, sub} == set(found)
    assert [] == token_files(elsewhere, {})
