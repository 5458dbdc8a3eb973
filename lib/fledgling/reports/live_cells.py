"""The live cell at the end of a notebook: something to play with for whoever opened it in
JupyterLab, one still picture for a run without anybody looking.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TypeVar

Widget = TypeVar("Widget")
Picture = TypeVar("Picture")

HEADLESS = "FLEDGLING_HEADLESS"  # 1: nobody looks (our own runs say so); 0: somebody does
_SERVED = "JPY_SESSION_NAME"  # Jupyter's server names the notebook of each kernel that it starts


def is_headless() -> bool:
    """True where nobody can move a slider: papermill, nbval and nbconvert start kernels without a
    Jupyter server. ``FLEDGLING_HEADLESS`` decides where it is set.
    """
    said = os.environ.get(HEADLESS, "")
    return said != "0" if said else _SERVED not in os.environ


def live_cell(build: Callable[[], Widget], still: Callable[[], Picture]) -> Widget | Picture:
    """What the cell shows: ``build()``, the widgets, or headless ``still()``, a picture of them at
    rest. Only the one that is shown is made, so that a headless run pays for nothing else.
    """
    return still() if is_headless() else build()
