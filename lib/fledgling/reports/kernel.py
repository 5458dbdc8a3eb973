"""The kernel of a headless run: the usual one, but it ends with the process that started it.

``python -m fledgling.reports.kernel -f CONNECTION_FILE``
"""

import os
import signal
from types import FrameType

from fledgling.core.processes import end_descendants, end_with_parent


def end_everything(number: int, _: FrameType | None) -> None:
    """End whatever the notebook started, then this process."""
    end_descendants(os.getpid(), itself=False)
    os._exit(128 + number)


def main() -> None:
    from ipykernel.kernelapp import launch_new_instance

    signal.signal(signal.SIGTERM, end_everything)
    end_with_parent(int(os.environ["JPY_PARENT_PID"]), signal.SIGTERM)
    launch_new_instance()


if __name__ == "__main__":
    main()
