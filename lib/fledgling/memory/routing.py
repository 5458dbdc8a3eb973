"""An STDP router: which model to ask, learned from spikes and reward.

A query is spread over many neurons, of which few fire (as in the fly's olfactory code, Dasgupta et
al., 2017); one leaky integrate-and-fire neuron stands for each model, and the one that fires most
is asked. Spike pairs leave eligibility in their synapse, by spike-timing-dependent plasticity; the
reward turns eligibility into change (Izhikevich, 2007; Florian, 2007).
"""

from __future__ import annotations

import numpy as np

from fledgling.memory.settings import RouterSection


class SpikingRouter:
    """Learns query → model from the reward of the model that was asked.

    >>> from fledgling.settings import load_config
    >>> section = load_config().memory.router
    >>> router = SpikingRouter(["small", "large"], 4, section, np.random.default_rng(0))
    >>> router.choose(np.array([1.0, 0.0, 0.0, 0.0])) in ("small", "large")
    True
    """

    def __init__(
        self, models: list[str], width: int, section: RouterSection, rng: np.random.Generator
    ) -> None:
        self.models, self.section, self.rng = models, section, rng
        self.spread = rng.normal(size=(section.neurons, width))  # fixed
        self.weights = rng.uniform(0.4, 0.6, (len(models), section.neurons))
        self.expected = 0.5  # reward, as it has been of late
        self._chosen, self._eligible = 0, np.zeros_like(self.weights)

    def choose(self, query: np.ndarray) -> str:
        """The model for a query, given as a vector (D,)."""
        spikes, self._eligible = self._show(self._rates(query))
        best = np.flatnonzero(spikes == spikes.max())
        self._chosen = int(self.rng.choice(best))
        if self.rng.random() < self.section.explore["stdp"]:
            self._chosen = int(self.rng.integers(len(self.models)))
        return self.models[self._chosen]

    def reward(self, value: float) -> None:
        """How good the reply was, 0..1, of the model last chosen: its synapses alone change."""
        surprise = value - self.expected
        self.expected += self.section.forget * surprise
        row = self.weights[self._chosen]
        row += self.section.lr * surprise * self._eligible[self._chosen]
        np.clip(row, 0.0, 1.0, out=row)

    def _rates(self, query: np.ndarray) -> np.ndarray:
        """(N,) chance to fire in a step: high for the few neurons that the query drives most."""
        drive = self.spread @ query
        count = max(1, int(self.section.active * len(drive)))
        rates = np.zeros(len(drive))
        rates[np.argpartition(-drive, count - 1)[:count]] = 0.5
        return rates

    def _show(self, rates: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Spike counts (M,) and eligibility (M, N) after showing a query for a while."""
        section = self.section
        voltage = np.zeros(len(self.models))
        counts = np.zeros(len(self.models))
        before = np.zeros_like(rates)  # presynaptic traces
        after = np.zeros(len(self.models))  # postsynaptic traces
        eligible = np.zeros_like(self.weights)
        threshold = 0.5 * rates.sum()  # mean weight times mean drive: fires about every other step
        for _ in range(section.steps):
            fired = (self.rng.random(len(rates)) < rates).astype(float)
            before = section.trace * before + fired
            voltage = section.leak * voltage + self.weights @ fired
            spiked = (voltage >= threshold).astype(float)
            voltage *= 1.0 - spiked
            # a post spike after pre spikes strengthens; a pre spike after post spikes weakens
            eligible += np.outer(spiked, before) - 0.5 * np.outer(after, fired)
            after = section.trace * after + spiked
            counts += spiked + 1e-3 * voltage / threshold
        # the whole row of a driven input is eligible by its activity, silent ones not at all
        eligible += before[None, :]
        return counts, eligible / max(float(np.abs(eligible).max()), 1e-9)
