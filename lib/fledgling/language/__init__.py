"""What was said: a user's turn becomes facts, questions about them and corrections, by rule.

Read in this order. ``facts`` is the way from a turn to its facts and calls the rest:
``sentences`` (a turn in pieces, tidied), ``filters`` and ``cues`` (what is no fact),
``corrections`` and ``retractions`` (what takes the place of an earlier fact), ``patterns``
(relations, from data/language/patterns.yaml) and ``entities`` (names). ``grammar`` takes a
statement apart and stands on ``verbs`` and ``lexicon``. From a fact to what can be asked about it:
``perspective`` (who says "I"), ``questions``, ``rephrasing`` and ``templates``.
"""
