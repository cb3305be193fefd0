"""Outlining a pickled message: every field of it is checked, one by one."""

from __future__ import annotations

from qtool.errors import CorruptQFile, UnsafeQFile
from qtool.msgdata import show_value
from qtool.qfile.inert import Inert, Role
from qtool.qfile.outline import (
    MAX_HEADERS,
    CharsetOutline,
    HeaderOutline,
    Outline,
)

TYPE_CHECKING = False  # as type checkers know it; importing typing costs 3 ms

if TYPE_CHECKING:
    from typing import Any

    from qtool.qfile.values import Values

MAX_PARTS_DEEP = 60
"""A message within a message, and so on, deeper than this is refused."""
MAX_STRANGE = 100
"""After so many fields that are no text, the others are not shown."""

PART_COST, ITEM_COST, _CHUNK_COST = 200, 16, 100
"""What it costs to make a message, one header, field or defect, or a header's chunk,
in characters."""

_FIELDS = frozenset(
    (
        "policy", "_headers", "_payload", "_unixfrom", "_charset", "preamble",
        "epilogue", "defects", "_default_type", "__version__",
    )
)  # fmt: skip


class Outliner:
    """Checks one pickled message."""

    __slots__ = ("_depth", "_strange", "_strict", "_values")

    def __init__(self, values: Values, *, strict: bool) -> None:
        self._values = values
        self._strict = strict
        self._depth = 0
        self._strange = 0

    def outline(self, value: Any) -> Outline:
        """Return the outline of what was unpickled in the place of a message."""
        if not isinstance(value, Inert) or value.role not in (
            Role.MESSAGE,
            Role.SYMBOL,
        ):
            return self._no_message(value)
        if value.outlined is not None:
            return self._shared(value)
        self._depth += 1
        if self._depth > MAX_PARTS_DEEP:
            raise UnsafeQFile("its message is nested too deep")
        value.outlined = value  # found again within itself, it is a cycle
        before = self._values.budget
        outline = value.outlined = self._message(value)
        outline.cost = before - self._values.budget
        self._depth -= 1
        return outline

    def _shared(self, value: Inert) -> Outline:
        known = value.outlined
        if isinstance(known, Outline) and not isinstance(known.payload, list):
            self._values.spend(known.cost)
            return known
        raise UnsafeQFile("its message contains a part of it again and again")

    def _no_message(self, value: Any) -> Outline:
        if self._strict:
            raise CorruptQFile("its first half is not a message")
        outline = Outline()
        outline.payload = self._shown(value)
        return outline

    def _shown(self, value: Any) -> str:
        """Return a line for what should be text and is not; showing takes time."""
        self._strange += 1
        if self._strange > MAX_STRANGE:
            return "…"
        return show_value(self._values.plain(value))

    def _wrong(self, what: str) -> CorruptQFile:
        return CorruptQFile(f"its message is malformed: {what}")

    def _message(self, value: Inert) -> Outline:
        state = value.state
        if value.args or type(state) is not dict:
            raise self._wrong("it has no state")
        self._values.spend(PART_COST)
        fields = self._fields(state)
        outline = Outline()
        outline.headers = self._headers(fields.get("_headers", []))
        outline.payload = self._payload(fields.get("_payload"))
        outline.unixfrom = self._text(fields.get("_unixfrom"), "its From line")
        outline.preamble = self._text(fields.get("preamble"), "its preamble")
        outline.epilogue = self._text(fields.get("epilogue"), "its epilogue")
        outline.charset = self._message_charset(fields.get("_charset"))
        kind = self._text(fields.get("_default_type"), "its default type")
        outline.default_type = kind or "text/plain"
        outline.defects = self._defects(fields.get("defects", []))
        self._check_policy(fields.get("policy"))
        for name, item in fields.items():
            if name not in _FIELDS:
                outline.extras[name] = self._extra(name, item)
        return outline

    def _fields(self, state: dict[Any, Any]) -> dict[str, Any]:
        self._values.spend(ITEM_COST * len(state))
        if set(map(type, state)) == {str}:
            return state
        return {self._key(key): item for key, item in state.items()}

    def _key(self, key: Any) -> str:
        if type(key) is bytes:
            key = key.decode("ascii", "backslashreplace")
        if type(key) is str:
            return key
        if self._strict:
            raise self._wrong("it has a field without a name")
        return self._shown(key)

    def _extra(self, name: str, value: Any) -> Any:
        if self._strict and (not name.isidentifier() or name.startswith("__")):
            raise self._wrong("it has a strange field")
        return self._values.plain(value)

    def _text(self, value: Any, what: str) -> str | None:
        if value is None:
            return None
        if type(value) in (str, bytes):
            self._values.spend(len(value))
            if type(value) is str:
                return value
            return str(value, "ascii", "surrogateescape")
        if self._strict:
            raise self._wrong(f"{what} is no text")
        return self._shown(value)

    # --- Headers

    def _headers(self, pairs: Any) -> list[tuple[str, str | HeaderOutline]]:
        if type(pairs) is not list:
            if self._strict:
                raise self._wrong("its headers are no list")
            pairs = [("", pairs)]
        if len(pairs) > MAX_HEADERS:
            raise UnsafeQFile("its message has too many headers")
        self._values.spend(ITEM_COST * len(pairs))
        headers: list[tuple[str, str | HeaderOutline]] = []
        for pair in pairs:
            if type(pair) is tuple and len(pair) == 2:
                name, value = pair
            elif self._strict:
                raise self._wrong("a header is no pair")
            else:
                name, value = "", pair
            name = self._text(name, "a header's name") or ""
            headers.append((name, self._header_value(value)))
        return headers

    def _header_value(self, value: Any) -> str | HeaderOutline:
        if not isinstance(value, Inert) or value.role is not Role.HEADER:
            return self._text(value, "a header's value") or ""
        if value.outlined is None:
            value.outlined = self.header(value)
        else:
            self._values.spend(value.outlined.cost)
        built: HeaderOutline = value.outlined
        return built

    def header(self, value: Inert) -> HeaderOutline:
        """Return the outline of a header's value."""
        state = self._state_of(value, "a header")
        before = self._values.budget
        chunks = state.get("_chunks")
        if type(chunks) is not list:
            raise self._wrong("a header has no chunks")
        outlined: list[tuple[str | bytes, CharsetOutline]] = []
        for chunk in chunks:
            if type(chunk) not in (tuple, list) or len(chunk) != 2:
                raise self._wrong("a header's chunk is no pair")
            if type(chunk[0]) not in (str, bytes):
                raise self._wrong("a header's chunk is no text")
            self._values.spend(_CHUNK_COST + len(chunk[0]))
            outlined.append((chunk[0], self._charset(chunk[1])))
        settings: dict[str, Any] = {}
        for name in ("_maxlinelen", "_headerlen"):
            if type(number := state.get(name)) is int and 0 <= number < 1 << 31:
                settings[name] = number
        space = self._text(state.get("_continuation_ws"), "a header's space")
        settings["_continuation_ws"] = space if space in (" ", "\t") else " "
        charset = self._charset(state.get("_charset"))
        outline = HeaderOutline(outlined, charset, settings)
        outline.cost = before - self._values.budget
        return outline

    def _state_of(self, value: Inert, what: str) -> dict[str, Any]:
        if value.args or type(value.state) is not dict:
            raise self._wrong(f"{what} has no state")
        return self._fields(value.state)

    # --- Character sets

    def _message_charset(self, value: Any) -> CharsetOutline | str | None:
        if isinstance(value, Inert) and value.role is Role.CHARSET:
            return self._charset(value)
        return self._text(value, "its character set")

    def _charset(self, value: Any) -> CharsetOutline:
        if not isinstance(value, Inert) or value.role is not Role.CHARSET:
            name = self._text(value, "a character set") or "us-ascii"
            return CharsetOutline({"input_charset": name}, {})
        if value.outlined is None:
            value.outlined = self._new_charset(self._state_of(value, "a character set"))
        built: CharsetOutline = value.outlined
        return built

    def _new_charset(self, state: dict[str, Any]) -> CharsetOutline:
        names = {
            name: self._text(state.get(name), "a character set")
            for name in (
                "input_charset", "output_charset", "input_codec", "output_codec"
            )
        }  # fmt: skip
        names["input_charset"] = names["input_charset"] or "us-ascii"
        encodings: dict[str, int | None] = {}
        for name in ("header_encoding", "body_encoding"):
            encoding = state.get(name)
            if encoding is not None and (
                type(encoding) is not int or not 1 <= encoding <= 3
            ):
                raise self._wrong("a character set has a strange encoding")
            encodings[name] = encoding
        return CharsetOutline(names, encodings)

    # --- The rest

    def _payload(self, value: Any) -> str | list[Outline] | None:
        if type(value) is list:
            return [self.outline(part) for part in value]
        return self._text(value, "its payload")

    def _defects(self, value: Any) -> list[tuple[str, str]]:
        defects: list[tuple[str, str]] = []
        if type(value) is not list:
            return defects
        self._values.spend(ITEM_COST * len(value))
        for defect in value:
            if isinstance(defect, Inert) and defect.role is Role.DEFECT:
                said = defect.args[0] if defect.args else ""
                text = said if type(said) is str else ""
                defects.append((defect.name.rpartition(".")[2], text))
            elif type(defect) is str:
                defects.append(("MessageDefect", defect))
            elif self._strict:
                raise self._wrong("it has a strange defect")
        return defects

    def _check_policy(self, value: Any) -> None:
        known = isinstance(value, Inert) and value.role is Role.POLICY
        if self._strict and value is not None and not known:
            raise self._wrong("it has a strange policy")
