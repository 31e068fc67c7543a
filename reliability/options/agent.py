"""
What is tested, and what its answer must be.
"""

from __future__ import annotations

from reliability.choices import Backend, Context, PermissionMode
from reliability.options.option import Option
from reliability.parsers import (
    agent,
    argv,
    choice,
    expectation,
    integer,
    lines,
    path,
    plain_text,
    variables,
)

AGENT_OPTIONS: tuple[Option, ...] = (
    Option(
        name="suite",
        help="File with the cases to run, their agents, prompts and checks. Default: "
        "reliability.yml, where there is one and no agent, prompt, command or check "
        "is given. See docs/suites.md.",
        parse=path,
        metavar="PATH",
    ),
    Option(
        name="case",
        help="Run only the cases of the suite whose name matches: * and ? stand for "
        "any characters. Several times on the command line, one a line in a workflow.",
        parse=lines,
        metavar="NAME",
        repeat=True,
    ),
    Option(
        name="tag",
        help="Run only the cases of the suite with this tag. Several times on the "
        "command line, one a line in a workflow; one of them is enough.",
        parse=lines,
        metavar="TAG",
        repeat=True,
    ),
    Option(
        name="agent",
        help="Name of the agent to test: of .claude/agents/NAME.md for claude-code, "
        "else a label. On the command line it is the argument AGENT.",
        parse=agent,
        metavar="NAME",
    ),
    Option(
        name="backend",
        help="How the agent is reached: claude-code (the Claude Code CLI), messages "
        "(one Messages API call), command (any program) or simulated (no key needed).",
        parse=choice(Backend, without=(Backend.FUNCTION,)),
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
        name="checks",
        help="Checks that every answer must pass, as a YAML list of the form that a "
        "suite file has: '[{contains: Hello}, {max-turns: 5}]'. For a run "
        "without a suite.",
        parse=plain_text,
        metavar="YAML",
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
)
