"""
Writes what is made of `OPTIONS` into `action.yml`, `README.md` and the schema.

`python scripts/tables.py` rewrites the files, the first two between their markers; a
test fails when that would change them.
"""

from __future__ import annotations

import json
import sys
import textwrap
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from reliability.options import OPTIONS, Option  # noqa: E402 - the path comes first

BEGIN, END = "made by scripts/tables.py", "end of what is made"


def inputs() -> str:
    """
    Return the `inputs:` of `action.yml`.
    """
    lines = []
    for option in OPTIONS:
        if option.where == "cli":
            continue
        lines.append(f"  {option.name}:")
        lines.append("    description: >-")
        lines += [
            f"      {line}"
            for line in textwrap.wrap(option.help, 80, break_on_hyphens=False)
        ]
        lines.append(f"    required: false\n    default: {json.dumps(option.default)}")
    return "\n".join(lines)


def option_table() -> str:
    """
    Return the README's table of all options.
    """
    rows = ["| option | default | meaning |", "|---|---|---|"]
    for option in OPTIONS:
        default = f"`{option.default}`" if option.default else ""
        rows.append(f"| {_name(option)} | {default} | {_cell(option.help)} |")
    return "\n".join(rows)


def _name(option: Option) -> str:
    only = "" if option.where == "everywhere" else f" ({option.where} only)"
    return f"`{option.name}`{only}"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;")


def schema(text: str) -> str:
    """
    Return the schema of `results.json` with the options described as they are now.
    """
    whole = json.loads(text)
    described = whole["properties"]["options"]["properties"]
    for option in OPTIONS:
        if option.name != "prompt":  # What is kept there is the prompt as it was sent.
            described[option.field]["description"] = option.help
    return json.dumps(whole, indent=2) + "\n"


def rewrite(text: str, made: str) -> str:
    """
    Return *text* with what stands between its markers replaced by *made*.
    """
    lines = text.split("\n")
    begin = next(n for n, line in enumerate(lines) if BEGIN in line)
    end = next(n for n, line in enumerate(lines) if END in line)
    return "\n".join([*lines[: begin + 1], made, *lines[end:]])


def current() -> dict[Path, str]:
    """
    Return what each file should hold.
    """
    makers = {ROOT / "action.yml": inputs, ROOT / "README.md": option_table}
    made = {
        path: rewrite(path.read_text(encoding="utf-8"), make())
        for path, make in makers.items()
    }
    path = ROOT / "schema" / "results.schema.json"
    return made | {path: schema(path.read_text(encoding="utf-8"))}


if __name__ == "__main__":
    for path, text in current().items():
        path.write_text(text, encoding="utf-8")
