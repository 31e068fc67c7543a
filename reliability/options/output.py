"""
What is shown and kept.
"""

from __future__ import annotations

from reliability.options.option import Option
from reliability.parsers import (
    base_name,
    flag,
    integer,
    path,
    plain_text,
)

OUTPUT_OPTIONS: tuple[Option, ...] = (
    Option(
        name="output-dir",
        help="Folder for the log, the results and the reports.",
        parse=path,
        default="reliability-results",
        metavar="PATH",
    ),
    Option(
        name="filename",
        help="Base name of the log; time and run id are added.",
        parse=base_name,
        default="chat",
        metavar="NAME",
    ),
    Option(
        name="dry-run",
        help="Print what would be run, and what it would cost and take; call and "
        "write nothing.",
        parse=flag,
        default="false",
        where="cli",
    ),
    Option(
        name="quiet",
        help="Show no progress and no table, only the verdict.",
        parse=flag,
        default="false",
    ),
    Option(
        name="json",
        help="Print the results as JSON on standard output, and nothing else there.",
        parse=flag,
        default="false",
        where="cli",
    ),
    Option(
        name="artifact",
        help="Upload log, results and reports as an artifact.",
        parse=flag,
        default="true",
        where="action",
    ),
    Option(
        name="artifact-name",
        help="Name of the artifact. Default: one that no other job of the run has.",
        parse=plain_text,
        metavar="NAME",
        where="action",
    ),
    Option(
        name="artifact-required",
        help="Fail the step (exit code 3) when the artifact cannot be uploaded.",
        parse=flag,
        default="false",
        where="action",
    ),
    Option(
        name="retention-days",
        help="Days that the artifact is kept. Default: the repository's setting.",
        parse=integer(1, 400),
        metavar="DAYS",
        where="action",
    ),
)
