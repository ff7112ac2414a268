import numpy as np
from small_models import small_model

from crewe.atoms.noise import NoiseModel
from crewe.atoms.problem import Problem

NOISE = NoiseModel(0.1, 0.2, 1e-6)


def problem_of(model, **options):
    return Problem(model.image(), lambda residual, expected: NOISE, **options)


def test_weights_are_the_inverse_variance_or_uniform(model):
    expected = model.image()
    weighted = problem_of(model, kinds=None).weight(NOISE, expected)
    assert np.allclose(weighted, 1 / (0.1 + 0.2 * expected))
    assert np.ptp(problem_of(model, kinds=None, uniform=True).weight(NOISE, expected)) == 0


def test_own_counts_the_parameters_of_one_column(model):
    kinds = np.zeros(12, int)
    assert problem_of(model, kinds=None).own == 4
    assert problem_of(model, kinds=kinds).own == 3
    assert problem_of(model, kinds=kinds, free="hw").own == 1
    assert problem_of(model, kinds=kinds, free="hxy").own == 3


def test_information_is_positive_definite_even_for_coinciding_columns():
    from dataclasses import replace

    model = small_model()
    twice = replace(model, columns=np.concatenate([model.columns[:1], model.columns]))
    problem = problem_of(twice, kinds=np.zeros(13, int))
    information = problem.information(twice, np.ones((31, 43))).toarray()
    assert np.linalg.eigvalsh(information).min() > 0
