"""Grids in any orientation, for the tests beside this file."""

import numpy as np
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from cardioseg.image.volume import Grid


@st.composite
def grids(draw: st.DrawFn) -> Grid:
    """Any small oblique grid, right- or left-handed."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    shape = draw(st.tuples(*[st.integers(1, 7)] * 3))
    axes = Rotation.random(random_state=int(rng.integers(2**31))).as_matrix() * rng.choice([-1, 1])
    numbers = [*rng.uniform(0.5, 10, (1, 3)), *rng.normal(0, 200, (1, 3)), *axes]
    spacing_mm, origin_mm, *directions = [tuple(map(float, three)) for three in numbers]
    return Grid(shape, spacing_mm, origin_mm, tuple(directions))
