"""From several answers to one decision. Texts: ``contradiction`` → ``agreement``, ``quality``.
Whom to believe: ``trust``, tried on recorded votes by ``trust_trials``. Both meet in ``decision``.
"""
