"""Outcomes become a promoted model, without a person and without a wrong promotion.

Read in the order of an outcome's way:

1. ``workspace``: the folder, and the SQLite store that says which files and models count;
   ``outcomes``: how a task's outcome is told, one JSON line in the inbox; ``settings``
2. ``medallion``: ``bronze`` (as received) → ``silver`` (typed by ``rules``, the rest in quarantine
   with its reason) → ``gold`` (features, examples, sums), run by ``pipeline`` in DuckDB
   (``engine``) over the files that ``ledger`` names; the same tables in Ray by ``ray_data``
3. ``collector``: what is learned from, and the split; ``readiness``: is it enough; ``chat``: as a
   hosted service's file; ``fine_tuning``: a registered model with its lineage, trained by the
   feedback package; ``registry``: who serves, and who did at any time
4. ``guardrails`` and ``prediction``: may it serve, and is it worth the traffic; ``workshop`` does
   both with the language model in memory, ``replies`` speak as any registered model
5. ``traffic``: who does a task; ``rollout``: deployed, checked, promoted or rolled back, on what
   ``promotion`` says: ``gathering`` → ``evidence`` → ``betting`` (the sequential test) and
   ``ratio`` (was the assignment sound) → ``gate`` → ``decisions`` (written down, and replayed);
   ``documented`` is the baseline, ``trials`` measure both on simulated tests
6. ``work``: each of these steps as one call; ``daemon`` calls them by the ``clock`` and tells
   ``events``; ``cli`` is `fledgling auto …`, which prints ``tables``
7. ``areas``: where to collect next; ``pareto``: which model to choose; ``users``, ``stand_ins`` and
   ``experiments``: a desk's simulated life, measured by ``metrics``, drawn by ``figures`` and
   ``live_view``
"""
