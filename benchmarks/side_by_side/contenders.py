"""
Who takes part, and how each one is started for a scenario.

A contender is configured as its own documentation says for the size at hand; what is
switched off is what reaches for the network (telemetry, update checks) and what draws
on a terminal. Each one runs in an empty folder with a HOME of its own.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from .adapters.job import Job
from .scenario import EXPECTED, MODEL

if TYPE_CHECKING:
    from collections.abc import Callable

    from .scenario import Scenario

BENCHMARKS = Path(__file__).parents[1]
ROOT = BENCHMARKS.parent
ADAPTERS = Path(__file__).with_name("adapters")
PYTHON = BENCHMARKS / ".venv/bin/python"
INSPECT = BENCHMARKS / ".venv/bin/inspect"
AGENTRIAL = BENCHMARKS / ".venv/bin/agentrial"
PROMPTFOO = BENCHMARKS / ".venv/node_modules/.bin/promptfoo"
CLAUDE = BENCHMARKS / ".venv/bin/claude"
OURS = ROOT / ".venv/bin/reliability"
PLAIN_PYTHON = ROOT / ".venv/bin/python"
WORKSPACE = "workspace"
AGENT_FILE = """---
name: greet
description: Greets people
---
You greet people.
"""
_TRIVIAL = ["/bin/echo", EXPECTED]


@dataclass(frozen=True, slots=True, kw_only=True)
class Contender:
    """
    Somebody who takes part.

    Args:
        title: For the tables.
        program: What must be installed for it.
        argv: Makes the command line, and writes the files that it needs into its
            folder.
        help_argv: Shows the help of the command that runs trials.
        counts: The adapter that reads what came of a run; empty: the run itself
            wrote the counts.
        environ: More variables.
        subfolder: Where it is started, below the run's folder.
        most_rounds: Rounds at most, by scenario; where a run takes minutes because of
            waiting, repeating it says little. "*" is for all others.
    """

    title: str
    program: Path
    argv: Callable[[Scenario, Path], list[str]]
    help_argv: tuple[str, ...] = ()
    counts: str = ""
    counts_python: Path = PYTHON
    environ: tuple[tuple[str, str], ...] = ()
    subfolder: str = ""
    most_rounds: tuple[tuple[str, int], ...] = ()

    def rounds(self, scenario: str, asked: int) -> int:
        """
        Return how often this contender runs in *scenario* when *asked* are wanted.
        """
        most = dict(self.most_rounds)
        return min(asked, most.get(scenario, most.get("*", asked)))


def write_job(scenario: Scenario, base_url: str, folder: Path) -> None:
    """
    Write what adapters read.
    """
    job = Job(
        calls=scenario.calls,
        workers=scenario.workers,
        base_url=base_url,
        model=MODEL,
        prompt=scenario.prompt,
        expected=EXPECTED,
        command=_command_of(scenario),
    )
    (folder / "job.json").write_text(json.dumps(asdict(job)))
    (folder / "prompt.txt").write_text(scenario.prompt)


def _command_of(scenario: Scenario) -> list[str]:
    """
    Return what a thread pool starts for each call.
    """
    if scenario.kind != "claude":
        return _TRIVIAL
    return [str(CLAUDE), "-p", "--output-format", "json", "--model", MODEL]


def _adapter(name: str, python: Path = PYTHON) -> Callable[[Scenario, Path], list[str]]:
    """
    Return what makes the command line of an adapter that is a program of its own.
    """
    return lambda _scenario, _folder: [str(python), str(ADAPTERS / f"{name}.py")]


def _ours(*more: str) -> Callable[[Scenario, Path], list[str]]:
    """
    Return what makes our command line, with *more* arguments.
    """

    def argv(scenario: Scenario, folder: Path) -> list[str]:
        agents = folder / WORKSPACE / ".claude/agents"
        agents.mkdir(parents=True)
        if scenario.kind == "claude":
            (agents / "greet.md").write_text(AGENT_FILE)
        command = [str(OURS), "run", "greet", "--loops", str(scenario.calls)]
        command += ["--parallel", "--max-workers", str(scenario.workers)]
        command += ["--prompt-file", str(folder / "prompt.txt"), "--expect", EXPECTED]
        command += ["--output-dir", str(folder / "results"), "--quiet"]
        if scenario.kind == "commands":
            command += ["--backend", "command", "--command", " ".join(_TRIVIAL)]
        else:
            backend = "claude-code" if scenario.kind == "claude" else "messages"
            command += ["--backend", backend, "--model", MODEL]
        if scenario.max_minutes:
            command += ["--max-minutes", f"{scenario.max_minutes:g}"]
        return [*command, *more]

    return argv


def _inspect(*, fixed: bool) -> Callable[[Scenario, Path], list[str]]:
    """
    Return what makes Inspect AI's command line: its default, or a fixed concurrency.
    """

    def argv(scenario: Scenario, folder: Path) -> list[str]:
        # It takes no absolute path.
        (folder / "task.py").symlink_to(ADAPTERS / "inspect_task.py")
        command = [str(INSPECT), "eval", "task.py"]
        command += ["--model", f"anthropic/{MODEL}", "--log-dir", "logs"]
        command += ["--display", "none", "--no-fail-on-error"]
        if fixed:
            workers = str(scenario.workers)
            command += ["--max-connections", workers, "--max-samples", workers]
        return command

    return argv


def _promptfoo(scenario: Scenario, folder: Path) -> list[str]:
    """
    Write promptfoo's configuration and return its command line.
    """
    config = {
        "prompts": ["file://prompt.txt"],
        "providers": [
            {"id": f"anthropic:messages:{MODEL}", "config": {"max_tokens": 4096}}
        ],
        "tests": [{"assert": [{"type": "contains", "value": EXPECTED}]}],
    }
    # JSON is YAML too.
    (folder / "promptfooconfig.yaml").write_text(json.dumps(config))
    command = [str(PROMPTFOO), "eval", "-c", "promptfooconfig.yaml", "-o", "out.json"]
    command += ["-j", str(scenario.workers), "--repeat", str(scenario.calls)]
    return [*command, "--no-cache", "--no-progress-bar", "--no-table", "--no-share"]


def _agentrial(scenario: Scenario, folder: Path) -> list[str]:
    """
    Write agentrial's suite and return its command line.
    """
    case = {
        "name": "hello",
        "input": {"query": scenario.prompt},
        "expected": {"output_contains": [EXPECTED]},
    }
    suite = {"suite": "hello", "agent": "agentrial_agent.ask", "cases": [case]}
    (folder / "test_hello.yml").write_text(json.dumps(suite))
    trials = str(scenario.calls)
    return [str(AGENTRIAL), "run", "test_hello.yml", "-n", trials, "-o", "out.json"]


_OURS = {
    "program": OURS,
    "help_argv": (str(OURS), "run", "--help"),
    "counts": "ours_counts",
    "subfolder": WORKSPACE,
    "counts_python": PLAIN_PYTHON,
}
_BESIDE_JOB = (("PYTHONPATH", str(ADAPTERS)),)
_INSPECT = {
    "program": INSPECT,
    "counts": "inspect_counts",
    "environ": _BESIDE_JOB,
}
# `python -c` with nothing else is what any Python program pays.
CONTENDERS = {
    "python": Contender(
        title="`python -c pass`",
        program=PLAIN_PYTHON,
        argv=_adapter("job"),
        help_argv=(str(PLAIN_PYTHON), "-c", "pass"),
    ),
    "floor-asyncio": Contender(
        title="floor: asyncio",
        program=PLAIN_PYTHON,
        argv=_adapter("floor_asyncio", PLAIN_PYTHON),
    ),
    "floor-threads": Contender(
        title="floor: threads",
        program=PLAIN_PYTHON,
        argv=_adapter("floor_threads", PLAIN_PYTHON),
    ),
    "ours": Contender(
        title="**reliability**",
        argv=_ours(),
        most_rounds=(("claude-storm", 1),),
        **_OURS,
    ),
    "ours-shared": Contender(
        title="reliability `--isolation none`",
        argv=_ours("--isolation", "none"),
        **_OURS,
    ),
    "ours-agent": Contender(
        title="reliability `--context agent`",
        argv=_ours("--context", "agent"),
        **_OURS,
    ),
    "naive": Contender(
        title="naive: threads, SDK, tenacity",
        program=PYTHON,
        argv=_adapter("naive"),
        help_argv=(str(PYTHON), "-c", "import anthropic, tenacity"),
    ),
    "inspect": Contender(
        title="Inspect AI",
        argv=_inspect(fixed=False),
        help_argv=(str(INSPECT), "eval", "--help"),
        most_rounds=(("C-silent", 1), ("C-tokens", 1), ("C-closed", 1)),
        **_INSPECT,
    ),
    "inspect-fixed": Contender(
        title="Inspect AI `--max-connections`",
        argv=_inspect(fixed=True),
        most_rounds=(("C", 1),),
        **_INSPECT,
    ),
    "promptfoo": Contender(
        title="promptfoo",
        program=PROMPTFOO,
        argv=_promptfoo,
        help_argv=(str(PROMPTFOO), "eval", "--help"),
        counts="promptfoo_counts",
        counts_python=PLAIN_PYTHON,
        environ=(
            ("PROMPTFOO_DISABLE_TELEMETRY", "1"),
            ("PROMPTFOO_DISABLE_UPDATE", "1"),
            ("PROMPTFOO_DISABLE_REMOTE_GENERATION", "1"),
        ),
        most_rounds=(("C", 1),),
    ),
    "agentrial": Contender(
        title="agentrial",
        program=AGENTRIAL,
        argv=_agentrial,
        help_argv=(str(AGENTRIAL), "run", "--help"),
        counts="agentrial_counts",
        counts_python=PLAIN_PYTHON,
        environ=_BESIDE_JOB,
        most_rounds=(("E-help", 99), ("E-one", 99), ("*", 1)),
    ),
    "pool": Contender(
        title="thread pool, `subprocess.run`",
        program=PLAIN_PYTHON,
        argv=_adapter("pool", PLAIN_PYTHON),
    ),
}
