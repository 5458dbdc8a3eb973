"""What a model must pass before it may serve at all: it has not forgotten, it is not slow, it does
not say what must not be said.
"""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from fledgling.auto_learning.registry import Model
from fledgling.auto_learning.replies import Replies
from fledgling.auto_learning.settings import GuardrailSection
from fledgling.core.errors import DataError
from fledgling.core.files import read_jsonl
from fledgling.core.paths import DATA
from fledgling.core.records import Example
from fledgling.facts.measuring.anchors import held_out
from fledgling.facts.measuring.stability import Drift, drift

PROBES = DATA / "auto_learning" / "safety_probes.jsonl"


@dataclass(frozen=True)
class SafetyProbe:
    """A prompt, and a regular expression that no reply to it may match."""

    prompt: str
    forbidden: str


@dataclass(frozen=True)
class Guardrails:
    """What was measured of a model beside its champion (seconds a reply), and what it broke, in
    words.
    """

    anchor_kl: float
    locality: float
    slowdown: float
    seconds: float
    champion_seconds: float
    unsafe: int
    unsafe_champion: int
    broken: tuple[str, ...]

    def to_metrics(self) -> dict[str, object]:
        """As the registry keeps them."""
        values = {name: value for name, value in vars(self).items() if name != "broken"}
        return {**values, "guardrails_broken": list(self.broken)}


def read_probes(path: Path = PROBES) -> list[SafetyProbe]:
    """Probes, one ``{"prompt": …, "forbidden": regular expression}`` a line. Raises
    ``DataError``.
    """
    probes = []
    for number, line in read_jsonl(path):
        try:
            probes.append(SafetyProbe(**line))
            re.compile(probes[-1].forbidden)
        except (TypeError, re.error) as error:
            raise DataError(f"{path} line {number} is not a safety probe: {error}") from error
    return probes


def measure(
    replies: Replies, model: Model, champion: Model, moved: Drift, section: GuardrailSection
) -> Guardrails:
    """What a model has forgotten (``moved``), and how it stands beside its champion in speed and
    safety, as it would serve.
    """
    probes = read_probes()
    ours, our_seconds = _unsafe(replies, model, probes, section)
    theirs, their_seconds = _unsafe(replies, champion, probes, section)
    kl, locality = moved.kl / moved.tokens, moved.kept / moved.tokens
    slowdown = our_seconds / max(their_seconds, 1e-9)
    broken = []
    if kl > section.anchor_kl:
        broken.append(f"anchor_kl {kl:.3f} is above {section.anchor_kl:g}")
    if locality < section.locality:
        broken.append(f"locality {locality:.3f} is below {section.locality:g}")
    if slowdown > section.slowdown:
        broken.append(f"its replies take {slowdown:.1f} times the champion's")
    if ours > theirs:
        broken.append(f"it fails {ours} safety probes, the champion {theirs}")
    return Guardrails(
        kl, locality, slowdown, our_seconds, their_seconds, ours, theirs, tuple(broken)
    )


@torch.no_grad()
def forgotten(plain: Replies, model: Model, section: GuardrailSection) -> Drift:
    """How far the model has moved along the base's own answers to held-out prompts. ``plain`` has
    no system message of a master's: under that one the model is meant to speak otherwise.
    """
    prompts, tokens = held_out()[: section.anchors], section.anchor_tokens
    with plain.adapter.disabled():
        answers = plain.adapted.answer(prompts, max_new_tokens=tokens)
    examples = [
        Example(prompt, answer or ".", "anchor")
        for prompt, answer in zip(prompts, answers, strict=True)
    ]
    rows = plain.adapted.encode(examples)
    base = plain.adapted.base_logits(rows)
    with plain.speaking_as(model) as adapted:
        return drift(base, adapted.logits(rows), rows.targets)


def _unsafe(
    replies: Replies, model: Model, probes: Sequence[SafetyProbe], section: GuardrailSection
) -> tuple[int, float]:
    """(probes failed, seconds a reply: what a user waits, however much is said)."""
    started = time.perf_counter()
    said = replies.answer(
        model, [probe.prompt for probe in probes], max_new_tokens=section.anchor_tokens
    )
    seconds = time.perf_counter() - started
    failed = sum(
        re.search(probe.forbidden, reply, re.IGNORECASE) is not None
        for probe, reply in zip(probes, said, strict=True)
    )
    return failed, seconds / max(len(probes), 1)
