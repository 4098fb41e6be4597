from __future__ import annotations

import numpy as np

from riskseg.learning.split import folds_by_party, held_out_by_party

PARTIES = np.array([f"P{n // 3}" for n in range(6000)], dtype=object)


def test_a_party_is_on_one_side() -> None:
    held = held_out_by_party(PARTIES, 0.25, 7)
    assert (held.reshape(-1, 3).min(axis=1) == held.reshape(-1, 3).max(axis=1)).all()
    assert 0.22 < held.mean() < 0.28


def test_neither_order_nor_company_matters() -> None:
    held, folds = held_out_by_party(PARTIES, 0.25, 7), folds_by_party(PARTIES, 5, 7)
    some = np.random.default_rng(0).permutation(len(PARTIES))[:1000]
    assert (held_out_by_party(PARTIES[some], 0.25, 7) == held[some]).all()
    assert (folds_by_party(PARTIES[some], 5, 7) == folds[some]).all()


def test_folds_are_even_and_not_the_hold_out_again() -> None:
    held, folds = held_out_by_party(PARTIES, 0.25, 7), folds_by_party(PARTIES, 5, 7)
    assert sorted(set(folds.tolist())) == [0, 1, 2, 3, 4]
    for fold in range(5):
        assert 0.17 < (folds == fold).mean() < 0.23
        assert 0.15 < held[folds == fold].mean() < 0.35


def test_the_seed_matters() -> None:
    assert (held_out_by_party(PARTIES, 0.25, 7) != held_out_by_party(PARTIES, 0.25, 8)).any()
