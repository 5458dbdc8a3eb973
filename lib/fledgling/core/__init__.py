"""What every package stands on. Read it in this order:

``records``     what travels between the parts, frozen: Turn → Fact → Example → StepRecord → Verdict
``settings``    what every section of the configuration shares; each package defines its own section
``layers``      YAML files merged into one configuration and checked once
``run_store``   the run directory: the only hand-off from an experiment to a report
``runtime``     seed, device, dtype, threads
``files``       files appear whole or not at all, and are read without executing anything
``database``    one SQLite file for what a conversation leaves behind
``statistics``  intervals of means, shares and differences
``processes``   processes that end together, and the cores they share
``paths``       where things are; ``errors`` what can go wrong
"""
