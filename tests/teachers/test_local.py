"""Local teachers answer in one batch, each at its own temperature, with the probability of what
they said.
"""

import asyncio

import pytest
import torch

from fledgling.models.loading import LoadedModel
from fledgling.settings import load_config
from fledgling.teachers.answers import Query
from fledgling.teachers.building import local_teachers
from fledgling.teachers.local import LocalEngine, LocalTeacher, RowTemperatures
from fledgling.teachers.pool import TeacherPool
from fledgling.teachers.settings import LocalTeacherSection

SHORT = {"pool": {"quorum": 3, "deadline_s": 60.0}, "generation": {"max_new_tokens": 6}}
SECTION = load_config(overrides={"teachers": SHORT}).teachers


def persona(name: str, temperature: float = 0.0, adapter: str = "") -> LocalTeacherSection:
    return LocalTeacherSection(
        name=name, persona="Be brief.", temperature=temperature, adapter=adapter
    )


def test_the_pool_is_one_batch(tiny: LoadedModel, monkeypatch: pytest.MonkeyPatch) -> None:
    teachers, sizes = local_teachers(SECTION, tiny), []
    generate = LocalEngine.generate

    def counted(engine: LocalEngine, questions: list[str], people: list) -> list:
        sizes.append(len(questions))
        return generate(engine, questions, people)

    monkeypatch.setattr(LocalEngine, "generate", counted)
    with TeacherPool(teachers, SECTION) as pool:
        reply = pool.ask("Why?")
    assert sizes == [3]
    assert len(reply.usable) == 3
    assert all(0 < answer.confidence <= 1 and answer.tokens <= 6 for answer in reply.usable)


def test_batched_answers_are_the_single_ones(tiny: LoadedModel) -> None:
    engine = LocalEngine(tiny, SECTION.generation)
    people = [
        persona("a"),
        LocalTeacherSection(name="b", persona="Explain at some length, please, and be kind."),
    ]
    together = engine.generate([Query("Why is the sky blue?"), Query("Why?")], people)
    alone = [
        engine.generate([Query(question)], [person])[0]
        for question, person in zip(["Why is the sky blue?", "Why?"], people, strict=True)
    ]
    for one, other in zip(together, alone, strict=True):
        assert one.text == other.text and one.tokens == other.tokens
        assert one.confidence == pytest.approx(other.confidence, abs=1e-3)


def test_rows_are_sampled_at_their_own_temperature() -> None:
    random = torch.Generator().manual_seed(0)
    scores = torch.tensor([[2.0, 1.0, 0.0]]).repeat(4000, 1)
    temperatures = torch.cat([torch.zeros(2000), torch.full((2000,), 0.5)])
    chosen = RowTemperatures(temperatures, random)(
        torch.zeros(4000, 1, dtype=torch.long), scores
    ).argmax(1)
    assert (chosen[:2000] == 0).all()  # temperature 0 is greedy
    shares = torch.bincount(chosen[2000:], minlength=3) / 2000
    assert torch.allclose(shares, torch.softmax(scores[0] / 0.5, 0), atol=0.03)


def test_a_seed_repeats_a_sample(tiny: LoadedModel) -> None:
    said = [
        LocalEngine(tiny, SECTION.generation, seed=seed)
        .generate([Query("Why?")], [persona("a", 2.0)])[0]
        .text
        for seed in (1, 1, 2)
    ]
    assert said[0] == said[1] != said[2]


def test_a_missing_adapter_is_one_teachers_fault(tiny: LoadedModel) -> None:
    engine = LocalEngine(tiny, SECTION.generation)
    teachers = [
        LocalTeacher(persona("plain"), engine),
        LocalTeacher(persona("odd", adapter="/no/such/folder"), engine),
    ]
    with TeacherPool(
        teachers, SECTION.model_copy(update={"pool": SECTION.pool.model_copy(update={"quorum": 2})})
    ) as pool:
        reply = pool.ask("Why?")
    errors = {answer.model_name: answer.error for answer in reply.answers}
    assert errors["plain"] is None and "/no/such/folder" in errors["odd"]


def test_an_adapter_changes_one_teacher_only(tiny: LoadedModel, tmp_path) -> None:
    from peft import LoraConfig, get_peft_model

    from fledgling.models.tiny import tiny_model

    other = get_peft_model(
        tiny_model().model,
        LoraConfig(r=2, target_modules=["q_proj", "down_proj"], init_lora_weights=False),
    )
    other.save_pretrained(tmp_path / "adapter")
    engine = LocalEngine(tiny, SECTION.generation)
    before = engine.generate([Query("Why?")], [persona("plain")])[0]
    tuned = engine.generate([Query("Why?")], [persona("tuned", adapter=str(tmp_path / "adapter"))])[
        0
    ]
    after = engine.generate([Query("Why?")], [persona("plain")])[0]
    assert after == before and tuned.confidence != before.confidence


def test_a_late_batch_is_a_timeout(tiny: LoadedModel) -> None:
    teacher = LocalTeacher(persona("a"), LocalEngine(tiny, SECTION.generation))
    answer = asyncio.run(teacher.answer(Query("Why?"), timeout=0.0001))
    assert answer.error.startswith("timeout")
