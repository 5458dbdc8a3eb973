"""What is told once is learned and answered: online fact learning and what it costs. Notebooks
00, 04 and 05. Read in this order:

``flow`` is a whole turn on one screen, from the words to the stored fact; ``learner`` is what it
works on: a frozen base, what it was taught, and the gate between them.

``learning/``: how one fact is learned. ``lessons`` composes what an update learns from
(``rendering``, ``near_misses``, or ``practice`` with ``alternatives``, each with
``token_weights``); ``trainer`` makes the update (``losses``, ``rates``, ``penalties``,
``remedies``); ``alignment`` and ``start`` say where an adapter begins.

``placements/``: where a learned fact is kept, and what answers from there: a prefix a fact (the
default), an adapter a fact, one shared, the prompt, first the one and later the other, and the
look-ups to compare with. ``reader`` answers from the prompt by weights trained once; ``walking``
leads a question through several facts.

``gate/``: whether a question concerns something taught (``gate``), by reading both together
(``ensemble``), trained on pairs (``pairs``) drawn from a hand-written ``bank``.

``consolidation`` merges the adapters of many facts into one (``learning/merging``,
``placements/consolidated``).

``guard`` refuses an update that breaks something. ``memory`` keeps the facts (``stored``: one with
its history), ``store`` the file in which a turn is whole or has not happened, ``store_check`` tells
and mends damage.

``measuring/``: ``streams`` are the facts and their questions, ``scoring`` says whether a reply is
right, ``experiments`` runs one recipe and ``comparing`` several; the rest are metrics, tables and
figures.

``settings`` is the ``facts`` section of the configuration, ``cli`` the command ``fledgling store``.
"""
