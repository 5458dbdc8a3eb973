"""Fledgling: a notebook-first workbench for teaching small language models while they are used."""

import logging

__version__ = "0.1.0"

# peft imports bitsandbytes, which reports an optional kernel as missing on processors with
# AVX512-BF16; it must be silenced before that import
logging.getLogger("bitsandbytes.backends.cpu.ops").setLevel(logging.ERROR)
