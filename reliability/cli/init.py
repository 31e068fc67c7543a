"""
The command `init`: a first suite, a first agent and a workflow, which run at once.

Nothing that is there is written over. Questions are asked at a terminal only, and each
has an answer that is taken with `--yes`.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

import click

from reliability.errors import UsageError

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,40}")
_SUITE = """\
# yaml-language-server: $schema={schema}
# What to ask, whom, and what a good answer is. All keys: docs/suites.md, docs/checks.md
# of reliability-action. `reliability plan --list` shows what it makes.
version: 1

defaults:
  loops: {loops}             # trials of each case
  min-pass-rate: 0.5       # what the trials must show, 95 % sure: 9 of 10 show this
  parallel: true
  max-cost-usd: {usd}        # starts nothing that could cost more

agents:
  {agent}: {{}}              # .claude/agents/{agent}.md

cases:
  - name: greets
    agent: {agent}
    prompt: Say hello to Ada in one sentence.
    tags: [quick]
    checks:
      - contains: {{text: hello, ignore-case: true}}
      - not-contains: {{text: as an ai, ignore-case: true}}
      - max-turns: 3
"""
_AGENT = """\
---
name: {agent}
description: Greets people.
tools: Read
---

You greet people warmly, in one sentence that begins with Hello.
"""
_WORKFLOW = """\
# Runs the suite when an agent, a prompt or the suite itself changes.
name: Reliability

on:
  pull_request:
    paths: [.claude/**, CLAUDE.md, reliability.yml]
  workflow_dispatch:

permissions: {{}}

concurrency:
  group: ${{{{ github.workflow }}}}-${{{{ github.ref }}}}
  cancel-in-progress: true

jobs:
  reliability:
    name: Reliability
    runs-on: ubuntu-latest
    timeout-minutes: 30
    permissions:
      contents: read # the checkout
    steps:
      - uses: actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1
        with:
          persist-credentials: false
      - uses: org/reliability-action@v1
        env:
          ANTHROPIC_API_KEY: ${{{{ secrets.ANTHROPIC_API_KEY }}}}
        with:
          suite: reliability.yml
          max-minutes: 25
"""
SCHEMA_URL = (
    "https://raw.githubusercontent.com/org/reliability-action/v1/"
    "schema/suite.schema.json"
)


@click.command()
@click.option("--yes", is_flag=True, help="Ask nothing, take every proposal.")
def init(yes: bool) -> None:
    """
    Write reliability.yml, a first agent if there is none, and a workflow.

    At most four questions are asked, and none with --yes or without a terminal. What is
    there already stays as it is. Then 'reliability run --backend simulated' shows that
    it works, without a key.

    Exit codes: 0; 2 an answer makes no sense, nothing was written.
    """
    asks = not yes and sys.stdin.isatty()
    there = sorted(path.stem for path in Path(".claude/agents").glob("*.md"))
    agent = _ask(asks, "Which agent", there[0] if there else "greeter")
    loops = _ask(asks, "How many trials of each case", "10")
    usd = _ask(asks, "Most dollars a run may cost", "2")
    wants = _ask(asks, "Write a workflow for GitHub (yes or no)", "yes")
    _check(agent, loops, usd, wants)
    suite = _SUITE.format(schema=SCHEMA_URL, agent=agent, loops=loops, usd=usd)
    files = {"reliability.yml": suite}
    if agent not in there:
        files[f".claude/agents/{agent}.md"] = _AGENT.format(agent=agent)
    if wants == "yes":
        files[".github/workflows/reliability.yml"] = _WORKFLOW.format()
    for name, text in files.items():
        _write(Path(name), text)
    click.echo("\nNow: reliability run --backend simulated")


def _ask(asks: bool, question: str, proposal: str) -> str:
    if not asks:
        return proposal
    answer: str = click.prompt(question, default=proposal)
    return answer.strip()


def _check(agent: str, loops: str, usd: str, wants: str) -> None:
    """
    Refuse answers that no file should be made of.

    Raises:
        UsageError: with all of them.
    """
    problems = []
    if not _NAME.fullmatch(agent):
        problems.append(f"{agent!r} is no agent's name: small letters, digits, '-'.")
    if not re.fullmatch(r"[1-9][0-9]{0,4}", loops):
        problems.append(f"{loops!r} is no number of trials.")
    if not re.fullmatch(r"[0-9]{1,6}(\.[0-9]{1,4})?", usd) or float(usd) == 0:
        problems.append(f"{usd!r} is no number of dollars above 0.")
    if wants not in {"yes", "no"}:
        problems.append(f"{wants!r} is neither yes nor no.")
    if problems:
        raise UsageError(problems)


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        click.echo(f"kept   {path}, which is there already")
        return
    click.echo(f"wrote  {path}")
