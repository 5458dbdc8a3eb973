"""What a user's next turn says about the reply before it.

Read ``signals`` (what is seen in a turn), ``corrections`` (the right answer inside one),
``classifier`` (features to calibrated probabilities), ``judge`` (all of it together, and how it is
fitted), ``dialogues`` (the project's labelled turns) and ``metrics``.
"""
