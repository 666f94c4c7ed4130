import math

import numpy as np
import pytest

from labeling_core.errors import LabelingError
from labeling_core.learning.strategies import (
    STRATEGIES,
    Ranking,
    choices,
    entropy,
    least_confidence,
    margin,
    named,
    rank,
)

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


def ranked(
    strategy: str,
    p: np.ndarray | None,
    n: int = 300,
    seed: int = 0,
    wanted: int | None = None,
) -> Ranking:
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
        wanted=wanted,
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


@pytest.mark.parametrize("wanted", [1, 10, 150, 1_000])
@pytest.mark.parametrize("name", STRATEGIES)
def test_the_first_ones_alone_are_those_of_the_whole_order(name, wanted):
    p = random_vectors(3, rows=2_000)
    p = p[np.unique(margin(p), return_index=True)[1]]  # without ties, the shuffle decides nothing
    n = len(p)
    whole, first = ranked(name, p, n), ranked(name, p, n, wanted=wanted)
    assert len(first.order) == len(set(first.order.tolist())) == min(wanted, n)
    assert np.array_equal(first.uncertainty, whole.uncertainty)
    if STRATEGIES[name].by_uncertainty:
        assert np.array_equal(first.order, whole.order[:wanted])
    elif name != "random":  # the batch is drawn otherwise, or clustered from another start
        rest = first.order[10:]
        assert (np.diff(whole.uncertainty[rest]) <= 0).all()


def test_the_first_ones_among_equal_ones_are_drawn():
    p = np.tile([0.5, 0.5], (300, 1))
    first, other = (ranked("margin", p, seed=seed, wanted=20).order for seed in (1, 2))
    assert len(set(first.tolist())) == 20 and not np.array_equal(np.sort(first), np.sort(other))


@pytest.mark.parametrize("n", [0, 1, 7])
@pytest.mark.parametrize("name", STRATEGIES)
def test_pools_smaller_than_a_batch_work(name, n):
    assert sorted(ranked(name, random_vectors(3)[:n], n=n).order) == list(range(n))
    assert sorted(ranked(name, None, n=n).order) == list(range(n))


def test_random_still_tells_the_margin():
    p = random_vectors(3, rows=300)
    assert np.array_equal(ranked("random", p).uncertainty, margin(p))


def clouds(sizes: list[int]) -> tuple[np.ndarray, np.ndarray]:
    """Far apart clouds of the given sizes, shuffled; features and cloud of every row."""
    rng = np.random.default_rng(0)
    cloud = rng.permutation(np.repeat(np.arange(len(sizes)), sizes))
    X = rng.normal(scale=0.3, size=(len(cloud), len(sizes))) + 5 * np.eye(len(sizes))[cloud]
    return X.astype(np.float32), cloud


def auto(X, p=None, labeled=(), labels=(), batch=4):
    return rank(
        "auto",
        probabilities=p,
        features=X,
        pool=np.setdiff1d(np.arange(len(X)), labeled),
        labeled=np.array(labeled, dtype=int),
        labels=np.array(labels, dtype=int),
        batch=batch,
        seed=0,
    )


def test_auto_starts_with_one_sample_of_every_cloud():
    X, cloud = clouds([200, 60, 30, 10])
    assert set(cloud[auto(X).order[:4]]) == {0, 1, 2, 3}


def test_auto_goes_on_with_clouds_that_hold_no_label_yet():
    X, cloud = clouds([100, 80, 60, 10])
    seen = np.flatnonzero(cloud < 2)[:4]
    pool = np.setdiff1d(np.arange(len(X)), seen)
    p = np.full((len(pool), 4), 0.25)
    order = auto(X, p, seen, cloud[seen], batch=2).order
    assert {2, 3} & set(cloud[pool[order[:2]]])


@pytest.mark.parametrize("batch", [1, 10])
def test_behind_ten_typical_ones_auto_draws_what_is_unlike_them(batch):
    X, cloud = clouds([2_000] + [4] * 20)
    for seed in range(10):
        order = rank(
            "auto", probabilities=None, features=X, pool=np.arange(len(X)), labeled=np.arange(0),
            labels=np.arange(0), batch=batch, seed=seed,
        ).order.tolist()  # fmt: skip
        assert len(set(cloud[order[:30]])) >= 18  # at random 30 samples meet 2 of 21 clouds
        assert sorted(order) == list(range(len(X)))


def doubts_about_the_first_two(cloud: np.ndarray, pool: np.ndarray, classes: int) -> np.ndarray:
    """Probabilities: an even choice between two classes in the clouds 0 and 1, else certainty."""
    even, sure = np.eye(classes)[:2].mean(axis=0), np.eye(classes)[0]
    return np.where(cloud[pool, None] < 2, even, sure)


def test_auto_ends_its_start_when_neighbours_name_three_labels_per_category_right():
    X, cloud = clouds([100, 100, 100, 10])
    labeled = np.flatnonzero(cloud < 2)[:12]
    pool = np.setdiff1d(np.arange(len(X)), labeled)
    p = doubts_about_the_first_two(cloud, pool, 4)
    assert set(cloud[pool[auto(X, p, labeled, cloud[labeled]).order[:4]]]) == {0, 1}
    told_apart_by_nothing = np.arange(12)
    assert 2 in cloud[pool[auto(X, p, labeled, told_apart_by_nothing).order[:4]]]


def test_auto_ends_its_start_after_ten_labels_per_category_whatever_the_neighbours():
    X, cloud = clouds([100, 100, 100])
    labeled = np.flatnonzero(cloud < 2)[:20]
    pool = np.setdiff1d(np.arange(len(X)), labeled)
    p = doubts_about_the_first_two(cloud, pool, 2)
    far = np.linalg.norm(X[labeled, None] - X[labeled], axis=2) + 100 * np.eye(20)
    misleading = min(
        (np.random.default_rng(seed).permutation(20) % 2 for seed in range(500)),
        key=lambda labels: np.count_nonzero(labels[far.argmin(axis=1)] == labels),
    )
    assert set(cloud[pool[auto(X, p, labeled, misleading).order[:4]]]) == {0, 1}
    few = labeled[:19], misleading[:19]
    pool = np.setdiff1d(np.arange(len(X)), few[0])
    p = doubts_about_the_first_two(cloud, pool, 2)
    assert 2 in cloud[pool[auto(X, p, *few).order[:4]]]


def test_after_its_start_auto_takes_an_uncertain_batch_from_different_clouds():
    X, cloud = clouds([300, 20, 20, 20])
    labeled = np.flatnonzero(cloud == 0)[:20]
    pool = np.setdiff1d(np.arange(len(X)), labeled)
    sure = np.where(cloud[pool] == 0, 0.99, np.linspace(0.5, 0.6, len(pool)))
    p = np.column_stack([sure, 1 - sure])
    order, uncertainty = auto(X, p, labeled, np.arange(20) % 2, batch=6)
    assert {1, 2, 3} <= set(cloud[pool[order[:6]]])
    assert (np.diff(uncertainty[order[6:]]) <= 0).all()


@pytest.mark.parametrize(
    ("labels", "sought"),
    [
        ([0] * 20 + [1] * 9 + [2], 2),  # 30 labels, one of them of class 2
        ([0] * 20 + [1] * 8 + [2], 0),  # 29: a class may still be met
        ([0] * 20 + [1] * 5 + [2] * 5, 0),
        ([0] * 20 + [1] * 10, 0),  # of a class without a label nothing is known
    ],
)
def test_auto_looks_for_a_class_that_turns_out_to_be_rare(labels, sought):
    X, _ = clouds([200, 100])
    pool = np.arange(len(labels), len(X))
    p = np.tile([0.5, 0.48, 0.02], (len(pool), 1))
    p[[40, 70], 2] = [0.2, 0.1]
    p[[40, 70], 0] = [0.8, 0.9]  # the model is sure that they are of another class
    order = auto(X, p, np.arange(len(labels)), labels, batch=20).order
    assert order[:sought].tolist() == [40, 70][:sought]
    assert len({40, 70} & set(order[:20].tolist())) == sought


@pytest.mark.parametrize(("rare", "most_uncertain"), [(4, True), (5, False)])
def test_while_a_class_is_rare_auto_asks_for_the_most_uncertain_ones_though_they_are_alike(
    rare, most_uncertain
):
    X, cloud = clouds([300, 20, 20, 20])
    labeled = np.flatnonzero(cloud == 0)[:30]
    pool = np.setdiff1d(np.arange(len(X)), labeled)
    doubt = np.where(cloud[pool] == 1, 0.49, np.where(cloud[pool] == 0, 0.01, 0.48))
    p = np.column_stack([1 - doubt, doubt])
    order = auto(X, p, labeled, np.arange(30) >= 30 - rare, batch=10).order
    assert (set(cloud[pool[order[:10]]]) == {1}) == most_uncertain


@pytest.mark.parametrize("width", [1, 30])
def test_auto_copes_with_rows_that_are_all_alike(width):
    X = np.zeros((400, width), dtype=np.float32)
    p = np.tile([0.6, 0.4], (388, 1))
    assert sorted(auto(X).order) == list(range(400))
    assert sorted(auto(X, p, np.arange(12), np.arange(12) % 2).order) == list(range(388))


def test_a_batch_larger_than_the_number_of_clusters_is_filled_up():
    X, _ = clouds([400, 400])
    assert sorted(auto(X, batch=500).order) == list(range(800))


def test_an_unknown_strategy_names_the_field_and_the_choices():
    with pytest.raises(LabelingError, match="margin") as error:
        ranked("guess", None)
    assert error.value.field == "strategy"


def test_the_diverse_margin_batch_comes_from_different_clouds():
    X, cloud = clouds([300, 20, 20, 20])
    labeled = np.flatnonzero(cloud == 0)[:20]
    pool = np.setdiff1d(np.arange(len(X)), labeled)
    sure = np.where(cloud[pool] == 0, 0.99, np.linspace(0.5, 0.6, len(pool)))
    order = rank(
        "diverse_margin",
        probabilities=np.column_stack([sure, 1 - sure]),
        features=X,
        pool=pool,
        labeled=labeled,
        labels=np.arange(20) % 2,
        batch=6,
        seed=0,
    ).order
    assert {1, 2, 3} <= set(cloud[pool[order[:6]]])


def test_the_lot_falls_by_the_third_power_of_the_margin():
    p = np.repeat([[0.5, 0.5], [0.75, 0.25]], 150, axis=0)
    firsts = np.array([ranked("margin_gumbel", p, seed=seed).order[0] for seed in range(600)])
    # 1 against (1/2)³: eight draws of nine, within four standard errors.
    assert abs(np.mean(firsts < 150) - 8 / 9) < 4 * (8 / 81 / 600) ** 0.5
    assert len(set(firsts.tolist())) > 100


@pytest.mark.parametrize("name", ["diverse_margin", "margin_gumbel"])
def test_behind_the_batch_the_rest_follows_by_uncertainty(name):
    order, uncertainty = ranked(name, random_vectors(3, rows=300))
    assert (np.diff(uncertainty[order[10:]]) <= 0).all()
    assert not np.array_equal(order, ranked("margin", random_vectors(3, rows=300)).order)


def test_every_strategy_says_what_it_does():
    assert all(strategy.title and strategy.description for strategy in STRATEGIES.values())


@pytest.mark.parametrize(
    ("name", "words", "behind_the_batch"),
    [
        ("auto", "of the next batch; red leads the second likeliest by 25%", None),
        ("confidence", "red is likeliest, with only 25%", None),
        ("margin", "red leads the second likeliest by 25%", None),
        ("diverse_margin", "unlike the rest of its batch; red leads the second likeliest by 25%",
         "red leads the second likeliest by 25%"),
        ("margin_gumbel", "drawn by lot; red leads the second likeliest by 25%",
         "red leads the second likeliest by 25%"),
        ("entropy", "probabilities spread at 75% of the most possible; likeliest: red", None),
        ("random", "drawn at random; likeliest: red", None),
        ("of_a_newer_program", "asked by of_a_newer_program; likeliest: red", None),
    ],
)  # fmt: skip
def test_every_strategy_says_why_it_asks(name, words, behind_the_batch):
    why = named(name).why
    assert why(0.75, "red", True) == words
    if behind_the_batch:
        assert why(0.75, "red", False) == behind_the_batch


def test_a_strategy_of_a_newer_program_is_shown_as_it_is_and_never_asked():
    assert named("of_a_newer_program").title == "of_a_newer_program"
    assert not named("of_a_newer_program").cold_start
    assert choices("of_a_newer_program") == [*STRATEGIES, "of_a_newer_program"]
    assert choices("margin") == list(STRATEGIES)
    with pytest.raises(LabelingError, match="no query strategy “of_a_newer_program”"):
        ranked("of_a_newer_program", random_vectors(3, rows=300))


def test_only_strategies_that_ask_the_most_uncertain_first_say_so():
    found = [name for name, each in STRATEGIES.items() if each.by_uncertainty]
    assert found == ["confidence", "margin", "entropy"]
