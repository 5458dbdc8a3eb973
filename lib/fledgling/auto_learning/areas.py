"""Which area to collect from next: where one more example saves the most.

Errors fall about as 1/√n with the number n of examples, so that one more example in an area lowers
its loss by loss / 2n; over a share of the traffic that is worth share · loss / 2n. The loss is
taken at its upper confidence bound, so that an area of which little is known is looked into.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas
from scipy.stats import beta

from fledgling.auto_learning.medallion.ledger import TASKS
from fledgling.auto_learning.medallion.pipeline import ledger_of, query
from fledgling.auto_learning.settings import AreasSection, AutoLearningSection
from fledgling.auto_learning.workspace import Workspace


@dataclass(frozen=True)
class Area:
    """An area of a master: its share of the traffic, its mean loss (1 − score) with the upper
    bound, its examples, and what one more of them is worth.
    """

    name: str
    share: float
    loss: float
    highest_loss: float
    examples: int
    priority: float


def rank_areas(
    tasks: Mapping[str, int],
    score_sums: Mapping[str, float],
    examples: Mapping[str, int],
    section: AreasSection,
) -> list[Area]:
    """Areas from the most worthwhile down, from counts by area."""
    total = sum(tasks.values())
    areas = []
    for name, count in tasks.items():
        lost = count - score_sums[name]
        highest = float(beta.ppf(section.confidence, 1.0 + lost, 1.0 + count - lost))
        known = examples.get(name, 0)
        worth = count / total * highest / (2.0 * (section.head_start + known))
        areas.append(Area(name, count / total, lost / count, highest, known, worth))
    return sorted(areas, key=lambda area: (-area.priority, area.name))


def next_areas(workspace: Workspace, section: AutoLearningSection, master: str) -> list[Area]:
    """The areas of a master, from gold."""
    if not ledger_of(workspace).parts(TASKS):
        return []
    found = query(
        workspace,
        section,
        "SELECT area, count(*) AS tasks, sum(score) AS score,"
        " count_if(verdict = 'accepted' AND side = 'training') AS examples"
        " FROM tasks WHERE master = ? GROUP BY area ORDER BY area",
        (master,),
    ).set_index("area")
    return rank_areas(
        found["tasks"].to_dict(),
        found["score"].to_dict(),
        found["examples"].to_dict(),
        section.areas,
    )


def edge_cases(
    workspace: Workspace, section: AutoLearningSection, master: str, *, count: int
) -> pandas.DataFrame:
    """Tasks that a person should rate: completed, unrated or rated near the collector's limit, in
    the areas that matter most. Columns task_id, area, quality.
    """
    if not ledger_of(workspace).parts(TASKS):
        return pandas.DataFrame({"task_id": [], "area": [], "quality": []})
    limit, width = section.collector.quality, section.areas.edge_width
    found = query(
        workspace,
        section,
        "SELECT task_id, area, quality FROM tasks WHERE master = ? AND success"
        " AND (quality IS NULL OR abs(quality - ?) <= ?) ORDER BY finished DESC, task_id",
        (master, limit, width),
    )
    order = {area.name: place for place, area in enumerate(next_areas(workspace, section, master))}
    ranked = found.assign(place=found["area"].map(order)).sort_values("place", kind="stable")
    return ranked.drop(columns="place").head(count).reset_index(drop=True)


def rehearse(
    policy: str,
    *,
    shares: Sequence[float],
    losses: Sequence[float],
    budget: int,
    section: AreasSection,
    generator: np.random.Generator,
) -> float:
    """The loss over all traffic after ``budget`` examples were collected by a policy (ranked,
    uniform or worst), where an area's true loss falls as 1/√(1 + n / head start).
    """
    traffic, start = np.asarray(shares), np.asarray(losses)
    known = np.zeros(len(traffic), dtype=int)
    seen, lost = np.ones(len(traffic)), start.copy()
    for _ in range(budget):
        loss = start / np.sqrt(1.0 + known / section.head_start)
        area = generator.choice(len(traffic), p=traffic)  # a task comes and is judged
        seen[area] += 1
        lost[area] += float(generator.random() < loss[area])
        if policy == "uniform":
            chosen = int(known.argmin())
        elif policy == "worst":
            chosen = int((lost / seen).argmax())
        else:
            names = [str(place) for place in range(len(traffic))]
            ranked = rank_areas(
                dict(zip(names, seen.astype(int).tolist(), strict=True)),
                dict(zip(names, (seen - lost).tolist(), strict=True)),
                dict(zip(names, known.tolist(), strict=True)),
                section,
            )
            chosen = int(ranked[0].name)
        known[chosen] += 1
    return float((traffic * start / np.sqrt(1.0 + known / section.head_start)).sum())
