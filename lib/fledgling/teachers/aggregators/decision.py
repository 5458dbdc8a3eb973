"""Several answers become one decision: the best, the best with a caveat, a combination, or an
abstention.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from fledgling.core.records import Answer, Decision
from fledgling.teachers.aggregators.agreement import Agreement, Embed, measure_agreement, pair_score
from fledgling.teachers.aggregators.quality import quality
from fledgling.teachers.aggregators.trust import AGAINST, NOBODY, Trust, votes_for
from fledgling.teachers.settings import TeachersSection

Combine = Callable[[str, list[str]], str]


@dataclass(frozen=True)
class Weighing:
    """What the decision rests on: the usable answers, how they agree, how good each looks, whom
    trust believes.

    ``qualities`` is (A,); ``probabilities`` (A,) is each answer's chance to be right by learned
    trust, else None.
    """

    answers: tuple[Answer, ...]
    agreement: Agreement
    qualities: np.ndarray
    probabilities: np.ndarray | None


def weigh(
    question: str,
    answers: Sequence[Answer],
    section: TeachersSection,
    embed: Embed,
    *,
    trust: Trust | None = None,
) -> Weighing | None:
    """Measure the answers that did not fail; ``None`` when there are none."""
    usable = tuple(answer for answer in answers if answer.error is None and answer.text.strip())
    if not usable:
        return None
    vectors = embed([question, *(answer.text for answer in usable)])  # (1 + A, D)
    expected = min(section.pool.quorum, section.pool.max_teachers)
    agreement = measure_agreement(
        [answer.text for answer in usable], vectors[1:], section.agreement, expected=expected
    )
    qualities = np.array(
        [
            quality(answer, float(cosine), section.quality)
            for answer, cosine in zip(usable, vectors[1:] @ vectors[0], strict=True)
        ]
    )
    return Weighing(usable, agreement, qualities, _probabilities(usable, agreement, trust))


def agree_already(answers: Sequence[Answer], section: TeachersSection, embed: Embed) -> bool:
    """Whether these answers agree so far that the pool need not wait for the rest."""
    texts = [answer.text for answer in answers]
    return (
        measure_agreement(texts, embed(texts), section.agreement).score > section.decision.agreement
    )


def _probabilities(
    usable: Sequence[Answer], agreement: Agreement, trust: Trust | None
) -> np.ndarray | None:
    if trust is None:
        return None
    place = {
        answer.model_name: group for answer, group in zip(usable, agreement.groups, strict=True)
    }
    place[NOBODY] = AGAINST
    groups = [place.get(teacher, -1) for teacher in trust.teachers]
    return np.array([trust.probability(votes_for(groups, group))[0] for group in agreement.groups])


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
    if weighing.probabilities is None:
        return choose_majority(weighing)
    believed = np.isclose(weighing.probabilities, weighing.probabilities.max())
    return int(np.where(believed, weighing.qualities, -1.0).argmax())


def _best_of_camp(weighing: Weighing, weights: np.ndarray) -> int:
    groups = np.array(weighing.agreement.groups)
    weight = np.array([weights[groups == group].sum() for group in groups])
    return int(np.where(np.isclose(weight, weight.max()), weighing.qualities, -1.0).argmax())


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

    ``combine`` merges answers that disagree where ``section.decision.combine`` allows it.
    """
    weighing = weigh(question, answers, section, embed, trust=trust)
    if weighing is None:
        return Decision(
            "", "abstain", 0.0, 0.0, 0.0, True, _why_nobody(answers), answers=tuple(answers)
        )
    chosen = CHOICES[section.decision.choice](weighing)
    decision = replace(_judge(weighing, chosen, section), answers=tuple(answers))
    wants = (
        decision.kind == "caveat"
        and section.decision.combine == "on_caveat"
        and len(weighing.answers) > 1
    )
    if not wants or combine is None:
        return decision
    return _combined(question, decision, weighing, section, embed=embed, combine=combine)


def _judge(weighing: Weighing, chosen: int, section: TeachersSection) -> Decision:
    rule, answer = section.decision, weighing.answers[chosen]
    score, looks = weighing.agreement.score, float(weighing.qualities[chosen])
    trusted = None if weighing.probabilities is None else float(weighing.probabilities[chosen])
    confidence = _confidence(weighing, chosen) if trusted is None else trusted
    doubts = []
    if score < rule.consensus:
        doubts.append(f"agreement {score:.2f} is below the minimum consensus {rule.consensus:.2f}")
    if looks < rule.quality:
        doubts.append(f"quality {looks:.2f} is below {rule.quality:.2f}")
    if trusted is not None and score > rule.agreement and trusted < section.trust.unanimity_floor:
        doubts.append(
            f"they agree, but teachers like these are right only {trusted:.0%} of the time when"
            " they do"
        )
    agreeing = score > rule.agreement
    kind = "best" if agreeing else "caveat"
    reason = (
        f"{'the teachers agree' if agreeing else 'the teachers disagree'} (agreement {score:.2f})"
        + "".join(f"; {doubt}" for doubt in doubts)
    )
    if trusted is not None and trusted < section.trust.abstain_below:
        reason = (
            f"trust in the best answer is {trusted:.2f}, below {section.trust.abstain_below:.2f};"
            f" {reason}"
        )
        return Decision("", "abstain", confidence, score, looks, True, reason, answer.model_name)
    return Decision(
        answer.text, kind, confidence, score, looks, bool(doubts), reason, answer.model_name
    )


def _confidence(weighing: Weighing, chosen: int) -> float:
    """Without learned trust: the support of the chosen answer times its supporters' own mean
    confidence.
    """
    support = weighing.agreement.pairs[chosen]
    confidence = np.array([min(max(answer.confidence, 0.0), 1.0) for answer in weighing.answers])
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
    """The local model's merger, kept only if it still agrees with the answer that was chosen."""
    text = combine(question, [answer.text for answer in weighing.answers]).strip()
    if not text:
        return decision
    merged, best = embed([text, decision.text])
    if (
        pair_score(text, decision.text, float(merged @ best), section.agreement)
        < section.agreement.same
    ):
        return replace(
            decision,
            reason=f"{decision.reason}; a combination was tried and strayed from the answers",
        )
    return replace(
        decision,
        text=text,
        kind="combined",
        reason=f"combined from {len(weighing.answers)} answers; {decision.reason}",
    )


def _why_nobody(answers: Sequence[Answer]) -> str:
    if not answers:
        return "no teacher was asked"
    faults = "; ".join(
        f"{answer.model_name}: {answer.error or 'empty answer'}" for answer in answers
    )
    return f"no teacher answered ({faults})"
