"""Other projects' ways to learn a fact, as contestants of benchmarks/peers.py.

Each is told a fact as the rows that the recipe per_fact renders of it, since none of them reads a
turn. Nothing of theirs stands here: a package is imported when its peer is made. What a peer leaves
open is one number, which was chosen on tuning facts and stands in ``TUNED``; to try others:
python benchmarks/peers.py --stream tuning --recipes "" --peers trl:3e-4,trl:3e-3
"""

from __future__ import annotations

import asyncio
import dataclasses
import importlib.util
import sys
import tempfile
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Protocol

import torch
from torch import Tensor

from fledgling.core.records import Example
from fledgling.feedback.trl_parts import quieten_trainers
from fledgling.models.generation import chat_text, replies
from fledgling.models.loading import LoadedModel, resolve
from fledgling.settings import Config

# Chosen on the first tuning facts of seed 1 (two for TRL and adaptible, one for GRACE) by recall,
# the mean of direct, rephrased and reverse: TRL 1e-3 .16, 3e-3 .47, 1e-2 .47 with three times the
# drift; adaptible 2e-4 before 1e-3, which answered one fact's question with the other; GRACE's
# radius 7 .17, 10 .61, 15 .61 with more near misses, set on the edits once they were made; with
# more facts GRACE narrows edits that lie close, so this choice is the least sure of the three.
TUNED = {"trl": 3e-3, "adaptible": 2e-4, "adaptible_all": 2e-4, "grace": 10.0}


class Peer(Protocol):
    """Another project's way to learn: from rows, one fact after the other."""

    def teach(self, rows: Sequence[Example]) -> None:
        """Learn one fact."""

    def answer(self, questions: Sequence[str]) -> list[str]:
        """Greedy answers, in order."""

    def logits(self, question: str, ids: Tensor, start: int) -> Tensor:
        """(N, V) at the tokens of an answer, which begins at ``start`` of ``ids`` (1, T)."""


class Trl:
    """TRL's SFTTrainer on one LoRA of the recipe per_fact's rank, targets and layers, with as many
    updates a fact, each over all its rows. The tuned number is the learning rate.
    """

    def __init__(self, loaded: LoadedModel, config: Config, tuned: float) -> None:
        quieten_trainers()  # before what would print
        import trl
        from peft import LoraConfig, get_peft_model

        section = config.facts.adapter
        self.trl, self.learning, self.rate = trl, config.facts.learning, tuned
        self.model = get_peft_model(
            loaded.model,
            LoraConfig(
                r=section.rank,
                lora_alpha=section.alpha,
                target_modules=list(section.targets),
                task_type="CAUSAL_LM",
                layers_to_transform=list(
                    range(section.first_layer, loaded.model.config.num_hidden_layers)
                ),
            ),
        )
        self.loaded = dataclasses.replace(loaded, model=self.model)
        self.folder = tempfile.TemporaryDirectory()

    def teach(self, rows: Sequence[Example]) -> None:
        from datasets import Dataset

        options = self.trl.SFTConfig(
            self.folder.name,
            max_steps=self.learning.max_updates,
            learning_rate=self.rate,
            lr_scheduler_type="constant",
            per_device_train_batch_size=self.learning.max_rows,
            bf16=False,
            gradient_checkpointing=False,
            use_cpu=self.loaded.device.type == "cpu",
            save_strategy="no",
            logging_strategy="no",
            disable_tqdm=True,
            report_to=[],
        )
        chats = [
            {
                "prompt": [{"role": "user", "content": row.prompt}],
                "completion": [{"role": "assistant", "content": row.answer}],
            }
            for row in rows
        ]
        data, tokenizer = Dataset.from_list(chats), self.loaded.tokenizer
        trainer = self.trl.SFTTrainer(
            self.model, options, train_dataset=data, processing_class=tokenizer
        )
        trainer.train()
        self.model.eval()

    def answer(self, questions: Sequence[str]) -> list[str]:
        return replies(self.loaded, questions)

    def logits(self, question: str, ids: Tensor, start: int) -> Tensor:
        return self.model(input_ids=ids).logits[0, start - 1 : -1]


class Adaptible:
    """adaptible's offline trainer on a correction (three wordings are all it takes), each fact's
    adapter starting from the last one's, and its router, which keeps every question that it does
    not take for a corrected one on the frozen base. The tuned number is the learning rate.

    What it has around these (a served model that it re-asks, evidence from the web) is left out:
    every correction is accepted. The router asks the base greedily, without a grammar.
    """

    def __init__(self, loaded: LoadedModel, config: Config, tuned: float) -> None:
        from adaptible.wrap.scope_router import ScopeRouter
        from adaptible.wrap.train import train

        self.train, self.router, self.rate = train, ScopeRouter(self), tuned
        self.source, self.base = resolve(config.models.id), loaded
        self.folder = tempfile.TemporaryDirectory()
        self.repairs: list[dict] = []
        self.tuned: LoadedModel | None = None  # with the newest adapter, once it was asked for

    def teach(self, rows: Sequence[Example]) -> None:
        wordings = sorted(rows, key=lambda row: row.kind != "question")[:3]
        asked = [[{"role": "user", "content": row.prompt}] for row in wordings]
        number, answer = len(self.repairs), wordings[0].answer
        job = {
            "blob": str(self.source),
            "out": str(self._place(number)),
            "previous": str(self._place(number - 1) / "adapter") if number else None,
            "messages": asked[0],
            "target": answer,
            "examples": [{"messages": other, "target": answer} for other in asked[1:]],
            "training_options": {"learning_rate": self.rate},
        }
        self.train(job)
        repair = {"question": wordings[0].prompt, "messages": asked[0], "prompts": asked}
        self.repairs.append({"interaction_idx": number, **repair})

    def _place(self, number: int) -> Path:
        return Path(self.folder.name) / str(number)

    async def complete(self, messages: list[dict], *, details: dict, **_: object) -> str:
        """What the router asks its runtime: a greedy reply of the frozen base."""
        tokenizer = self.base.tokenizer
        text = tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
        inputs = tokenizer(text, return_tensors="pt", add_special_tokens=False)
        with self._frozen(), torch.no_grad():
            ids = self.base.model.generate(**inputs, max_new_tokens=16, do_sample=False)[0]
        said = ids[inputs["input_ids"].shape[1] :]
        ended = said[-1].item() == tokenizer.eos_token_id
        details |= {"complete": ended, "framing_valid": True, "finish_reason": "stop"}
        return tokenizer.decode(said, skip_special_tokens=True).strip()

    def _frozen(self) -> AbstractContextManager:
        return self._adapted().model.disable_adapter()

    def _adapted(self) -> LoadedModel:
        if self.tuned is None:
            from peft import PeftModel

            newest = self._place(len(self.repairs) - 1) / "adapter"
            model = PeftModel.from_pretrained(self.base.model, newest)
            self.tuned = dataclasses.replace(self.base, model=model.eval())
        return self.tuned

    def _routed(self, question: str) -> bool:
        """Whether the adapter answers."""
        asked = [{"role": "user", "content": question}]
        return asyncio.run(self.router.choose(asked, self.repairs, {}))["scope"] is not None

    def answer(self, questions: Sequence[str]) -> list[str]:
        routed = [question for question in questions if self._routed(question)]
        kept = [question for question in questions if question not in routed]
        answers = dict(zip(routed, replies(self._adapted(), routed), strict=True))
        with self._frozen():
            answers |= zip(kept, replies(self._adapted(), kept), strict=True)
        return [answers[question] for question in questions]

    def logits(self, question: str, ids: Tensor, start: int) -> Tensor:
        routed, model = self._routed(question), self._adapted().model
        with nullcontext() if routed else self._frozen():
            return model(input_ids=ids).logits[0, start - 1 : -1]


class AdaptibleAll(Adaptible):
    """adaptible in its own other mode, as its experiments serve it: the adapter answers whatever is
    asked, and the router is not.
    """

    def _routed(self, question: str) -> bool:
        return True


class Grace:
    """GRACE (Hartvigsen et al., 2023) as EasyEdit has it: one layer's output at the end of a prompt
    is replaced where its input is near that of an edited prompt. Every row is an edit, with
    EasyEdit's settings for Llama. The tuned number is the radius of a new edit.
    """

    # Of 30; EasyEdit takes 27 of Llama's 32. On a tuning fact twenty steps bring the loss of layer
    # 25's value to 2.2 nats a token, that of layer 20's to 0.7.
    LAYER = 20
    STEPS = 50

    def __init__(self, loaded: LoadedModel, config: Config, tuned: float) -> None:
        without_init("easyeditor", "easyeditor.models", "easyeditor.util")
        from easyeditor.models.grace.GRACE import GRACE
        from easyeditor.models.grace.grace_hparams import GraceHyperParams

        self.settings = GraceHyperParams(
            edit_lr=1.0,
            n_iter=self.STEPS,
            eps=tuned,
            dist_fn="euc",
            val_init="cold",
            val_train="sgd",
            val_reg="None",
            reg="early_stop",
            replacement="replace_last",
            eps_expand="coverage",
            num_pert=8,
            dropout=0.0,
            inner_params=[f"model.layers[{self.LAYER}].mlp.down_proj.weight"],
            device=loaded.device,
            alg_name="GRACE",
            model_name="SmolLM2",
        )
        self.editor = GRACE(self.settings, loaded.model, loaded.device)
        self.layer = loaded.model.get_submodule(f"model.layers.{self.LAYER}.mlp.down_proj")
        # With a cache every generated token would be looked up as if it ended a prompt.
        loaded.model.generation_config.use_cache = False
        self.loaded = dataclasses.replace(loaded, model=self.editor)

    def teach(self, rows: Sequence[Example]) -> None:
        tokenizer = self.loaded.tokenizer
        texts = [chat_text(self.loaded, row.prompt) for row in rows]
        prompts = [tokenizer(text, add_special_tokens=False)["input_ids"] for text in texts]
        width = max(map(len, prompts))
        for row, prompt in zip(rows, prompts, strict=True):
            answer = row.answer + tokenizer.eos_token
            ids = tokenizer(answer, add_special_tokens=False)["input_ids"]
            # GRACE knows an answer again by the mean of its labels, the masked ones among them: at
            # one width the rows of a fact widen one edit, where else each would narrow the others.
            pad = width - len(prompt)
            tokens = {
                "input_ids": [tokenizer.pad_token_id] * pad + prompt + ids,
                "attention_mask": [0] * pad + [1] * (len(prompt) + len(ids)),
                "labels": [-100] * width + ids,
            }
            batch = {name: torch.tensor([values]) for name, values in tokens.items()}
            on_device = {name: values.to(self.loaded.device) for name, values in batch.items()}
            self.editor.edit(self.settings, on_device, edit_id=row.prompt)

    def answer(self, questions: Sequence[str]) -> list[str]:
        return replies(self.loaded, questions)

    def logits(self, question: str, ids: Tensor, start: int) -> Tensor:
        self.layer.key_id = start - 1  # where the prompt ends; GRACE's own generate() finds it
        return self.editor(input_ids=ids).logits[0, start - 1 : -1]


def without_init(*packages: str) -> None:
    """Make packages importable without running their ``__init__``: EasyEdit's imports every editor
    that it has, and with them some thirty packages which GRACE does not use. Parents come first.

    Raises ``ModuleNotFoundError`` for a package that is not on the import path.
    """
    for name in packages:
        spec = importlib.util.find_spec(name)
        if spec is None:
            raise ModuleNotFoundError(f"No module named {name!r}")
        sys.modules[name] = importlib.util.module_from_spec(spec)


PEERS = {
    "trl": Trl,
    "adaptible": Adaptible,
    "adaptible_all": AdaptibleAll,
    "grace": Grace,
}
