"""Print one of the README's two command lines: ``readme_commands.py README run|test``.

A command is the fenced block after a comment ``<!-- run -->`` or ``<!-- test -->``.
Without the comment it is the first fenced block that could be meant.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

_BLOCK = r"```[^\n]*\n(.*?)```"
_LIKELY = {"run": "qtool demo", "test": "pytest"}


def command(readme: str, which: str) -> str:
    """Return the command line, continued lines joined and prompts dropped."""
    marked = re.search(rf"<!--\s*{which}\s*-->\s*{_BLOCK}", readme, re.DOTALL)
    if marked:
        block = marked[1]
    else:
        blocks = re.findall(_BLOCK, readme, re.DOTALL)
        block = next((text for text in blocks if _LIKELY[which] in text), "")
    lines = [re.sub(r"^\s*\$ ", "", line) for line in block.splitlines()]
    text = "\n".join(lines).replace("\\\n", " ").strip()
    if not text or "\n" in text:
        raise SystemExit(f"README.md: no single command line to {which}")
    return text


if __name__ == "__main__":
    print(command(Path(sys.argv[1]).read_text("utf-8"), sys.argv[2]))
