"""Several answers become one decision: the best, the best with a caveat, a combination, or an
abstention.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from fledgling.teachers.aggregators.agreement import Agreement, Embed, measure_agreement, pair_score
from fledgling.teachers.aggregators.quality import quality
from fledgling.teachers.aggregators.trust import AGAINST, NOBODY, Trust, votes_for
from fledgling.teachers.answers import Answer, Decision
from fledgling.teachers.settings import TeachersSection

Combine = Callable[[str, Sequence[str]], Answer]


@dataclass(frozen=True)
class Weighing:
    """What the decision rests on: the usable answers, how they agree, how good each looks, whom
    trust believes.

    ``qualities`` is (A,); by learned trust, else None: ``preferences`` (A,) orders the answers,
    ``chances`` (A,) is how often one that is chosen like this is right.
    """

    answers: tuple[Answer, ...]
    agreement: Agreement
    qualities: np.ndarray
    preferences: np.ndarray | None = None
    chances: np.ndarray | None = None


def weigh(
    question: str,
    answers: Sequence[Answer],
    section: TeachersSection,
    embed: Embed,
    *,
    trust: Trust | None = None,
) -> Weighing | None:
    """Measure the answers that did not fail; ``None`` when there are none."""
    usable = tuple(answer for answer in answers if answer.usable)
    if not usable:
        return None
    texts = [answer.text for answer in usable]
    vectors = embed([question, *texts])  # (1 + A, D)
    expected = min(section.pool.quorum, section.pool.max_teachers)
    agreement = measure_agreement(texts, vectors[1:], section.agreement, expected=expected)
    cosines = vectors[1:] @ vectors[0]
    qualities = [
        quality(answer, float(cosine), section.quality)
        for answer, cosine in zip(usable, cosines, strict=True)
    ]
    weighing = Weighing(usable, agreement, np.array(qualities))
    if trust is None:
        return weighing
    believed = _believed(weighing, trust)
    return replace(weighing, preferences=believed, chances=trust.level(believed))


def agree_already(answers: Sequence[Answer], section: TeachersSection, embed: Embed) -> bool:
    """Whether these answers agree so far that the pool need not wait for the rest."""
    texts = [answer.text for answer in answers]
    found = measure_agreement(texts, embed(texts), section.agreement)
    return found.score > section.decision.agreement


def _believed(weighing: Weighing, trust: Trust) -> np.ndarray:
    """The chance (A,) of each answer's camp to be right, as the votes alone tell it."""
    groups = weighing.agreement.groups
    names = [answer.model_name for answer in weighing.answers]
    camps = dict(zip(names, groups, strict=True)) | {NOBODY: AGAINST}
    places = [camps.get(teacher, -1) for teacher in trust.teachers]
    return trust.probability(np.array([votes_for(places, group) for group in groups]))


def choose_best(weighing: Weighing) -> int:
    """The answer of highest quality, of which a dissenting one counts only for its share of
    agreement.
    """
    return int((weighing.qualities * weighing.agreement.pairs.mean(axis=1)).argmax())


def choose_majority(weighing: Weighing) -> int:
    """The best-looking answer of the biggest camp."""
    return _best_of_camp(weighing, np.ones(len(weighing.answers)))


def choose_weighted(weighing: Weighing) -> int:
    """The best-looking answer of the camp with the most confidence behind it."""
    return _best_of_camp(weighing, np.array([answer.confidence for answer in weighing.answers]))


def choose_trusted(weighing: Weighing) -> int:
    """The best-looking answer of the camp that learned trust believes; the majority's where nothing
    was learned.
    """
    if weighing.preferences is None:
        return choose_majority(weighing)
    return _best_looking(weighing, weighing.preferences)


def _best_of_camp(weighing: Weighing, weights: np.ndarray) -> int:
    groups = np.array(weighing.agreement.groups)
    return _best_looking(weighing, np.bincount(groups, weights)[groups])


def _best_looking(weighing: Weighing, preference: np.ndarray) -> int:
    """The answer of highest quality among those most preferred, ``preference`` (A,)."""
    preferred = np.isclose(preference, preference.max())
    return int(np.where(preferred, weighing.qualities, -1.0).argmax())


CHOICES = {
    "quality": choose_best,
    "majority": choose_majority,
    "weighted": choose_weighted,
    "trust": choose_trusted,
}


def decide(
    question: str,
    answers: Sequence[Answer],
    section: TeachersSection,
    embed: Embed,
    *,
    trust: Trust | None = None,
    combine: Combine | None = None,
) -> Decision:
    """Apply the rule of ``section.decision`` to what the teachers said; never raises for what they
    said.

    ``combine`` merges the answers where ``section.decision.combine`` allows it.
    """
    weighing = weigh(question, answers, section, embed, trust=trust)
    if weighing is None:
        reason = _why_nobody(answers)
        return Decision("", "abstain", 0.0, 0.0, 0.0, True, reason, answers=tuple(answers))
    chosen = CHOICES[section.decision.choice](weighing)
    decision = replace(_judge(weighing, chosen, section), answers=tuple(answers))
    kinds = {"never": (), "on_caveat": ("caveat",), "always": ("best", "caveat")}
    wanted = decision.kind in kinds[section.decision.combine]
    if combine is None or not wanted or len(weighing.answers) < 2:
        return decision
    return _combined(question, decision, weighing, section, embed=embed, combine=combine)


def _judge(weighing: Weighing, chosen: int, section: TeachersSection) -> Decision:
    rule, answer = section.decision, weighing.answers[chosen]
    score, looks = weighing.agreement.score, float(weighing.qualities[chosen])
    trusted = None if weighing.chances is None else float(weighing.chances[chosen])
    agreeing = score > rule.agreement
    doubts = []
    if score < rule.consensus:
        doubts.append(f"agreement {score:.2f} is below the minimum consensus {rule.consensus:.2f}")
    if looks < rule.quality:
        doubts.append(f"quality {looks:.2f} is below {rule.quality:.2f}")
    if trusted is not None and agreeing and trusted < section.trust.unanimity_floor:
        doubts.append(f"they agree, but such agreement is right only {trusted:.0%} of the time")
    said = "the teachers agree" if agreeing else "the teachers disagree"
    reason = "; ".join([f"{said} (agreement {score:.2f})", *doubts])
    kind, text = "best" if agreeing else "caveat", answer.text
    if trusted is not None and trusted < section.trust.abstain_below:
        limit = section.trust.abstain_below
        reason = f"trust in the best answer is {trusted:.2f}, below {limit:.2f}; {reason}"
        kind, text = "abstain", ""
    confidence = _confidence(weighing, chosen) if trusted is None else trusted
    flagged = bool(doubts) or kind == "abstain"
    return Decision(text, kind, confidence, score, looks, flagged, reason, answer.model_name)


def _confidence(weighing: Weighing, chosen: int) -> float:
    """Without learned trust: the support of the chosen answer times its supporters' own mean
    confidence.
    """
    support = weighing.agreement.pairs[chosen]
    confidence = np.clip([answer.confidence for answer in weighing.answers], 0.0, 1.0)
    return float(support.mean() * (support @ confidence) / support.sum())


def _combined(
    question: str,
    decision: Decision,
    weighing: Weighing,
    section: TeachersSection,
    *,
    embed: Embed,
    combine: Combine,
) -> Decision:
    """One teacher's merger, kept only if it still agrees with the answer that was chosen."""
    merged = combine(question, [answer.text for answer in weighing.answers])
    decision = replace(decision, answers=(*decision.answers, merged))  # it has its cost, too
    if not merged.usable:
        return decision
    vectors = embed([merged.text, decision.text])
    cosine = float(vectors[0] @ vectors[1])
    near = pair_score(merged.text, decision.text, cosine, section.agreement)
    if near < section.agreement.same:
        strayed = f"{decision.reason}; a combination was tried and strayed from the answers"
        return replace(decision, reason=strayed)
    reason = f"combined from {len(weighing.answers)} answers; {decision.reason}"
    return replace(decision, text=merged.text, kind="combined", reason=reason)


def _why_nobody(answers: Sequence[Answer]) -> str:
    if not answers:
        return "no teacher was asked"
    faults = [f"{answer.model_name}: {answer.error or 'empty answer'}" for answer in answers]
    return f"no teacher answered ({'; '.join(faults)})"
