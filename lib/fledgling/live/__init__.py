"""Talk to a model, teach it, watch it learn, take it back: notebook 10 and ``fledgling chat``.

One session class does everything and shows nothing; the panel and the terminal only show it. In the
order in which to read:

``session``       every action: say, ask, teach, why, compare, undo, forget, refuse, save, load, …
``classroom``     the learner, lessons on a thread in the background, replies between two updates
``turnstile``     who is on the model: one at a time, a reply goes before the next update
``worker``        the thread, and the lessons that wait
``conversation``  what was said, when facts were told, refusals, lessons noted and not yet learned
``refusals``      "not about that", which the gate keeps to
``explaining``    where an answer came from, and what teaching changed
``forgetting``    which fact is meant, and how every trace of it leaves the files
``exporting``     what was taught, as rows to train on
``stores``        the files of a session's folder
``measures``      what the plots show, and ``figures`` draws it
``texts``         what people write, made safe to keep and to show
``panel``         the widgets of notebook 10, ``playground`` those at the ends of 04 and 05
``chat``, ``cli`` the terminal
"""
