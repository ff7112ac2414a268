from dataclasses import replace

import numpy as np
from small_models import small_model

from crewe.atoms.background import Mesh
from crewe.atoms.heights import solve_heights


def test_one_solve_returns_the_heights_and_the_background():
    model = small_model(mesh=Mesh(2, 2))
    columns = model.columns.copy()
    columns[:, 0] = 0
    empty = replace(model, columns=columns, knots=np.zeros(4))
    weight = np.random.default_rng(0).uniform(0.5, 2, (31, 43))
    solved, information = solve_heights(empty, model.image(), weight)
    assert np.allclose(solved.columns, model.columns, rtol=1e-3)
    assert np.allclose(solved.knots, model.knots, rtol=1e-2)
    assert np.all(information > 0)


def test_coinciding_columns_share_the_height():
    model = small_model()
    twice = np.concatenate([model.columns[:1], model.columns])
    twice[:, 0] = 0
    solved, _ = solve_heights(
        replace(model, columns=twice, knots=np.zeros(1)), model.image(), np.ones((31, 43))
    )
    assert np.isfinite(solved.columns).all()
    assert np.isclose(solved.columns[:2, 0].sum(), model.columns[0, 0], rtol=0.01)
