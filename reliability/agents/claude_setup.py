"""
What is known of the Claude Code CLI before the first call: place, version, warnings.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from reliability.agents.environment import (
    CREDENTIALS_REMEDY,
    has_bare_credentials,
    has_credentials,
)
from reliability.agents.user import User, parts_of_program, require_reach
from reliability.choices import Context, PermissionMode
from reliability.errors import AgentSetupError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reliability.agents.agent_file import AgentFile
    from reliability.settings import Settings

PROGRAM = "claude"
_FULL_MODEL_NAME = re.compile(r"\d")
VERSION_TIMEOUT_S = 5.0
# It takes a second on a slow machine; a cancel waits for it, inside the 7.5 s that the
# GitHub runner grants after SIGINT.


def find_cli(
    path: str, *, timeout_s: float = VERSION_TIMEOUT_S, user: User | None = None
) -> tuple[str, str]:
    """
    Return the CLI's path and version.

    Args:
        path: As the PATH variable.
        timeout_s: For the CLI to tell its version.
        user: Who is to run it; None: as we are.

    Raises:
        AgentSetupError: when it is not there or does not run, for that user.
    """
    program = shutil.which(PROGRAM, path=path)
    if program is None:
        raise AgentSetupError(
            f"The Claude Code CLI ({PROGRAM}) is not on PATH, which is {path!r}.",
            remedy="Install it, or choose another backend.",
        )
    user = user or User(name="")
    parts = list(parts_of_program(Path(program), {"PATH": path}))
    require_reach(user, parts, f"The Claude Code CLI ({program})")
    try:
        done = subprocess.run(
            [program, "--version"],
            capture_output=True,
            stdin=subprocess.DEVNULL,
            env={"PATH": path, "HOME": os.devnull, "DISABLE_AUTOUPDATER": "1"},
            timeout=timeout_s,
            check=True,
            user=user.uid,
            group=user.gid,
            extra_groups=None if user.uid is None else [],
        )
    except (OSError, subprocess.SubprocessError) as error:
        what = str(error).rstrip(".")
        who = "" if user.uid is None else f" as user {user.name}"
        raise AgentSetupError(
            f"{program} --version does not run{who}: {what}."
        ) from None
    words = done.stdout.decode("utf-8", "replace").split()
    return program, words[0] if words else "unknown"


def cli_warnings(
    settings: Settings, environ: Mapping[str, str], *, file: AgentFile | None = None
) -> list[str]:
    """
    Return sentences on what makes the result move, dear or dangerous.

    Args:
        file: Of the agent, when it is the main one; None when there is none, or when
            the main agent is asked to call it and so has a model of its own.
    """
    warnings = _model_warnings(settings.model or _model_of(file))
    if settings.permission_mode is PermissionMode.BYPASS:
        warnings.append("Permissions are bypassed: the agent may do anything here.")
    if settings.context is Context.AGENT and not has_bare_credentials(environ):
        warnings.append(
            "context=agent runs the CLI with --bare, which reads neither an OAuth "
            "token nor the login of a person: give ANTHROPIC_API_KEY instead."
        )
    elif not has_credentials(environ):
        warnings.append(
            "No credentials for Claude Code were found, neither a variable nor a "
            f"login: {CREDENTIALS_REMEDY}."
        )
    return warnings


def _model_warnings(model: str) -> list[str]:
    """
    Warn of a model that may be another one tomorrow.
    """
    if not model:
        text = "No model is named: the result moves when the default does."
        return [f"{text} Pin it by its full name with model."]
    if not _FULL_MODEL_NAME.search(model):
        text = f"The model {model!r} is an alias, which moves to newer models."
        return [f"{text} Pin it by its full name."]
    return []


def _model_of(file: AgentFile | None) -> str:
    """
    Return the model that an agent's file names; empty when it leaves the choice.
    """
    model = file.matter.get("model") if file is not None else None
    return model if isinstance(model, str) and model != "inherit" else ""
