"""
The options whose value is one of a few words.
"""

from __future__ import annotations

from enum import StrEnum


class Backend(StrEnum):
    """
    How an agent is reached.
    """

    CLAUDE_CODE = "claude-code"
    MESSAGES = "messages"
    COMMAND = "command"
    SIMULATED = "simulated"
    FUNCTION = "function"  # of Python: for programs alone, no surface can name one


class Context(StrEnum):
    """
    What Claude Code sees besides the prompt.
    """

    PROJECT = "project"
    AGENT = "agent"


class GateRule(StrEnum):
    """
    What a rate below 1 is asked of when there are several cases.
    """

    MEAN = "mean"
    ALL_CASES = "all-cases"


class Isolation(StrEnum):
    """
    Where an agent with processes of its own works.
    """

    COPY = "copy"
    WORKTREE = "worktree"
    NONE = "none"


class OnInconclusive(StrEnum):
    """
    Whether an inconclusive verdict fails the command.
    """

    FAIL = "fail"
    WARN = "warn"


class OnStop(StrEnum):
    """
    What becomes of trials under way when the verdict is certain.
    """

    CANCEL = "cancel"
    DRAIN = "drain"


class PermissionMode(StrEnum):
    """
    The permission modes of the Claude Code CLI, in its own spelling.
    """

    ACCEPT_EDITS = "acceptEdits"
    AUTO = "auto"
    BYPASS = "bypassPermissions"
    MANUAL = "manual"
    DONT_ASK = "dontAsk"
    PLAN = "plan"
