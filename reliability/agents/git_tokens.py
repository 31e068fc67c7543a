"""
The job's token that `actions/checkout` leaves behind, and where it lies.

Up to its version 5 the token is an `extraheader` in the repository's configuration.
From version 6 on it is in a file of its own, `git-credentials-UUID.config` in the
runner's folder for temporary files, which the configuration includes; a container
action sees that folder as `/github/runner_temp` (actions/checkout, git-auth-helper.ts).
With `persist-credentials: false` there is neither.

A configuration is read line by line, as git does, but for one thing: a value whose
second line looks like a section or a header is taken for one. So more may go than had
to, and never less.
"""

from __future__ import annotations

import io
import os
import re
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

CONFIG_NAMES = frozenset({"config", "config.worktree"})
"""Names of a repository's configurations, wherever they are below `.git`."""

_MAX_CONFIG_BYTES = 1024 * 1024
_RUNNER_FOLDER = "/github/runner_temp"
_SECTION = rb'\[(?:[^\]"\n]|"(?:\\.|[^"\\\n])*")*\]'
_HEAD = re.compile(rb"((?:\xef\xbb\xbf)?[ \t\r]*)((?:" + _SECTION + rb"[ \t\r]*)+)")
_INCLUDE = re.compile(rb"\[\s*include(?:if)?[\s\]]", re.IGNORECASE)
_INCLUDED = re.compile(rb'^[ \t]*path[ \t]*=[ \t]*"?([^"\r\n]+)', re.IGNORECASE)
_TOKEN_LINE = re.compile(
    rb"^((?:\xef\xbb\xbf)?[ \t\r]*(?:" + _SECTION + rb"[ \t\r]*)*)"
    rb"extraheader(?![A-Za-z0-9-])"
    rb"(?:[^\n\\]|\\.|\\\n)*",
    re.IGNORECASE | re.MULTILINE,
)


def drop_tokens(config: bytes) -> bytes:
    """
    Take every `extraheader` and every include out of a git configuration.
    """
    kept = (line for line, is_include in _lines(config) if not is_include)
    return _TOKEN_LINE.sub(rb"\1", b"".join(kept))


def token_files(workspace: Path, environ: Mapping[str, str]) -> list[Path]:
    """
    Return the files that hold a token, as far as we can read them ourselves.

    Looked at are the configurations of the repository at *workspace* and of its
    submodules, what these include, and the runner's folder for temporary files.
    """
    configs = list(_configs(workspace / ".git"))
    included = [path for config in configs for path in _included(config)]
    for folder in {environ.get("RUNNER_TEMP"), _RUNNER_FOLDER} - {None, ""}:
        included += Path(str(folder)).glob("git-credentials-*.config")
    found = dict.fromkeys([*configs, *included])
    return [path for path in found if _TOKEN_LINE.search(_read(path))]


def _configs(git_folder: Path) -> Iterator[Path]:
    """
    Yield the configurations of a repository and of its submodules.
    """
    for name in sorted(CONFIG_NAMES):
        yield git_folder / name
        yield from sorted((git_folder / "modules").rglob(name))


def _included(config: Path) -> Iterator[Path]:
    for line, is_include in _lines(_read(config)):
        found = _INCLUDED.match(_HEAD.sub(b"", line, count=1)) if is_include else None
        if found is not None:
            yield config.parent / os.fsdecode(found[1].strip())


def _read(path: Path) -> bytes:
    """
    Return a file's beginning; nothing of one that is not there or not for us.
    """
    with suppress(OSError, ValueError):
        if path.is_file():  # A FIFO would keep us.
            with path.open("rb") as file:
                return file.read(_MAX_CONFIG_BYTES)
    return b""


def _lines(config: bytes) -> Iterator[tuple[bytes, bool]]:
    """
    Yield the lines of a configuration, and whether each is part of an include.

    A line that begins with other sections and goes on with an include is cut in two.
    """
    is_include = False
    for line in io.BytesIO(config):
        head = _HEAD.match(line)
        if head is None:
            yield line, is_include
            continue
        rest = line[head.end() :]
        sections = re.findall(_SECTION + rb"[ \t\r]*", head[2])
        kept = [one for one in sections if not _INCLUDE.match(one)]
        is_include = bool(_INCLUDE.match(sections[-1]))
        if len(kept) == len(sections):
            yield line, False
        elif is_include:
            if kept:
                yield head[1] + b"".join(kept) + b"\n", False
            yield line, True
        else:
            yield head[1] + b"".join(kept) + rest, False
