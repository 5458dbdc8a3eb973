"""Loading, adapting and running language models.

Read in this order: ``loading`` (a model in a known state, by name, hub id or folder) with
``twins`` (a model that shares another's weights) and ``tiny`` (one small enough for a test);
``generation`` (replies); ``adapters`` (LoRA that can be put back exactly) with
``peft_folders``; ``rows`` (training rows, and the model run from the first adapted layer up);
``flops`` (what an update has to cost); ``pair_scorer`` (a sentence encoder that reads
two texts together). ``settings`` is the ``models`` section of the
configuration, ``cli`` the command ``fledgling models``.
"""
