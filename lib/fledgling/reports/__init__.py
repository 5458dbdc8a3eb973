"""Notebooks run headless, and the pages that show what came of it. Read it in this order:

``notebooks``     a notebook as the input of a run: its question and the parameters it takes
``runner``        ``plan`` checks a run, ``run`` makes several side by side and tells what happens
``running``       one notebook while papermill executes it; ``kernel`` is the process it runs in
``run_folders``   filled under a temporary name, completed, then renamed
``fingerprints``  what a run depends on, in six digits: an unchanged run is not repeated
``results``       results.json read into a record
``pages``         report.html from an executed notebook; ``templates`` holds the HTML
``index``         reports/index.html over all runs
``comparing``     runs side by side: settings, metrics with intervals, verdicts
``sweeps``        one notebook over a grid of parameters; ``sweep_pages`` what it found, on a page
``ray_engine``    the runs of a sweep on a cluster
``figures``       the look that all figures share; ``tables`` verdicts and numbers as text
``live_cells``    widgets where somebody looks, one picture where nobody does
``printing``      report.html as PDF; ``tracking`` runs in MLflow
``terminal``      what the commands show
``cli``           fledgling report | sweep | results | compare
"""
