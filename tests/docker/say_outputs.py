"""
A later step of a workflow: says what it can read of the action's outputs.

Prints one line of JSON: the outputs, and the SHA-256 of the log that they name, as this
step finds it in the checkout.
"""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

outputs = json.loads(os.environ["OUTPUTS"])
digest = hashlib.sha256(Path(outputs["log"]).read_bytes()).hexdigest()
print(f"SAID {json.dumps({'outputs': outputs, 'log_sha256': digest})}")  # noqa: T201 - a step speaks by printing
