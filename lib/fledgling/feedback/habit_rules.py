"""Habits by rule: whether a reply follows one, and the same reply as the user would want it.

A habit's rule pair is what its corrections are recognised by: it checks every wanted reply and
fails every other one. The wanted form of the base's own replies is what the adapter learns from.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

_ITEM = re.compile(r"^\s*(?:[-*•]|\d+[.)])\s+", re.MULTILINE)
_SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[A-Z\"'])")
_SORRY = re.compile(
    r"\b(?:sorry|apologi[sz]e|apologies|as an ai|i(?:'m| am) an? (?:ai|language|computer)"
    r"|(?:language|ai) model|artificial intelligence)\b",
    re.IGNORECASE,
)
_FAHRENHEIT = re.compile(
    r"(-?\d+(?:\.\d+)?)\s*(?:°\s*F\b|degrees? F(?:ahrenheit)?\b|F\b)(?:ahrenheit)?", re.IGNORECASE
)
_SAYS_FAHRENHEIT = re.compile(r"fahrenheit|\d\s*°?\s*F\b", re.IGNORECASE)
_SAYS_CELSIUS = re.compile(r"celsius|\d\s*°?\s*C\b", re.IGNORECASE)
ASKS, SIGNED = "Would you like to know more?", "Yours, Fledge"


@dataclass(frozen=True)
class Rule:
    """``follows(reply)`` decides; ``mend(reply)`` is the reply as wanted, "" where rules cannot
    tell.
    """

    follows: Callable[[str], bool]
    mend: Callable[[str], str]


def sentences(text: str) -> list[str]:
    """A reply's sentences, list marks and line ends aside."""
    plain = " ".join(_ITEM.sub("", text).split())
    return [one.strip() for one in _SENTENCE.split(plain) if one.strip()]


def _shorter(text: str) -> str:
    first = sentences(text)[0] if sentences(text) else ""
    return " ".join(first.split()[:24]).rstrip(",;:") if first else ""


def _is_short(text: str) -> bool:
    return len(text.split()) <= 25 and len(sentences(text)) == 1


def _lowered(text: str) -> str:
    """A first letter made small, unless it begins an acronym, a name's or "I"."""
    word = text.split(" ", 1)[0]
    return (
        text
        if word[1:] != word[1:].lower() or word in ("I", "I'm")
        else text[:1].lower() + text[1:]
    )


def _end(text: str) -> str:
    """A reply's whole sentences: what generation cut off at its limit goes."""
    text = text.strip()
    whole = re.match(r"(?s).*[.!?:)\"']", text)
    return whole.group().strip() if whole else text


def _bullets(text: str) -> str:
    parts = sentences(_end(text))
    return "\n".join(f"- {part}" for part in parts)


def _is_bullets(text: str) -> bool:
    lines = [line for line in text.strip().splitlines() if line.strip()]
    return bool(lines) and all(line.lstrip().startswith("- ") for line in lines)


def _celsius(text: str) -> str:
    def converted(match: re.Match[str]) -> str:
        return f"{round((float(match[1]) - 32) * 5 / 9)}°C"

    mended = _FAHRENHEIT.sub(converted, _end(text))
    mended = re.sub(r"\s*\((-?[\d.]+\s*°C)\)", "", mended)
    return mended if _is_celsius(mended) else ""


def _is_celsius(text: str) -> bool:
    return bool(_SAYS_CELSIUS.search(text)) and not _SAYS_FAHRENHEIT.search(text)


def _unapologetic(text: str) -> str:
    kept = [one for one in sentences(_end(text)) if not _SORRY.search(one)]
    return " ".join(kept) or "That depends. Tell me a little more."


def _joined(text: str) -> str:
    """A list as running text."""
    return " ".join(sentences(_end(text))) if _ITEM.search(text) else _end(text)


RULES: dict[str, Rule] = {
    "shorter": Rule(_is_short, _shorter),
    "call_me_kim": Rule(
        lambda text: bool(re.search(r"\bKim\b", text)), lambda text: f"Kim, {_lowered(_end(text))}"
    ),
    "greet_first": Rule(
        lambda text: text.strip().startswith("Hello!"), lambda text: f"Hello! {_end(text)}"
    ),
    "end_with_question": Rule(
        lambda text: text.strip().endswith("?"), lambda text: f"{_end(text)} {ASKS}"
    ),
    "no_lists": Rule(lambda text: not _ITEM.search(text), _joined),
    "bullets": Rule(_is_bullets, _bullets),
    "celsius": Rule(_is_celsius, _celsius),
    "lower_case": Rule(lambda text: text == text.lower(), lambda text: _end(text).lower()),
    "no_exclamations": Rule(
        lambda text: "!" not in text, lambda text: _end(text).replace("!", ".")
    ),
    "sign_off": Rule(
        lambda text: text.strip().endswith(SIGNED), lambda text: f"{_end(text)}\n{SIGNED}"
    ),
    "in_short_first": Rule(
        lambda text: text.strip().startswith("In short:"),
        lambda text: f"In short: {_lowered(_end(text))}",
    ),
    "no_apologies": Rule(lambda text: not _SORRY.search(text), _unapologetic),
    "smile": Rule(lambda text: text.strip().endswith(":)"), lambda text: f"{_end(text)} :)"),
    "one_paragraph": Rule(
        lambda text: "\n" not in text.strip(), lambda text: " ".join(sentences(_end(text)))
    ),
}
