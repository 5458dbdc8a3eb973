"""Fledgling: a notebook-first workbench for teaching small language models while they are used."""

import logging
import os

__version__ = "0.1.0"

# Importing bitsandbytes (peft does it) warns of kernels that it looked for and does without, on
# processors with AVX512-BF16 only. Nobody asked for them. It must be silenced before that import,
# wherever it comes from, and every module of the package passes through here first.
logging.getLogger("bitsandbytes").setLevel(logging.ERROR)

# It also hands functions to torch.compile while it is imported, which loads torch's compiler:
# two seconds of every start, and nothing here is compiled. TORCHDYNAMO_DISABLE=0 brings it back.
os.environ.setdefault("TORCHDYNAMO_DISABLE", "1")
