"""
The options of one run, parsed and checked together.

`Settings.from_text` is the only way in from a surface: it takes what was given as text,
names every problem at once and calls nothing. `Settings` itself is frozen.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reliability.choices import (
    Backend,
    Context,
    GateRule,
    Isolation,
    OnInconclusive,
    OnStop,
    PermissionMode,
)
from reliability.errors import UsageError
from reliability.options import OPTIONS, Option
from reliability.parsers import Expectation
from reliability.template import CLASSIC_PROMPT, DIRECT_PROMPT, fill

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

MAX_PROMPT_BYTES = 10 * 1024 * 1024
DEFAULT_MODEL_SIMULATED = "simulated-model"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """
    Every option of a run, in its final form; names and units are those of `OPTIONS`.

    Args:
        max_workers: None lets the engine choose.
        prompt: The text to send, with every `{{name}}` replaced.
        classic: The prompt is the built-in one, which asks the agent by name.
        delay: Seconds between loops in sequential mode.
        timeout: Seconds for one attempt.
        expect: None accepts any answer that is not empty.
        early_stop: None stops early when a rate below 1 is asked.
    """

    agent: str
    loops: int
    parallel: bool
    max_workers: int | None
    backend: Backend
    model: str
    command: tuple[str, ...]
    prompt: str
    prompt_file: Path | None
    var: tuple[tuple[str, str], ...]
    classic: bool
    expect: Expectation | None
    min_pass_rate: float
    on_inconclusive: OnInconclusive
    output_dir: Path
    filename: str
    delay: float
    timeout: float
    max_attempts: int
    permission_mode: PermissionMode
    context: Context
    claude_args: tuple[str, ...]
    max_output_tokens: int
    prices: Path | None
    simulator: str
    quiet: bool
    suite: Path | None = None
    case: tuple[str, ...] = ()
    tag: tuple[str, ...] = ()
    checks: str = ""
    seed: int = 1
    confidence: float = 0.95
    expected_rate: float | None = None
    gate: GateRule = GateRule.MEAN
    max_invalid: float = 0.2
    against: str = ""
    baseline: Path | None = None
    margin: float | None = None
    early_stop: bool | None = None
    on_stop: OnStop = OnStop.CANCEL
    allow_unreachable: bool = False
    requests_per_minute: int | None = None
    max_cost_usd: float | None = None
    max_tokens: int | None = None
    max_minutes: float | None = None
    isolation: Isolation = Isolation.COPY
    run_as: str = ""
    pass_env: tuple[str, ...] = ()
    setup: tuple[str, ...] = ()
    teardown: tuple[str, ...] = ()
    dry_run: bool = False
    json: bool = False
    artifact: bool = True
    artifact_name: str = ""
    artifact_required: bool = False
    retention_days: int | None = None

    @classmethod
    def from_text(
        cls,
        given: Mapping[str, str | None],
        *,
        spelling: Callable[[Option], str] = lambda option: f"--{option.name}",
        read_text: Callable[[Path], str] | None = None,
        also: Callable[[Mapping[str, Any]], list[str]] | None = None,
    ) -> Settings:
        """
        Parse what was *given*, by option name; None and blank text mean "not given".

        Args:
            spelling: How the surface at hand writes an option, for the messages.
            read_text: Reads the prompt file; by default from the disk.
            also: Finds more problems in the parsed values, by field name; for options
                whose form only a backend knows.

        Raises:
            UsageError: with every problem found, each naming option, value and remedy.
        """
        problems: list[str] = []
        parsed: dict[str, Any] = {}
        wrong: set[str] = set()
        for option in OPTIONS:
            text = (given.get(option.name) or "").strip()
            try:
                parsed[option.field] = _parse(option, text or option.default)
            except ValueError as error:
                parsed[option.field] = _parse(option, option.default)
                wrong.add(option.field)
                problems.append(f"{spelling(option)} is {_shown(text)}: it {error}.")
        # A wrong value is one problem; what would follow from it is none.
        conflicts = [
            conflict
            for find in (_text_conflicts, _conflicts, _chore_conflicts)
            for conflict in find(parsed)
        ]
        problems += [text for who, text in conflicts if not who & wrong]
        parsed["classic"] = not (parsed["prompt"] or parsed["prompt_file"])
        try:
            parsed["prompt"] = _prompt(parsed, read_text or _read_prompt_file)
        except (ValueError, OSError) as error:
            if not wrong & {"agent", "prompt", "prompt_file", "var"}:
                problems.append(str(error))
        problems += also(parsed) if also is not None else []
        if problems:
            raise UsageError(problems)
        if parsed["backend"] is Backend.SIMULATED:
            parsed["model"] = parsed["model"] or DEFAULT_MODEL_SIMULATED
        return cls(**parsed)

    def public(self) -> dict[str, Any]:
        """
        Return all options as JSON-like data for the log; none of them is a secret.
        """
        return {field.name: _plain(getattr(self, field.name)) for field in fields(self)}


def _parse(option: Option, text: str) -> object:
    if text:
        return option.parse(text)
    return _EMPTY.get(option.field)


# What an option without a value means, where that is not None.
_EMPTY: dict[str, object] = {
    "agent": "",
    "case": (),
    "tag": (),
    "checks": "",
    "model": "",
    "command": (),
    "prompt": "",
    "var": (),
    "claude_args": (),
    "simulator": "",
    "against": "",
    "run_as": "",
    "pass_env": (),
    "setup": (),
    "teardown": (),
    "artifact_name": "",
}


def _conflicts(parsed: Mapping[str, Any]) -> Iterator[tuple[set[str], str]]:
    """
    Yield what does not go together: the options that are involved, and a sentence.
    """
    backend = parsed["backend"]
    if backend is Backend.COMMAND and not parsed["command"]:
        yield (
            {"backend", "command"},
            "The command backend needs a command: name the program to run.",
        )
    if backend is not Backend.COMMAND and parsed["command"]:
        yield {"backend"}, f"A command is given, but the backend is {backend}."
    if backend is Backend.MESSAGES and not parsed["model"]:
        yield (
            {"backend", "model"},
            "The messages backend needs a model: give its full name.",
        )
    if backend is not Backend.SIMULATED and parsed["simulator"]:
        yield (
            {"backend"},
            f"A simulator profile is given, but the backend is {backend}.",
        )
    if parsed["context"] is Context.AGENT:
        if backend is not Backend.CLAUDE_CODE:
            text = f"context=agent is for claude-code; the backend is {backend}."
            yield {"backend"}, text
        elif not parsed["agent"]:
            yield {"backend", "agent"}, "context=agent needs the name of an agent."


def _text_conflicts(parsed: Mapping[str, Any]) -> Iterator[tuple[set[str], str]]:
    """
    Yield what is said twice, or has nothing to be put into.
    """
    if parsed["prompt"] and parsed["prompt_file"]:
        yield (
            {"prompt", "prompt_file"},
            "Both a prompt and a prompt file are given: choose one.",
        )
    if parsed["against"] and parsed["baseline"]:
        yield (
            {"against", "baseline"},
            "Both against and a baseline are given: choose one.",
        )
    if parsed["var"] and not parsed["prompt_file"]:
        yield (
            {"var", "prompt_file"},
            "A var is given, but there is no prompt file to put it in.",
        )
    if parsed["checks"] and parsed["expect"]:
        yield (
            {"checks", "expect"},
            "Both checks and an expectation are given: make it one of the checks.",
        )


def _chore_conflicts(parsed: Mapping[str, Any]) -> Iterator[tuple[set[str], str]]:
    """
    Yield commands around an attempt that has no folder to run them in.
    """
    backend = parsed["backend"]
    if backend in {Backend.COMMAND, Backend.CLAUDE_CODE}:
        return
    for name in ("setup", "teardown"):
        if parsed[name]:
            text = f"A {name} command is given, which is for command and claude-code"
            yield {"backend"}, f"{text}; the backend is {backend}."


def _prompt(parsed: Mapping[str, Any], read_text: Callable[[Path], str]) -> str:
    built_in = {"agent": parsed["agent"], "model": parsed["model"]}
    if parsed["prompt_file"]:
        template = read_text(parsed["prompt_file"])
        values = built_in | dict(parsed["var"])
        try:
            return fill(template, values, optional=built_in)
        except ValueError as error:
            raise ValueError(f"Prompt file {parsed['prompt_file']}: {error}.") from None
    if parsed["prompt"]:
        return str(parsed["prompt"])
    if not parsed["agent"]:
        raise ValueError(
            "Neither an agent nor a prompt is given: name the agent to test, "
            "or say what to ask."
        )
    if parsed["context"] is Context.AGENT:
        return DIRECT_PROMPT
    return fill(CLASSIC_PROMPT, {"agent": parsed["agent"]})


def _read_prompt_file(path: Path) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(MAX_PROMPT_BYTES + 1)
        text = content.decode("utf-8")
    except OSError as error:
        raise ValueError(f"Prompt file {path}: {error.strerror}.") from None
    except UnicodeDecodeError as error:
        raise ValueError(
            f"Prompt file {path}: not UTF-8 at byte {error.start}."
        ) from None
    if len(content) > MAX_PROMPT_BYTES:
        raise ValueError(f"Prompt file {path}: larger than {MAX_PROMPT_BYTES} bytes.")
    if not text.strip() or "\0" in text:
        raise ValueError(f"Prompt file {path}: empty, or with a NUL character.")
    return text


def _shown(text: str) -> str:
    return repr(text if len(text) <= 60 else f"{text[:57]}...")


def _plain(value: object) -> object:
    if isinstance(value, Path | Expectation):
        return str(value)
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return value
