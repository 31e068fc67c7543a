"""
What every command prints through: errors on one side, tables that fit on the other.
"""

from __future__ import annotations

import json
import os
import sys
from contextlib import suppress
from typing import Any

import click


def complain(text: str) -> None:
    """
    Print an error on standard error, if that can still be written.
    """
    from reliability.escape import console_lines

    with suppress(OSError):
        for line in console_lines(text, prefix=""):
            click.echo(f"reliability: {line}", err=True)


def echo_json(document: object) -> None:
    """
    Print JSON-like data on standard output, without what a runner takes for a command.

    What is escaped stands inside texts alone and reads back as the same.
    """
    from reliability.escape import console_text

    click.echo(console_text(json.dumps(document, indent=2)))


def look() -> dict[str, Any]:
    """
    Return how wide and colourful standard output is.
    """
    from shutil import get_terminal_size

    terminal = sys.stdout.isatty()
    return {
        "colour": terminal and "NO_COLOR" not in os.environ,
        "columns": get_terminal_size().columns if terminal else 100,
    }
