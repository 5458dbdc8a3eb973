"""What a user's next turn says about the reply before it.

Read ``signals`` (what is seen in a turn), ``corrections`` (the right answer inside one: ``turns``
cuts it into clauses, by the ``grammar``; ``spans`` are its phrases, which ``descriptions`` weigh
beside question and reply, comparing ``words``, and ``span_reader`` reads), ``classifier`` (features
to calibrated probabilities), ``judge`` (all of it together), ``fitting`` (where its coefficients
come from), ``dialogues`` (the project's labelled turns) and ``metrics``.
"""
