"""A pool of teachers that answers as one: several are asked at once and weighed, and one decision
comes out, with a caveat or an abstention where they give reason to doubt.

Read in the order of a question's way through it:

1. ``answers``: what a teacher is, what it says, what a pool makes of it; ``settings``: the rules
2. the teachers: ``mock`` (simulated), ``local`` (personas of the local model),
   ``openai_compatible`` (a server), which reads ``replies``, classifies faults by
   ``error_shapes``, stays inside ``limits`` and lets no key out by ``redaction``; ``building``
   makes them, ``conditions`` says which of them are reachable
3. ``pool``: asks them, with a quorum, a deadline and reserves
4. ``aggregators``: ``contradiction`` → ``agreement``, ``quality`` and ``trust`` → ``decision``
5. ``desk``: pool and rule together, with the ``gold`` that trust is learned from and the teacher
   that is ``combining``; ``service`` works through a file of ``questions``, resumable by its
   ``decision_log`` and shown by ``progress``; ``serving`` answers any OpenAI client
6. ``teaching``: what the pool is sure of teaches the learner
7. how good is all that: ``trials`` (the quiz), ``votes`` and ``aggregators.trust_trials`` (recorded
   judges), ``calibration``, drawn by ``figures``, tried by hand in ``playground``; ``cli`` is
   `fledgling teachers …`
"""
