"""What was said: a user's turn becomes facts, questions about them and corrections.

Read in this order. ``facts`` is the way from a turn to its facts and calls the rest:
``sentences`` (a turn in pieces, tidied), ``clauses`` (in statements that stand alone, by
``statements``, ``asides``, ``ellipsis`` for what is left out and ``referents`` for whom "she"
means) and ``candidates`` (what may be a fact), ``corrections`` with ``asking`` (is it an answer of
the asked kind) and ``retractions`` (what takes the place of an earlier fact), ``filters`` and
``cues`` (what is no fact), ``readings`` (what a statement says), by ``patterns`` (relations, from
data/language/patterns.yaml) or by ``grammar``, which takes a statement apart and stands on
``verbs`` and ``lexicon``; ``entities`` (names), ``texts`` (what is refused).

Rules decide what is a fact, or, where the configuration says so, the ``detector``: a classifier
over ``features``, which are what the rules see. From a fact to what can be asked about it:
``perspective`` (who says "I"), ``questions``, ``rephrasing`` and ``templates``.
"""
