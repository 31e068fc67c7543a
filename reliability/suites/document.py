"""
YAML under limits, with the line of everything.

PyYAML parses; what its events say becomes nodes here, one by one, so that a limit is
met while the file is read and not after it was built. No tag makes an object. Plain
words are read as YAML 1.2 reads them (`1:30` and `2026-01-01` are text), and where
YAML 1.1 and 1.2 disagree (`no`, `on`, `012`, `1_000`) the file must say what it means.

Anchors and aliases are taken, counted as often as they are used; merge keys (`<<`) are
not. Keys are words, and none stands twice in one mapping.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from reliability.suites.decoding import MAX_FILE_BYTES, decode
from reliability.suites.nodes import Node
from reliability.suites.problems import Path, Problems, shown
from reliability.suites.scalars import scalar_of

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_DEPTH = 40
MAX_NODES = 60_000
MAX_ALIASES = 1_000
MAX_TEXT = 4 * MAX_FILE_BYTES
"""Most characters of all scalars, those of aliases counted each time."""

_CORE = "tag:yaml.org,2002:"
_SAFE_TAGS = {f"{_CORE}{name}" for name in ("map", "seq", "str")}


@dataclass(slots=True, kw_only=True)
class _Open:
    """
    A list or mapping that is being read.

    Args:
        key: Of the value that comes next; None when a key comes next.
        dropped: The value that comes next is of no use: its key was refused.
    """

    node: Node
    anchor: str | None
    key: str | None = None
    key_line: int = 0
    dropped: bool = False


class _TooMuchError(Exception):
    """
    Reading any more would not be safe, or would make no sense.
    """


@dataclass(slots=True, kw_only=True)
class _Builder:
    """
    Makes nodes of events.
    """

    problems: Problems
    stack: list[_Open] = field(default_factory=list)
    anchors: dict[str, Node] = field(default_factory=dict)
    root: Node | None = None
    documents: int = 0
    nodes: int = 0
    aliases: int = 0
    characters: int = 0
    line: int = 1

    def path(self) -> Path:
        """
        Return the path to what is being read.
        """
        path: list[str | int] = []
        for one in self.stack:
            if one.node.items is not None:
                path.append(len(one.node.items))
            elif one.key is not None:
                path.append(one.key)
        return tuple(path)

    def take(self, event: Any) -> None:
        """
        Take the next event.
        """
        kind = type(event).__name__
        self.line = event.start_mark.line + 1
        if kind == "DocumentStartEvent":
            self.documents += 1
            if self.documents > 1:
                self._stop("a second document begins here; a file has one")
        elif kind == "AliasEvent":
            self._alias(event.anchor)
        elif kind == "ScalarEvent":
            self._scalar(event)
        elif kind in {"SequenceStartEvent", "MappingStartEvent"}:
            self._open(event, is_list=kind == "SequenceStartEvent")
        elif kind in {"SequenceEndEvent", "MappingEndEvent"}:
            one = self.stack.pop()
            self._place(one.node, one.anchor)

    def _stop(self, text: str) -> None:
        self.problems.add(self.line, self.path(), text)
        raise _TooMuchError

    def _count(self, node: Node) -> None:
        self.nodes += node.count
        self.characters += node.characters
        if self.nodes > MAX_NODES or self.characters > MAX_TEXT:
            self._stop("the file holds too much, or its aliases expand to too much")
        if len(self.stack) + node.height > MAX_DEPTH:
            self._stop(f"lists and mappings are nested deeper than {MAX_DEPTH}")

    def _tag(self, tag: str | None) -> bool:
        """
        Tell whether a scalar is text by its tag; refuse those that mean anything else.
        """
        if tag in {None, "!"} or tag in _SAFE_TAGS:
            return tag is not None
        name = str(tag).replace(_CORE, "!!")
        text = f"the tag {shown(name)} is not taken; leave it out"
        self.problems.add(self.line, self.path(), text, is_last=True)
        return True

    def _alias(self, anchor: str) -> None:
        self.aliases += 1
        if self.aliases > MAX_ALIASES:
            self._stop(f"there are more than {MAX_ALIASES} aliases")
        node = self.anchors.get(anchor)
        if node is None:
            self._stop(f"the alias *{shown(anchor)[1:-1]} stands for nothing before it")
            return
        if self._wants_key():
            self._refuse_key("an alias cannot be a key")
            return
        self._count(node)
        self._place(node, None)

    def _scalar(self, event: Any) -> None:
        is_key = self._wants_key()
        is_text = self._tag(event.tag) or event.style not in {"", None}
        raw = event.value
        value, problem = (raw, "") if is_text else scalar_of(raw)
        if "\0" in raw:
            problem = "the text holds a NUL character"
        if is_key:
            self._key(raw, value, problem, plain=not is_text)
            return
        if problem:
            self.problems.add(self.line, self.path(), problem, is_last=True)
            value = raw
        node = Node(line=self.line, raw=raw, value=value, characters=len(raw))
        self._count(node)
        self._place(node, event.anchor)

    def _open(self, event: Any, *, is_list: bool) -> None:
        if self._wants_key():
            self._stop("a list or mapping cannot be a key")
        self._tag(event.tag)
        node = Node(line=self.line)
        if is_list:
            node.items = []
        else:
            node.keys = {}
        self._count(node)
        self.stack.append(_Open(node=node, anchor=event.anchor))

    def _wants_key(self) -> bool:
        if not self.stack:
            return False
        top = self.stack[-1]
        return top.node.keys is not None and top.key is None and not top.dropped

    def _key(self, raw: str, value: Any, problem: str, *, plain: bool) -> None:
        top = self.stack[-1]
        self.nodes += 1
        self.characters += len(raw)
        if plain and raw == "<<":
            self._refuse_key(
                "merge keys are not taken; put what is shared under defaults or agents"
            )
        elif problem or not isinstance(value, str):
            self._refuse_key(problem or f"the key {shown(raw)} is not text; quote it")
        elif raw in (top.node.keys or {}):
            self._refuse_key("this key stands here twice", raw)
        else:
            top.key, top.key_line = raw, self.line

    def _refuse_key(self, text: str, *key: str) -> None:
        self.problems.add(self.line, (*self.path(), *key), text)
        self.stack[-1].dropped = True

    def _place(self, node: Node, anchor: str | None) -> None:
        """
        Put a finished value where it belongs.
        """
        if anchor is not None:
            self.anchors[anchor] = node
        if not self.stack:
            self.root = node
            return
        top = self.stack[-1]
        whole = top.node
        whole.count += node.count
        whole.characters += node.characters
        whole.height = max(whole.height, node.height + 1)
        if top.dropped:
            top.dropped = False
        elif whole.items is not None:
            whole.items.append(node)
        elif whole.keys is not None and top.key is not None:
            # An alias's lines are its anchor's; its key is what people look for.
            whole.keys[top.key] = node.moved(top.key_line)
            top.key = None


def read_document(content: bytes, problems: Problems) -> Node:
    """
    Return the file's root; what is wrong with it is noted.

    Raises:
        UsageError: when it cannot be read to its end, with all problems up to there.
    """
    text = decode(content, problems)
    builder = _Builder(problems=problems)
    try:
        for event in _events(text):
            builder.take(event)
    except _TooMuchError:
        problems.raise_any()
    except _yaml_error() as error:
        mark = getattr(error, "problem_mark", None) or getattr(
            error, "context_mark", None
        )
        line = mark.line + 1 if mark is not None else builder.line
        what = getattr(error, "problem", None) or getattr(error, "reason", "bad YAML")
        problems.add(line, builder.path(), f"this is not YAML: {_flat(str(what))}")
        problems.raise_any()
    if builder.root is None:
        problems.add(1, (), "the file is empty; it needs the keys version and cases")
        problems.raise_any()
        raise AssertionError("unreachable")
    return builder.root


def _yaml_error() -> type[Exception]:
    from yaml import YAMLError

    return YAMLError


def _events(text: str) -> Iterator[Any]:
    import yaml

    # The same events and marks; without libyaml it only takes longer.
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return iter(yaml.parse(text, loader))


def _flat(text: str) -> str:
    hint = " (a tab? indent with blanks)" if "cannot start any token" in text else ""
    return " ".join(text.split()) + hint
