"""The notation of the data files (see `data/README.md`), and rules in a form that compares."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from rsam_core.objects.classify.rules import Condition, Extreme, Relation, Rule

DATA = Path(__file__).parent / "data"
_KINDS = {"grass": "grass or field", "bare": "bare ground"}
_TOKEN = re.compile(r"\s*([&|!()\[\]]|[^&|!()\[\]]+)")


def sentences(language: str) -> list[tuple[str, str]]:
    """Sentences with what they mean."""
    lines = (DATA / f"{language}.txt").read_text(encoding="utf-8").splitlines()
    return [tuple(line.split("\t")) for line in lines if line]  # type: ignore[misc]


def expected(meaning: str) -> tuple[Any, list[str], bool, str | None]:
    """What a line says: rule that compares, unknown words, "here", reason of a refusal."""
    if meaning.startswith("! "):
        return None, [], False, meaning[2:].strip()
    rule, _, strange = meaning.partition("?")
    unknown = [word.strip() for word in strange.split(",") if word.strip()]
    here = bool(re.search(r"\bhere\b", rule))
    rule = re.sub(r"\s*&?\s*\bhere\b", "", rule).strip()
    return (_Reader(rule).either() if rule else None), unknown, here, None


class _Reader:
    def __init__(self, text: str) -> None:
        self.tokens = [t.strip() for t in _TOKEN.findall(text) if t.strip()]
        self.at = 0

    def _take(self, sign: str) -> bool:
        if self.at < len(self.tokens) and self.tokens[self.at] == sign:
            self.at += 1
            return True
        return False

    def either(self) -> Any:
        parts = [self.all()]
        while self._take("|"):
            parts.append(self.all())
        return joined("or", parts)

    def all(self) -> Any:
        parts = [self.one()]
        while self._take("&"):
            parts.append(self.one())
        return joined("and", parts)

    def one(self) -> Any:
        if self._take("!"):
            return opposite(self.one())
        if self._take("("):
            inner = self.either()
            assert self._take(")")
            return inner
        text = self.tokens[self.at]
        self.at += 1
        others = []
        while self._take("["):
            others.append(self.either())
            assert self._take("]")
        return _atom(text, others)


def _atom(text: str, others: list[Any]) -> Any:
    if others:
        how, _, distance = text.partition(" ")
        if how == "within":
            return ("within", float(distance), "m", *others)
        return (text, None, None, *others)
    if match := re.fullmatch(r"(largest|smallest|longest) (\d+)", text):
        column = "length" if match[1] == "longest" else "area"
        return ("extreme", column, int(match[2]), match[1] != "smallest")
    if match := re.fullmatch(r"(\w+) ([\d.]+)\.\.([\d.]+)", text):
        return (_column(match[1], ""), "between", float(match[2]), float(match[3]))
    match = re.fullmatch(r"(\w+)(>=|<=|>|<|=)(.+?)(px)?", text)
    assert match, text
    name, operator, value, unit = match.groups()
    if name in ("kind", "size", "colour", "shape"):
        return (name, _KINDS.get(value, value))
    number = float(value)
    if operator == "=":
        return (_column(name, unit), "between", round(0.8 * number, 2), round(1.2 * number, 2))
    return (_column(name, unit), operator, round(number, 2))


def _column(name: str, unit: str | None) -> str:
    return name if unit == "px" else f"{name}_m2" if name == "area" else f"{name}_m"


def comparable(rule: Rule | None) -> Any:
    """A rule in the same form."""
    if rule is None:
        return None
    parts = [_item(item) for item in rule.items]
    if rule.combine == "none":
        return joined("and", [opposite(part) for part in parts])
    return joined(rule.combine, parts)


def _item(item: Any) -> Any:
    if isinstance(item, Rule):
        return comparable(item)
    if isinstance(item, Relation):
        unit = None if item.distance is None else item.unit
        return (item.how, item.distance, unit, *(comparable(other) for other in item.others))
    if isinstance(item, Extreme):
        return ("extreme", item.column, item.count, item.largest)
    assert isinstance(item, Condition)
    if isinstance(item.value, str):
        assert item.operator in ("=", "≈")
        return (item.column, item.value)
    ends = () if item.high is None else (round(item.high, 2),)
    return (item.column, item.operator, round(item.value, 2), *ends)


def joined(how: str, parts: list[Any]) -> Any:
    """Parts joined, brackets within the same joiner opened, the order forgotten."""
    flat: list[Any] = []
    for part in parts:
        same = isinstance(part, tuple) and part[0] == how
        flat += list(part[1]) if same else [part]
    found = frozenset(flat)
    return next(iter(found)) if len(found) == 1 else (how, found)


def opposite(part: Any) -> Any:
    """The opposite: brackets are opened, so that one form says it."""
    if isinstance(part, tuple) and part[0] == "not":
        return part[1]
    if isinstance(part, tuple) and part[0] == "or":
        return joined("and", [opposite(one) for one in part[1]])
    return ("not", part)
