"""Several tasks in one model: reading and first arithmetic, or tasks of your own. Notebook 03.

Read in this order:

1. ``data/``: the exercises. ``examples`` (one exercise, splits that share no item, files of your
   own), ``kindergarten``, ``math`` with ``word_problems``, and ``sets``, which loads what the
   configuration names.
2. ``encoding`` (a text as a graph) and ``graph`` (the transformer that reads it);
   ``language_model`` is the other backbone. ``model`` puts a head a task on either, and asks it.
3. ``study``: one seed's tasks prepared once, from which models and trainers are made as configured.
   It alone reads the test, for the report.
4. ``trainer`` with what it follows: ``schedule`` (which task when), ``optimizers``, ``balancing``
   (losses and gradients against each other), ``remedies`` (against forgetting), ``processes``.
5. ``experiments`` compares, ``metrics`` holds the records and what is worked out from them,
   ``figures`` draws them, ``playground`` lets you try, ``store`` keeps the model.

``settings`` is the ``tasks`` section of the configuration, ``cli`` the command ``fledgling tasks``.
"""
