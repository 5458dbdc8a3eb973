"""The runs of a sweep on a Ray cluster, one task each. The reports folder must be one that every
machine sees.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from fledgling.core.errors import MissingExtra
from fledgling.reports.results import succeeded
from fledgling.reports.runner import Event, run
from fledgling.reports.running import Request

_LOG = logging.getLogger(__name__)


def run_on_ray(
    requests: Sequence[Request], *, reports: Path, force: bool, threads: int, time_limit: float
) -> Iterator[Event]:
    """As ``runner.run``, but each notebook runs wherever Ray has ``threads`` CPUs free: on the
    cluster of ``RAY_ADDRESS``, else on one started here for the time being. Raises ``MissingExtra``
    where Ray is not installed.
    """
    try:
        import ray
    except ImportError as error:
        raise MissingExtra("ray", "pip install 'fledgling[sweeps]'", "--engine ray") from error
    ray.init(include_dashboard=False, logging_level=logging.ERROR, log_to_driver=False)
    try:
        task = ray.remote(num_cpus=threads, max_retries=0)(run_one)
        asked = {}
        for request in requests:
            if not force and succeeded(reports / request.name / request.run_id):
                yield Event("skipped", request)
                continue
            yield Event("started", request)
            asked[task.remote(request, reports.resolve(), threads, time_limit)] = request
        while asked:
            done, _ = ray.wait(list(asked))
            request = asked.pop(done[0])
            try:
                yield ray.get(done[0])
            except ray.exceptions.RayError as error:  # its machine went away: the others go on
                _LOG.warning("%s %s was lost: %s", request.name, request.run_id, error)
                yield Event("ended", request)
    finally:
        ray.shutdown()


def run_one(request: Request, reports: Path, threads: int, time_limit: float) -> Event:
    """One notebook, to its end, on whichever machine this is."""
    os.environ["FLEDGLING_THREADS"] = str(threads)
    *_, last = run([request], reports=reports, force=True, time_limit=time_limit)
    return last
