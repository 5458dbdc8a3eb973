"""Importing the library prints nothing, whatever the processor."""

import pkgutil
import subprocess
import sys

import fledgling

MODULES = [
    module.name
    for module in pkgutil.walk_packages(fledgling.__path__, "fledgling.")
    if module.name != "fledgling.__main__"  # which is the command line itself
]
IMPORT_ALL = "import importlib, sys\nfor name in sys.argv[1:]: importlib.import_module(name)"
# What bitsandbytes asks on import: a processor with AVX512-BF16, and the kernels it does without.
AVX512_BF16 = """
import importlib.util, sys

class Processor:
    @staticmethod
    def find_spec(name, path, target=None):
        if name != "bitsandbytes.functional":
            return None
        sys.meta_path.remove(Processor)
        spec = importlib.util.find_spec(name)
        execute = spec.loader.exec_module
        def with_bfloat16(module):
            execute(module)
            module.has_avx512bf16 = lambda: True
        spec.loader.exec_module = with_bfloat16
        return spec

sys.modules["kernels"] = None
sys.meta_path.insert(0, Processor)
"""


def python(code: str, *arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True)


def test_no_module_prints_when_it_is_imported():
    outcome = python(IMPORT_ALL, *MODULES)
    assert (outcome.returncode, outcome.stdout, outcome.stderr) == (0, "", "")


def test_kernels_that_nobody_asked_for_are_not_mentioned():
    aloud = python(f"{AVX512_BF16}\nimport bitsandbytes")
    assert "gemm_4bit_forward" in aloud.stderr  # the branch runs, on any machine
    quiet = python(f"{AVX512_BF16}\nimport fledgling.models.adapters")
    assert (quiet.returncode, quiet.stdout, quiet.stderr) == (0, "", "")


def test_a_command_starts_without_torchs_compiler():
    done = python(
        "import sys, fledgling.facts.learner; print('torch._inductor.compile_fx' in sys.modules)"
    )
    assert done.stdout.strip() == "False"
