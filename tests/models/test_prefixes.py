"""Keys and values before a prompt: begun from a text, trained, taken out, put back exactly."""

import pytest
import torch

from fledgling.core.errors import ModelError
from fledgling.core.records import Example
from fledgling.models.adapters import Adapter
from fledgling.models.prefixes import PrefixAdapter
from fledgling.models.rows import AdaptedModel
from fledgling.models.settings import LoraSection
from fledgling.models.tiny import to_bytes

LORA = LoraSection(
    rank=2, alpha=4.0, dropout=0.0, targets=["q_proj", "up_proj"], first_layer=0, last_layer=-1
)
ROWS = [Example("who is tom?", "a friend", "question"), Example("tom", "yes", "question")]
TOLD = "tom is a friend"


@pytest.fixture
def model(tiny):
    lora = Adapter(tiny, LORA)
    adapter = PrefixAdapter(lora, first_layer=1)
    yield AdaptedModel(adapter)
    adapter.release()


def logits(model):
    with torch.no_grad():
        return model.logits(model.encode(ROWS))


def read_differently(model):
    """A LoRA adapter that changes what is read."""
    for name, parameter in model.adapter.lora.parameters.items():
        if "lora_B" in name:
            parameter.data.fill_(0.1)


def test_without_a_prefix_nothing_is_changed(model):
    rows = model.encode(ROWS)
    base = model.base_logits(rows)
    read_differently(model)
    assert torch.equal(model.logits(rows), base)
    assert model.adapter.norm() == 0.0 and model.adapter.state() == {}


def test_it_begins_as_the_text_in_the_system_prompt(model, tiny):
    told = AdaptedModel(model.adapter, system=TOLD)
    wanted = logits(told)
    assert not torch.allclose(wanted, logits(model))
    model.adapter.begin(model.read(model.system_ids(TOLD)))
    assert torch.allclose(logits(model), wanted, atol=1e-5)
    with model.adapter.disabled():
        assert torch.allclose(logits(told), wanted, atol=1e-5)


def test_an_answer_continues_the_prefix_as_training_saw_it(model):
    model.adapter.begin(model.read(model.system_ids(TOLD)))
    (said,) = model.answer(["who is tom?"], max_new_tokens=5)
    told = AdaptedModel(model.adapter, system=TOLD)
    with model.adapter.disabled():
        assert said == told.answer(["who is tom?"], max_new_tokens=5)[0]


def test_rows_encoded_behind_another_prefix_are_read_again(model):
    rows = model.encode(ROWS)
    before = model.logits(rows)
    model.adapter.begin(model.read(model.system_ids(TOLD)))
    behind = model.logits(rows)
    assert torch.allclose(behind, model.logits(model.encode(ROWS)), atol=1e-5)
    model.adapter.reset()
    assert torch.equal(model.logits(rows), before)


def test_training_moves_only_the_prefix_from_its_first_layer_up(model):
    adapter = model.adapter
    adapter.begin(model.read(model.system_ids(TOLD)))
    before, lora = adapter.state(), to_bytes(adapter.lora.state())
    rows = model.encode(ROWS)
    optimizer = torch.optim.SGD(adapter.parameters.values(), lr=1.0)
    loss = torch.nn.functional.cross_entropy(model.logits(rows), rows.targets)
    loss.backward()
    optimizer.step()
    moved = {name for name, each in adapter.state().items() if not torch.equal(each, before[name])}
    assert moved and moved <= set(adapter.parameters)
    assert not any(name.startswith("layers.0.") for name in moved)
    assert to_bytes(adapter.lora.state()) == lora
    assert torch.nn.functional.cross_entropy(model.logits(rows), rows.targets) < loss


def test_prefixes_of_other_lengths_are_put_back_byte_for_byte(model):
    adapter, states = model.adapter, []
    for told in (TOLD, f"{TOLD} and he is seven", "x"):
        adapter.begin(model.read(model.system_ids(told)))
        states.append((adapter.state(), logits(model)))
    for state, wanted in states:
        adapter.restore(state)
        assert to_bytes(adapter.state()) == to_bytes(state)
        assert torch.equal(logits(model), wanted)


def test_an_optimizer_goes_on_after_another_prefix_was_looked_at(model):
    """A panel may ask about another fact between two updates."""
    adapter = model.adapter

    def train(look_aside):
        adapter.begin(model.read(model.system_ids(TOLD)))
        optimizer = torch.optim.AdamW(adapter.parameters.values(), lr=0.1)
        for _ in range(3):
            rows = model.encode(ROWS)
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(model.logits(rows), rows.targets).backward()
            optimizer.step()
            if look_aside:
                mine = adapter.state()
                adapter.begin(model.read(model.system_ids("x")))
                adapter.restore(mine)
        return to_bytes(adapter.state())

    assert train(look_aside=True) == train(look_aside=False)


def test_off_inside_off_stays_off(model):
    adapter = model.adapter
    adapter.begin(model.read(model.system_ids(TOLD)))
    acting = logits(model)
    with adapter.disabled():
        with adapter.disabled():
            pass
        off = logits(model)
    assert not torch.allclose(off, acting)
    assert torch.equal(logits(model), acting)


def test_another_models_prefix_is_refused(model):
    adapter = model.adapter
    adapter.begin(model.read(model.system_ids(TOLD)))
    state = adapter.state()
    with pytest.raises(ModelError, match="other layers or heads"):
        adapter.restore({name: each[:, :, :, :1] for name, each in state.items()})
    with pytest.raises(ModelError, match="other layers or heads"):
        adapter.restore(dict(list(state.items())[:-1]))
    assert to_bytes(adapter.state()) == to_bytes(state)


def test_a_first_layer_above_the_model_is_refused(tiny):
    lora = Adapter(tiny, LORA)
    with pytest.raises(ModelError, match=r"prefix\.first_layer 99"):
        PrefixAdapter(lora, first_layer=99)
    lora.release()
