"""Adapters: nothing when fresh or off, put back byte for byte, gone when released."""

import pytest
import torch

from fledgling.core.errors import ModelError
from fledgling.models.adapters import Adapter
from fledgling.models.tiny import to_bytes
from fledgling.settings import load_config

IDS = torch.tensor([[5, 40, 7, 99, 12]])


def section(**changes):
    return load_config(
        overrides={"facts": {"adapter": {"first_layer": 0, "rank": 2, "alpha": 4.0, **changes}}}
    ).facts.adapter


def disturb(adapter, seed=1):
    generator = torch.Generator().manual_seed(seed)
    adapter.restore(
        {
            name: torch.randn(tensor.shape, generator=generator)
            for name, tensor in adapter.state().items()
        }
    )


@torch.no_grad()
def logits(loaded):
    return loaded.model(input_ids=IDS).logits


def test_a_fresh_adapter_changes_nothing_and_a_disturbed_one_does(tiny):
    plain = logits(tiny)
    adapter = Adapter(tiny, section())
    assert torch.equal(logits(tiny), plain)
    assert adapter.norm() == 0.0
    disturb(adapter)
    assert (logits(tiny) - plain).abs().max() > 0.1
    assert adapter.norm() > 0.0


def test_disabled_is_the_base_and_only_inside_the_block(tiny):
    plain = logits(tiny)
    adapter = Adapter(tiny, section())
    disturb(adapter)
    tuned = logits(tiny)
    with adapter.disabled():
        assert torch.equal(logits(tiny), plain)
    assert torch.equal(logits(tiny), tuned)


def test_state_is_a_copy_and_comes_back_byte_for_byte(tiny):
    adapter = Adapter(tiny, section())
    disturb(adapter)
    kept = adapter.state()
    blob = to_bytes(kept)
    for parameter in adapter.parameters.values():
        parameter.data.add_(1.0)
    assert to_bytes(adapter.state()) != blob
    adapter.restore(kept)
    assert to_bytes(adapter.state()) == to_bytes(kept) == blob


def test_reset_returns_to_the_first_draw(tiny):
    adapter = Adapter(tiny, section(), seed=3)
    first = to_bytes(adapter.state())
    disturb(adapter)
    adapter.reset()
    assert to_bytes(adapter.state()) == first


def test_the_seed_decides_the_draw(tiny):
    drawn = []
    for seed in (3, 3, 4):
        adapter = Adapter(tiny, section(), seed=seed)
        drawn.append(to_bytes(adapter.state()))
        adapter.release()
    assert drawn[0] == drawn[1] != drawn[2]


def test_other_names_or_shapes_are_refused_and_leave_the_adapter_alone(tiny):
    adapter = Adapter(tiny, section())
    state, before = adapter.state(), to_bytes(adapter.state())
    name = next(iter(state))
    with pytest.raises(ModelError, match="another adapter"):
        adapter.restore({key: tensor for key, tensor in state.items() if key != name})
    last = list(state)[-1]
    wrong = {key: torch.ones_like(tensor) for key, tensor in state.items()} | {
        last: torch.ones(3, 3)
    }
    with pytest.raises(ModelError, match=r"\(3, 3\)"):
        adapter.restore(wrong)
    assert to_bytes(adapter.state()) == before


def test_only_the_chosen_layers_and_projections_carry_an_adapter(tiny):
    adapter = Adapter(tiny, section(first_layer=1, targets=["down_proj"]))
    assert {name.split(".lora_")[0] for name in adapter.parameters} == {
        "model.layers.1.mlp.down_proj"
    }
    assert all(tensor.dtype == torch.float32 for tensor in adapter.parameters.values())


@pytest.mark.parametrize(
    ("changes", "named"), [({"first_layer": 7}, "7"), ({"targets": ["wings"]}, "wings")]
)
def test_an_adapter_that_does_not_fit_is_refused(tiny, changes, named):
    with pytest.raises(ModelError, match=named):
        Adapter(tiny, section(**changes))


def test_release_leaves_the_plain_base_and_room_for_another(tiny):
    plain, names = logits(tiny), [name for name, _ in tiny.model.named_parameters()]
    adapter = Adapter(tiny, section())
    disturb(adapter)
    adapter.release()
    assert torch.equal(logits(tiny), plain)
    assert [name for name, _ in tiny.model.named_parameters()] == names
    Adapter(tiny, section(rank=4)).release()


def test_dropout_acts_in_training_steps_only(tiny):
    """Answers and measurements are the same twice, whatever the dropout."""
    adapter = Adapter(tiny, section(dropout=0.5))
    disturb(adapter)
    assert torch.equal(logits(tiny), logits(tiny))
