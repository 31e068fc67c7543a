"""
Why an attempt can fail, and what follows from each reason.

The table is the whole policy: whose fault it is (infrastructure makes a trial
`invalid`, the agent's own doing makes it `fail`), whether another attempt may help, and
whether the run stops at once because no later trial can escape it. A kind has one rule,
so what is the agent's own only after it began to work has two kinds: `no-response` and
`timeout`, `prompt-too-long` and `context-too-long`. docs/errors.md says how each one is
recognised.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


class ErrorKind(StrEnum):
    """
    Why an attempt brought no gradable answer; `KIND_RULES` says what follows.
    """

    RATE_LIMIT = "rate-limit"
    OVERLOADED = "overloaded"
    SERVER_ERROR = "server-error"
    NETWORK = "network"
    NO_RESPONSE = "no-response"
    AUTHENTICATION = "authentication"
    NOT_FOUND = "not-found"
    BAD_REQUEST = "bad-request"
    PROMPT_TOO_LONG = "prompt-too-long"
    CONFIGURATION = "configuration"
    MISSING_PROGRAM = "missing-program"
    SETUP_FAILED = "setup-failed"
    CRASHED = "crashed"
    OUT_OF_MEMORY = "out-of-memory"
    NO_TURNS = "no-turns"
    CHECK_ERROR = "check-error"
    ANSWER_TOO_LONG = "answer-too-long"
    INTERNAL = "internal"
    CANCELLED = "cancelled"
    DEADLINE = "deadline"
    TIMEOUT = "timeout"
    REFUSAL = "refusal"
    OUTPUT_LIMIT = "output-limit"
    CONTEXT_TOO_LONG = "context-too-long"
    MAX_TURNS = "max-turns"
    BUDGET = "budget"
    DENIED_TOOL = "denied-tool"
    EMPTY_ANSWER = "empty-answer"
    NO_STRUCTURED_OUTPUT = "no-structured-output"
    NOT_DELEGATED = "not-delegated"
    AGENT_ERROR = "agent-error"


CUT_KINDS = frozenset({ErrorKind.CANCELLED, ErrorKind.DEADLINE})
"""What a run's own end brings: no trouble came, the trial was not let go on."""


@dataclass(frozen=True, slots=True)
class KindRule:
    """
    What follows from an error of one kind.

    Args:
        infrastructure: The trial is `invalid`; otherwise it is the agent's `fail`.
        retry: Another attempt may succeed.
        fatal: No later trial can succeed either, so the run stops at once.
    """

    infrastructure: bool
    retry: bool = False
    fatal: bool = False


_TRANSIENT = KindRule(infrastructure=True, retry=True)
_BROKEN_SETUP = KindRule(infrastructure=True, fatal=True)
_AGENTS_OWN = KindRule(infrastructure=False)

KIND_RULES: Mapping[ErrorKind, KindRule] = {
    ErrorKind.RATE_LIMIT: _TRANSIENT,
    ErrorKind.OVERLOADED: _TRANSIENT,
    ErrorKind.SERVER_ERROR: _TRANSIENT,
    ErrorKind.NETWORK: _TRANSIENT,
    ErrorKind.NO_RESPONSE: _TRANSIENT,
    ErrorKind.SETUP_FAILED: _TRANSIENT,
    ErrorKind.CRASHED: _TRANSIENT,
    ErrorKind.OUT_OF_MEMORY: _TRANSIENT,
    ErrorKind.NO_TURNS: _TRANSIENT,
    ErrorKind.AUTHENTICATION: _BROKEN_SETUP,
    ErrorKind.NOT_FOUND: _BROKEN_SETUP,
    ErrorKind.CONFIGURATION: _BROKEN_SETUP,
    ErrorKind.MISSING_PROGRAM: _BROKEN_SETUP,
    ErrorKind.BAD_REQUEST: KindRule(infrastructure=True),
    ErrorKind.PROMPT_TOO_LONG: KindRule(infrastructure=True),
    ErrorKind.CHECK_ERROR: KindRule(infrastructure=True),
    ErrorKind.ANSWER_TOO_LONG: KindRule(infrastructure=True),
    ErrorKind.INTERNAL: KindRule(infrastructure=True),
    ErrorKind.CANCELLED: KindRule(infrastructure=True),
    ErrorKind.DEADLINE: KindRule(infrastructure=True),
    ErrorKind.TIMEOUT: _AGENTS_OWN,
    ErrorKind.REFUSAL: _AGENTS_OWN,
    ErrorKind.OUTPUT_LIMIT: _AGENTS_OWN,
    ErrorKind.CONTEXT_TOO_LONG: _AGENTS_OWN,
    ErrorKind.MAX_TURNS: _AGENTS_OWN,
    ErrorKind.BUDGET: _AGENTS_OWN,
    ErrorKind.DENIED_TOOL: _AGENTS_OWN,
    ErrorKind.EMPTY_ANSWER: _AGENTS_OWN,
    ErrorKind.NO_STRUCTURED_OUTPUT: _AGENTS_OWN,
    ErrorKind.NOT_DELEGATED: _AGENTS_OWN,
    ErrorKind.AGENT_ERROR: _AGENTS_OWN,
}
