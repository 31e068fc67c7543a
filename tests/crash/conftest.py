"""
What the tests of the fault matrix share.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from fakes.scenes import Scene

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def scene() -> Iterator[Scene]:
    """
    A stage that agents of any user can reach, cleared away whatever comes.
    """
    folder = Path(tempfile.mkdtemp(prefix="matrix-"))
    folder.chmod(0o755)
    stage = Scene(folder)
    yield stage
    stage.clear_away()
