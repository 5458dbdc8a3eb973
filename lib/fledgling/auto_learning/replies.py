"""Replies of registered models: one base in memory, and the adapter that is asked for on it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from fledgling.auto_learning.registry import Model, Registry
from fledgling.feedback.settings import TrainingSection
from fledgling.models.adapters import Adapter, State
from fledgling.models.loading import LoadedModel
from fledgling.models.peft_folders import read_weights
from fledgling.models.rows import AdaptedModel


class Replies:
    """Answers as any registered model would. Close it to have the plain base back."""

    def __init__(
        self,
        loaded: LoadedModel,
        registry: Registry,
        section: TrainingSection,
        *,
        system: str | None = None,
    ) -> None:
        self.registry = registry
        self.adapter = Adapter(loaded, section.lora)
        self.adapted = AdaptedModel(self.adapter, system=system, max_length=loaded.max_length)
        self._states: dict[str, State] = {}

    def __enter__(self) -> Replies:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self.adapter.release()

    def answer(self, model: Model, prompts: Sequence[str], *, max_new_tokens: int) -> list[str]:
        """Greedy replies, in order. Raises ``ModelError`` when the model's files are not whole."""
        with self.speaking_as(model):
            return self.adapted.answer(prompts, max_new_tokens=max_new_tokens)

    @contextmanager
    def speaking_as(self, model: Model) -> Iterator[AdaptedModel]:
        """The base with the model's adapter on it, for as long as the block lasts."""
        if not model.folder:
            with self.adapter.disabled():
                yield self.adapted
            return
        if model.id not in self._states:
            self.registry.check_files(model)
            self._states[model.id] = load_state(self.registry.folder(model))
        self.adapter.restore(self._states[model.id])
        try:
            yield self.adapted
        finally:
            self.adapter.reset()


def load_state(folder: Path) -> State:
    """The tensors of a PEFT folder under the names that ``Adapter.restore`` takes."""
    return {
        name.removeprefix("base_model.model.").replace(".weight", ".default.weight"): tensor.float()
        for name, tensor in read_weights(folder).items()
    }
