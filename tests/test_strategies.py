import math

import numpy as np
import pytest

from labeling_core.errors import LabelingError
from labeling_core.strategies import STRATEGIES, Ranking, entropy, least_confidence, margin, rank

SEEDS_THREE = {"confidence": least_confidence, "margin": margin, "entropy": entropy}


def random_vectors(classes: int, rows: int = 1000) -> np.ndarray:
    """Random probabilities, some of them certain, some with zeros, some uniform."""
    p = np.random.default_rng(classes).dirichlet(np.full(classes, 0.5), rows)
    p[0], p[1] = np.eye(classes)[0], 1 / classes
    p[2] = np.where(np.arange(classes) < 2, 0.5, 0)
    return p


def by_hand(name: str, row: np.ndarray) -> float:
    best, second = sorted(row.tolist(), reverse=True)[:2]
    if name == "confidence":
        return 1 - best
    if name == "margin":
        return 1 - (best - second)
    return -math.fsum(q * math.log(q) for q in row.tolist() if q > 0) / math.log(len(row))


def ranked(strategy: str, p: np.ndarray | None, n: int = 300, seed: int = 0) -> Ranking:
    features = np.random.default_rng(1).normal(size=(n + 6, 5)).astype(np.float32)
    return rank(
        strategy,
        probabilities=p,
        features=features,
        pool=np.arange(6, n + 6),
        labeled=np.arange(6) if p is not None else np.arange(0),
        labels=np.arange(6) % 3 if p is not None else np.arange(0),
        batch=10,
        seed=seed,
    )


@pytest.mark.parametrize("classes", [2, 3, 10])
@pytest.mark.parametrize("name", SEEDS_THREE)
def test_scores_equal_the_formula_to_the_twelfth_decimal(name, classes):
    p = random_vectors(classes)
    scores = SEEDS_THREE[name](p)
    assert scores.dtype == np.float64
    assert scores.min() >= 0 and scores.max() <= 1
    assert np.abs(scores - [by_hand(name, row) for row in p]).max() < 1e-12


def test_for_two_classes_the_three_scores_rank_alike():
    p = random_vectors(2)
    orders = [np.argsort(score(p), kind="stable") for score in SEEDS_THREE.values()]
    assert all(np.array_equal(orders[0], order) for order in orders[1:])


@pytest.mark.parametrize("name", SEEDS_THREE)
def test_float32_probabilities_and_more_rows_than_one_block_give_the_same_scores(name):
    p = random_vectors(4, rows=70_000)
    assert np.abs(SEEDS_THREE[name](p.astype(np.float32)) - SEEDS_THREE[name](p)).max() < 1e-6


@pytest.mark.parametrize("name", SEEDS_THREE)
def test_the_seeds_strategies_go_down_by_uncertainty(name):
    p = random_vectors(3, rows=300)
    order, uncertainty = ranked(name, p)
    assert np.array_equal(uncertainty, SEEDS_THREE[name](p))
    assert (np.diff(uncertainty[order]) <= 0).all()


@pytest.mark.parametrize("with_model", [True, False])
@pytest.mark.parametrize("name", STRATEGIES)
def test_every_strategy_puts_every_pool_sample_once(name, with_model):
    order, uncertainty = ranked(name, random_vectors(3, rows=300) if with_model else None)
    assert sorted(order.tolist()) == list(range(300))
    assert uncertainty.min() >= 0 and uncertainty.max() <= 1


@pytest.mark.parametrize("with_model", [True, False])
@pytest.mark.parametrize("name", STRATEGIES)
def test_the_same_seed_gives_the_same_order_and_the_pool_is_left_alone(name, with_model):
    p = random_vectors(3, rows=300) if with_model else None
    before = None if p is None else p.copy()
    assert np.array_equal(ranked(name, p, seed=5).order, ranked(name, p, seed=5).order)
    assert before is None or np.array_equal(before, p)


@pytest.mark.parametrize("name", STRATEGIES)
def test_ties_follow_a_seeded_shuffle(name):
    certain = np.tile([1.0, 0.0, 0.0], (300, 1))
    first, again, other = (ranked(name, certain, seed=seed).order for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    assert not np.array_equal(first, np.arange(300))


@pytest.mark.parametrize("n", [0, 1, 7])
@pytest.mark.parametrize("name", STRATEGIES)
def test_pools_smaller_than_a_batch_work(name, n):
    assert sorted(ranked(name, random_vectors(3)[:n], n=n).order) == list(range(n))
    assert sorted(ranked(name, None, n=n).order) == list(range(n))


def test_random_still_tells_the_margin():
    p = random_vectors(3, rows=300)
    assert np.array_equal(ranked("random", p).uncertainty, margin(p))


def test_an_unknown_strategy_names_the_field_and_the_choices():
    with pytest.raises(LabelingError, match="margin") as error:
        ranked("guess", None)
    assert error.value.field == "strategy"


def test_every_strategy_says_what_it_does():
    assert all(strategy.title and strategy.description for strategy in STRATEGIES.values())
