"""
What is known of the Claude Code CLI before the first call: place, version, warnings.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from typing import TYPE_CHECKING

from reliability.agents.environment import has_bare_credentials
from reliability.choices import Context, PermissionMode
from reliability.errors import AgentSetupError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reliability.settings import Settings

PROGRAM = "claude"
_FULL_MODEL_NAME = re.compile(r"\d")
_VERSION_TIMEOUT_S = 30


def find_cli(path: str) -> tuple[str, str]:
    """
    Return the CLI's path and version.

    Args:
        path: As the PATH variable.

    Raises:
        AgentSetupError: when it is not there or does not run.
    """
    program = shutil.which(PROGRAM, path=path)
    if program is None:
        raise AgentSetupError(
            f"The Claude Code CLI ({PROGRAM}) is not on PATH, which is {path!r}.",
            remedy="Install it, or choose another backend.",
        )
    try:
        done = subprocess.run(
            [program, "--version"],
            capture_output=True,
            stdin=subprocess.DEVNULL,
            env={"PATH": path, "HOME": os.devnull, "DISABLE_AUTOUPDATER": "1"},
            timeout=_VERSION_TIMEOUT_S,
            check=True,
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise AgentSetupError(f"{program} --version does not run: {error}.") from None
    words = done.stdout.decode("utf-8", "replace").split()
    return program, words[0] if words else "unknown"


def cli_warnings(settings: Settings, environ: Mapping[str, str]) -> list[str]:
    """
    Return sentences on what makes the result move, dear or dangerous.
    """
    warnings = []
    if not settings.model:
        warnings.append(
            "No model is named: the result moves when the default does. Pin it by its "
            "full name with model."
        )
    elif not _FULL_MODEL_NAME.search(settings.model):
        warnings.append(
            f"The model {settings.model!r} is an alias, which moves to newer models. "
            "Pin it by its full name."
        )
    if settings.permission_mode is PermissionMode.BYPASS:
        warnings.append("Permissions are bypassed: the agent may do anything here.")
    if settings.context is Context.AGENT and not has_bare_credentials(environ):
        warnings.append(
            "context=agent runs the CLI with --bare, which reads neither an OAuth "
            "token nor the login of a person: give ANTHROPIC_API_KEY instead."
        )
    return warnings
