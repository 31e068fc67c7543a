"""
The one declaration of every option of `reliability run`.

click's flags, the action's inputs, the environment variables and the README's table are
made from `OPTIONS` or compared with it by a test, so they cannot drift apart. A value
arrives as text from all three; `parse` turns it into what `Settings` holds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from reliability.choices import Backend, Context, OnInconclusive, PermissionMode
from reliability.parsers import (
    agent,
    argv,
    base_name,
    choice,
    every_trial,
    expectation,
    flag,
    integer,
    path,
    plain_text,
    seconds,
    variables,
)

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_LOOPS = 100_000
MAX_WORKERS = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """
    One option of `reliability run` and of the action.

    Args:
        name: As written after `--` and in `with:`.
        default: As text; empty for none. The same in every surface.
        parse: Text to value; raises ValueError with a phrase such as "must be ...".
        metavar: What `--help` shows for the value; empty for a flag.
        where: "everywhere", or the one surface that has it: "cli" or "action".
        repeat: May be given more than once on the command line, one a line elsewhere.
    """

    name: str
    help: str
    parse: Callable[[str], Any]
    default: str = ""
    metavar: str = ""
    where: str = "everywhere"
    repeat: bool = False

    @property
    def field(self) -> str:
        """
        The name of the field in `Settings`.
        """
        return self.name.replace("-", "_")

    @property
    def variable(self) -> str:
        """
        The environment variable that the command reads when the flag is not given.
        """
        return f"RELIABILITY_{self.field.upper()}"


OPTIONS: tuple[Option, ...] = (
    Option(
        name="agent",
        help="Name of the agent to test: of .claude/agents/NAME.md for claude-code, "
        "else a label. On the command line it is the argument AGENT.",
        parse=agent,
        metavar="NAME",
    ),
    Option(
        name="loops",
        help="How many trials to run.",
        parse=integer(1, MAX_LOOPS),
        default="10",
        metavar="N",
    ),
    Option(
        name="parallel",
        help="Run trials at the same time instead of one after another.",
        parse=flag,
        default="false",
    ),
    Option(
        name="max-workers",
        help="Most trials at once with parallel. Default: the least of the loops, what "
        "the backend bears (messages and simulated 50; command the cores; claude-code "
        "8 a core) and what memory allows (300 MiB for each Claude Code process).",
        parse=integer(1, MAX_WORKERS),
        metavar="N",
    ),
    Option(
        name="backend",
        help="How the agent is reached: claude-code (the Claude Code CLI), messages "
        "(one Messages API call), command (any program) or simulated (no key needed).",
        parse=choice(Backend),
        default="claude-code",
        metavar="NAME",
    ),
    Option(
        name="model",
        help="Model, best by its full name so that the result does not move with an "
        "alias. Default: the agent's own, else the backend's; messages needs one.",
        parse=plain_text,
        metavar="NAME",
    ),
    Option(
        name="command",
        help="Program for the command backend, split into words as a shell would but "
        "never run by one. The prompt comes on standard input, or in the file that "
        "replaces the word {prompt_file}.",
        parse=argv,
        metavar="ARGV",
    ),
    Option(
        name="prompt",
        help="What to ask. Default: the classic prompt, which asks for the named agent "
        "to say hello and for its reply.",
        parse=plain_text,
        metavar="TEXT",
    ),
    Option(
        name="prompt-file",
        help="File with the prompt, where {{agent}}, {{model}} and every var are "
        "replaced. A name that is missing or not used is an error.",
        parse=path,
        metavar="PATH",
    ),
    Option(
        name="var",
        help="A value for a {{NAME}} in the prompt file, as NAME=VALUE; several times "
        "on the command line, one a line in a workflow.",
        parse=variables,
        metavar="NAME=VALUE",
        repeat=True,
    ),
    Option(
        name="expect",
        help="What the answer must be: contains:TEXT (also without the word), "
        "equals:TEXT (blanks around it do not count) or matches:REGEX. Default: any "
        "answer that is not empty.",
        parse=expectation,
        metavar="TEXT",
    ),
    Option(
        name="min-pass-rate",
        help="The pass rate that the agent must have. 1 means that every trial must "
        "pass; other values are not supported yet.",
        parse=every_trial,
        default="1",
        metavar="RATE",
    ),
    Option(
        name="on-inconclusive",
        help="What an inconclusive verdict does: fail (exit code 4) or warn (0).",
        parse=choice(OnInconclusive),
        default="fail",
        metavar="WHAT",
    ),
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
        name="delay",
        help="Seconds between loops in sequential mode; ignored with parallel.",
        parse=seconds(0, 3600),
        default="1",
        metavar="SECONDS",
    ),
    Option(
        name="timeout",
        help="Most seconds for one attempt. An agent that has begun to answer and is "
        "not done by then has failed.",
        parse=seconds(0.1, 86_400),
        default="300",
        metavar="SECONDS",
    ),
    Option(
        name="max-attempts",
        help="Most attempts a trial when infrastructure fails (rate limit, overload, "
        "network). A wrong answer is never tried again.",
        parse=integer(1, 100),
        default="5",
        metavar="N",
    ),
    Option(
        name="permission-mode",
        help="Permission mode of Claude Code.",
        parse=choice(PermissionMode),
        default="acceptEdits",
        metavar="MODE",
    ),
    Option(
        name="context",
        help="What Claude Code sees: project (CLAUDE.md, settings, hooks and MCP "
        "servers of the checkout, as people have it) or agent (the agent file alone: "
        "cheaper, and closed against a hostile checkout).",
        parse=choice(Context),
        default="project",
        metavar="WHAT",
    ),
    Option(
        name="claude-args",
        help="More arguments for the Claude Code CLI, split as a shell would.",
        parse=argv,
        metavar="ARGS",
    ),
    Option(
        name="max-output-tokens",
        help="Most tokens of an answer; messages and simulated only.",
        parse=integer(1, 1_000_000),
        default="4096",
        metavar="N",
    ),
    Option(
        name="prices",
        help="JSON file with prices that replace or add to the built-in table: "
        '{"MODEL": {"input": USD, "output": USD}} for a million tokens.',
        parse=path,
        metavar="PATH",
    ),
    Option(
        name="simulator",
        help="Behaviour of the simulated backend, such as "
        "pass-rate=0.9,latency=0.2,rate-429=0.05,seed=7 (see 'reliability simulate').",
        parse=plain_text,
        metavar="PROFILE",
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
