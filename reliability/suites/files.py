"""
The files that a suite names: beside it, there, and not too large.

A path is relative to the suite file. What is wrong with one is a phrase for the
problem's place, so that all missing files are told at once. Each is read once.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

MAX_FILE_BYTES = 10 * 1024 * 1024
MAX_TOTAL_BYTES = 32 * 1024 * 1024


class Files:
    """
    Files below or beside a folder.

    Args:
        folder: What relative paths start from.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder.absolute()
        self._texts: dict[Path, str] = {}
        self._total_bytes = 0

    def path(self, name: str) -> Path:
        """
        Return the absolute path of a file that is there and not too large.

        Raises:
            ValueError: when it is not, with a phrase that says so.
        """
        path = self._absolute(name)
        try:
            if not path.is_file():
                what = "is no file" if path.exists() else "is not there"
                raise ValueError(f"the file {path} {what}")
            if path.stat().st_size > MAX_FILE_BYTES:
                raise ValueError(
                    f"the file {path} is larger than {MAX_FILE_BYTES} bytes"
                )
        except OSError as error:
            raise ValueError(
                f"the file {path} cannot be read: {error.strerror}"
            ) from None
        return path

    def place(self, name: str) -> Path:
        """
        Return the absolute path of a folder that is there.

        Raises:
            ValueError: when it is not, with a phrase that says so.
        """
        path = self._absolute(name)
        try:
            is_there = path.is_dir()
        except OSError:
            is_there = False
        if not is_there:
            raise ValueError(f"the folder {path} is not there")
        return path

    def text(self, name: str) -> str:
        """
        Return the text of a file.

        Raises:
            ValueError: when it is not there, too large, empty or not UTF-8.
        """
        path = self.path(name)
        if path not in self._texts:
            self._texts[path] = self._decoded(path)
        return self._texts[path]

    def _decoded(self, path: Path) -> str:
        try:
            text = self._content(path).decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise ValueError(
                f"the file {path} is not UTF-8 at byte {error.start}"
            ) from None
        if not text.strip() or "\0" in text:
            raise ValueError(f"the file {path} is empty, or has a NUL character")
        return text

    def json(self, name: str) -> Any:
        """
        Return what a JSON file says.

        Raises:
            ValueError: when it is not there, too large or not JSON.
        """
        text = self.text(name)
        try:
            return json.loads(text)
        except json.JSONDecodeError as error:
            raise ValueError(
                f"the file {self.path(name)} is not JSON: line {error.lineno}: "
                f"{error.msg}"
            ) from None
        except (RecursionError, ValueError):
            raise ValueError(
                f"the file {self.path(name)} is nested too deep, or has a number "
                "that is too long"
            ) from None

    def _absolute(self, name: str) -> Path:
        if not name.strip() or "\0" in name:
            raise ValueError("it names no file")
        return self._folder / name

    def _content(self, path: Path) -> bytes:
        try:
            with path.open("rb") as file:
                content = file.read(MAX_FILE_BYTES + 1)
        except OSError as error:
            raise ValueError(
                f"the file {path} cannot be read: {error.strerror}"
            ) from None
        self._total_bytes += len(content)
        if len(content) > MAX_FILE_BYTES or self._total_bytes > MAX_TOTAL_BYTES:
            raise ValueError(f"the file {path} is too large, or all files together are")
        return content
