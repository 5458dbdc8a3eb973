"""A pool of teachers that answers as one: several are asked at once and weighed, and one decision
comes out, with a caveat or an abstention where they give reason to doubt.

Read in the order of a question's way through it:

1. ``answers``: what a teacher is, what it says, what a pool makes of it; ``settings``: the rules
2. the teachers: ``mock`` (simulated), ``local`` (personas of the local model),
   ``openai_compatible`` (a server), which classifies faults by ``error_shapes`` and stays inside
   ``limits``; ``building`` makes them, ``conditions`` says which of them are reachable
3. ``pool``: asks them, with a quorum, a deadline and reserves
4. ``aggregators``: ``contradiction`` → ``agreement``, ``quality`` and ``trust`` → ``decision``
5. ``service``: works through a file of questions, resumable by its ``decision_log``
6. ``teaching``: what the pool is sure of teaches the learner
7. how good is all that: ``trials`` (the quiz), ``votes`` and ``aggregators.trust_trials`` (recorded
   judges), ``calibration``, drawn by ``figures``; ``cli`` is `fledgling teachers …`
"""
