"""From conversation to adapter.

Read ``judging`` (what a next turn says of the reply before it) and ``listening`` (a
conversation as it goes), then ``buffer`` (what is kept), ``exchange`` and ``taking_in``
(files), ``rows`` and ``examples`` (what is trained on). ``trainer`` and ``preferences`` train
(the latter on ``pairs``, by ``preference_trainers``), over ``trl_parts``, ``stepping`` and
``progress``; ``triggers`` and ``background`` do so beside a chat, and ``memory_needed`` tells
what it takes. ``habits`` and ``habit_rules`` are the middle tier. ``figures``, ``panel`` and
``cli`` show it.
"""
