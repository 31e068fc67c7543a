"""
The check `json`: the answer is JSON, fits a schema, has a value at a path.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, ClassVar

from reliability.checks.base import BaseCheck, label_of, shown
from reliability.errors import CheckError
from reliability.grades import Grade

if TYPE_CHECKING:
    from reliability.grades import Evidence

JSON_TIMEOUT_S = 5.0
_MOST_PATH = 10_000
_LOOK_TIMEOUT_S = 10.0
_MISSING = object()


@dataclass(frozen=True, slots=True, kw_only=True)
class Json(BaseCheck):
    """
    The answer parses as JSON; a single fenced block around it is taken off.

    Args:
        schema: JSON Schema that it must fit; draft 2020-12 unless it says another.
        path: JSONPath (RFC 9535) that must find something.
        equals: What must be among the values that *path* finds; the default stands
            for "anything".
        timeout: Seconds.
    """

    KIND: ClassVar[str] = "json"
    SHORT: ClassVar[str] = "path"
    schema: dict[str, Any] | bool | None = None
    path: str | None = None
    equals: Any = _MISSING
    timeout: float = JSON_TIMEOUT_S

    def __post_init__(self) -> None:
        """
        Refuse a schema or a path that makes no sense, before anything is paid for.

        A helper process looks, which may take as much time and memory as for an answer.

        Raises:
            ValueError: when one of them makes none.
        """
        if self.equals is not _MISSING and self.path is None:
            raise ValueError("equals needs a path: `$` is the whole answer")
        if self.schema is None and self.path is None:
            return
        if self.path is not None and len(self.path) > _MOST_PATH:
            raise ValueError(f"the path is longer than {_MOST_PATH} characters")
        try:
            given = json.dumps({"schema": self.schema, "path": self.path})
        except (TypeError, ValueError, RecursionError) as error:
            raise ValueError(f"the schema is no JSON: {error}") from None
        try:
            fault = _fault_of(given)
        except CheckError as error:
            raise ValueError(str(error)) from None
        if fault:
            raise ValueError(fault)

    @property
    def label(self) -> str:
        """
        What is asked of the JSON.
        """
        if self.path is None:
            return "json" if self.schema is None else "json:schema"
        if self.equals is _MISSING:
            return label_of("json", self.path)
        return label_of("json", f"{self.path}={self.equals}")

    def grade(self, evidence: Evidence) -> Grade:
        """
        Parse and compare, in a helper process.

        Raises:
            CheckError: when it takes too long, or when schema or path make no sense.
        """
        from reliability.checks.sandbox import ask

        request = {
            "work": "json",
            "text": evidence.answer,
            "schema": self.schema,
            "path": self.path,
        }
        if self.equals is not _MISSING:
            request["equals"] = self.equals
        problem = ask(request, what=f"the check {self.label}", limit_s=self.timeout)
        if not problem:
            return Grade.of("")
        return Grade.of(f"expected {problem}, got {shown(evidence.answer)}")


@lru_cache(maxsize=256)
def _fault_of(given: str) -> str:
    """
    Return what is wrong with a schema and a path, as JSON; empty when nothing is.

    Raises:
        CheckError: when that cannot be found out, which may be otherwise next time.
    """
    from reliability.checks.sandbox import ask

    request = {"work": "find-fault", **json.loads(given)}
    return str(ask(request, what="the schema or path", limit_s=_LOOK_TIMEOUT_S))
