"""
Which environment variables hold secrets, told by their names.

Promises: a variable whose name speaks of a key, token, password or the like is
found, whichever tool it belongs to. A path, URL, limit or switch that merely speaks of
one is not: its value is an ordinary word that redaction would blank everywhere.

Not promised: a secret under a name that does not say so.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_SECRET_WORD = re.compile(
    r"(?:.*(?:KEY|TOKEN|SECRET|PASSWORD|PASSWD|PASSPHRASE|COOKIE|CREDENTIAL)S?"
    r"|AUTH|AUTHORIZATION|PASS|PAT|PWD|JWT)$"
)
_NOT_SECRET_ENDS = frozenset(
    "COUNT DIR ENABLED FILE FOLDER HELPER HOME HOST LENGTH LIMIT MODE MS NAME PATH "
    "REGION SIZE SOCK TIMEOUT TOKENS TTL TYPE URI URL VERSION".split()
)
_NOT_SECRET_STARTS = frozenset(("DISABLE", "ENABLE", "MAX", "SKIP", "USE"))
_NOT_SECRET_NAMES = frozenset(("PWD", "OLDPWD"))
_HEADERS_END = "CUSTOM_HEADERS"  # Lines such as `x-api-key: ...`.


def secrets_of(environ: Mapping[str, str]) -> tuple[str, ...]:
    """
    Return the values of the variables whose name says that they are secret.

    Paths, URLs, limits and switches that merely speak of secrets are left out
    (`AWS_WEB_IDENTITY_TOKEN_FILE`, `MAX_THINKING_TOKENS`), and so are empty values.
    """
    found = {value for name, value in environ.items() if _is_secret(name, value)}
    for name, value in environ.items():
        if name.upper().endswith(_HEADERS_END):
            found.update(line.partition(":")[2].strip() for line in value.splitlines())
    return tuple(sorted(found - {""}))


def _is_secret(name: str, value: str) -> bool:
    """
    Judge a variable by the words of its name.
    """
    upper = name.upper()
    words = re.split(r"[^A-Z0-9]+", upper)
    if upper in _NOT_SECRET_NAMES or words[-1] in _NOT_SECRET_ENDS:
        return False
    if words[0] in _NOT_SECRET_STARTS:
        return False
    # GOOGLE_APPLICATION_CREDENTIALS and its like name a file.
    if words[-1].endswith("CREDENTIALS") and value.startswith(("/", "./", "~")):
        return False
    return any(_SECRET_WORD.match(word) for word in words)
