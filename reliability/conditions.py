"""
Under which conditions trials were measured, and in what two of them differ.

Trials are counted together only when nothing differs that could change their outcome:
the agent, the prompt, the checks, the model, the programs, and every option but those
that say how fast, for how much and where to. Files are compared by the hashes in the
fingerprint; what has no hash there (the rest of the checkout, the service behind a
model's name) is not compared.
"""

from __future__ import annotations

import hashlib
import json
import platform
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from reliability import __version__
from reliability.options import OPTIONS
from reliability.options.shape import NOT_COMPARED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from reliability.model import Setup
    from reliability.settings import Settings
    from reliability.suite import Suite

# A difference that another one has told already: by whom.
_TOLD_BY = {
    "prompt_sha256": "prompt",
    "checks_sha256": "expect",
    "command": "command",
    "model": "model",
    "seed": "simulator",
    "claude-code": "cli_version",
}

_HASH_CHARACTERS = 12
_SHOWN_CHARACTERS = 60
_BEFORE_CHARACTERS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """
    What was measured, with what; all of it redacted, as a log has it.

    Args:
        options: Every option, by its field name.
        fingerprint: Hashes and names, as `run_started` has them.
        versions: Of this program, Python and the agent's program.
        simulated: The simulator answered, and no model.
    """

    options: Mapping[str, Any]
    fingerprint: Mapping[str, str]
    versions: Mapping[str, str]
    simulated: bool

    @classmethod
    def of(
        cls, settings: Settings, setup: Setup, redact: Callable[[Any], Any]
    ) -> Conditions:
        """
        Return those of a run that is about to begin.

        Args:
            setup: As `described` returned it.
            redact: What takes secrets out of a log's values.
        """
        return cls(
            options={name: redact(one) for name, one in settings.public().items()},
            fingerprint={name: redact(one) for name, one in setup.fingerprint.items()},
            versions={name: redact(one) for name, one in setup.versions.items()},
            simulated=setup.simulated,
        )

    def differences(
        self, now: Conditions, *, same_loops: bool = True
    ) -> tuple[str, ...]:
        """
        Return a sentence for each thing that was another one than it is *now*.

        Args:
            same_loops: The number of loops must agree too.
        """
        told: dict[str, str] = {}
        for name, was, is_now in self._pairs(now):
            if name == "loops" and not same_loops:
                continue
            if was != is_now and _TOLD_BY.get(name) not in told:
                shown = _shown(was, is_now)
                told[name] = f"{name}: was {shown[0]}, is {shown[1]}."
        return tuple(told.values())

    def _pairs(self, now: Conditions) -> Iterator[tuple[str, Any, Any]]:
        """
        Yield name and both values of everything that must agree.
        """
        for option in OPTIONS:
            if option.name not in NOT_COMPARED:
                field = option.field
                yield option.name, self.options.get(field), now.options.get(field)
        for name in sorted({*self.fingerprint, *now.fingerprint}):
            yield name, self.fingerprint.get(name), now.fingerprint.get(name)
        for name in sorted({*self.versions, *now.versions} - {"python"}):
            was, is_now = self.versions.get(name), now.versions.get(name)
            if name == "reliability":
                was, is_now = _series(was), _series(is_now)
            yield name, was, is_now
        yield "simulated", self.simulated, now.simulated


def described(suite: Suite, setup: Setup) -> Setup:
    """
    Add to a backend's setup what every run has: our versions, prompts and checks.
    """
    ours = {"reliability": __version__, "python": platform.python_version()}
    return replace(
        setup,
        versions={**ours, **setup.versions},
        fingerprint={**_hashes(suite), **setup.fingerprint},
    )


def described_file(suite: Suite) -> dict[str, Any] | None:
    """
    Return what a log keeps of a suite's file; None when there is none.
    """
    if suite.path is None:
        return None
    given = dict(suite.given)
    return {"path": str(suite.path), "sha256": suite.sha256, "given": given}


def _hashes(suite: Suite) -> dict[str, str]:
    """
    Return hashes of all that a suite asks and checks; the number of loops is no part.
    """
    if suite.path is None and len(suite.cases) == 1:
        (case,) = (case.as_json() for case in suite.cases)
        return {
            "prompt_sha256": _sha256(case["prompt"]),
            "checks_sha256": _sha256(json.dumps(case["checks"])),
        }
    return {
        f"case {case.name}": _sha256(json.dumps({**case.as_json(), "loops": 0}))
        for case in suite.cases
    }


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _series(version: str | None) -> str:
    """
    Return major and minor version: a patch changes no measurement.
    """
    return ".".join(str(version).split(".")[:2])


def _shown(was: object, is_now: object) -> tuple[str, str]:
    """
    Show both values, long ones from shortly before the first difference.
    """
    texts = [_plain(value) for value in (was, is_now)]
    begin = 0
    if max(map(len, texts)) > _SHOWN_CHARACTERS:
        pairs = enumerate(zip(*texts, strict=False))
        same = min(map(len, texts))
        common = next((at for at, (one, other) in pairs if one != other), same)
        begin = max(0, common - _BEFORE_CHARACTERS)
    return _window(texts[0], begin), _window(texts[1], begin)


def _plain(value: object) -> str:
    if value is None:
        return "nothing"
    if not isinstance(value, str):
        return repr(value)
    if re.fullmatch(r"[0-9a-f]{64}", value):
        return f"{value[:_HASH_CHARACTERS]}..."
    return repr(str(value))


def _window(text: str, begin: int) -> str:
    end = begin + _SHOWN_CHARACTERS
    before, after = "..." if begin else "", "..." if len(text) > end else ""
    return f"{before}{text[begin:end]}{after}"
