"""
`python -m reliability` is the command `reliability`.
"""

from __future__ import annotations

from reliability.cli import main

if __name__ == "__main__":
    main()
