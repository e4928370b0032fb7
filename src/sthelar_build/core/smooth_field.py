"""A smooth field on a grid of nodes, by penalised least squares from scattered vectors, some of them wrong."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.linalg import splu

from sthelar_build.core.registration import weighted_quantiles

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

_LEVEL_UM = 2000.0
"""Far from all points the field levels off over about this length."""
_FARTHEST_UM = 32.0
_SHRINK = 0.5
_OUTLIER_SIGMAS = 4.0
_LEAST_OUTLIER_UM = 1.0
_MEDIAN_LENGTH = 1.177
"""Median length of a vector of two normal numbers of standard deviation 1."""


@dataclass(frozen=True)
class Grid:
    """Nodes of the um plane, ``step_um`` apart."""

    left_um: float
    top_um: float
    step_um: float
    shape: tuple[int, int]
    """Rows and columns."""

    @classmethod
    def around(cls, points_um: Floats, step_um: float) -> Grid:
        """Return nodes at multiples of the step around all points (n, 2), at least 3 x 3 of them.

        No farther: what lies beyond the points would be a guess.
        """
        first = np.floor(points_um.min(axis=0) / step_um)
        last = np.maximum(np.ceil(points_um.max(axis=0) / step_um), first + 2)
        columns, rows = (last - first + 1).astype(int).tolist()
        left_um, top_um = (first * step_um).tolist()
        return cls(left_um, top_um, step_um, (rows, columns))

    def basis(self, points_um: Floats) -> sparse.csr_array:
        """Return the cubic B-splines of all nodes, row by row, at points: (n, rows * columns)."""
        x, y = ((points_um - [self.left_um, self.top_um]) / self.step_um).T
        rows, columns = self.shape
        (node_x, value_x), (node_y, value_y) = _splines(x, columns), _splines(y, rows)
        node = node_y[:, :, None] * columns + node_x[:, None, :]
        value = value_y[:, :, None] * value_x[:, None, :]
        point = np.broadcast_to(np.arange(len(points_um))[:, None, None], node.shape)
        return sparse.csr_array(
            (value.ravel(), (point.ravel(), node.ravel())),
            shape=(len(points_um), rows * columns),
        )

    def at_nodes(self, coefficients: Floats) -> Floats:
        """Return the field (rows, columns, 2) at the nodes from its coefficients (rows * columns, 2)."""
        node_rows, node_columns = np.indices(self.shape)
        x_um = self.left_um + node_columns.ravel() * self.step_um
        y_um = self.top_um + node_rows.ravel() * self.step_um
        values = self.basis(np.stack([x_um, y_um], axis=1)) @ coefficients
        return np.asarray(values.reshape(*self.shape, 2))

    def roughness(self) -> sparse.csc_array:
        """Return the bending energy of the coefficients as a quadratic form, with a little of their slopes."""
        (bend_y, slope_y), (bend_x, slope_x) = (_differences(size) for size in self.shape)
        one_y, one_x = (sparse.eye_array(size) for size in self.shape)
        bends = sparse.kron(bend_y, one_x) + sparse.kron(one_y, bend_x)
        twist = 2 * sparse.kron(slope_y, slope_x)
        slopes = sparse.kron(slope_y, one_x) + sparse.kron(one_y, slope_x)
        return sparse.csc_array(bends + twist + (self.step_um / _LEVEL_UM) ** 2 * slopes)


@dataclass(frozen=True, eq=False)
class Scattered:
    """Vectors in um at points of the plane, ready to be fitted on a grid."""

    basis: sparse.csr_array
    roughness: sparse.csc_array
    vector_um: Floats
    """(n, 2)."""
    weight: Floats
    """(n,), 1 on average."""

    @classmethod
    def on(cls, grid: Grid, points_um: Floats, vector_um: Floats, weight: Floats) -> Scattered:
        """Prepare vectors (n, 2) at points (n, 2)."""
        scaled = weight / weight.mean()
        return cls(grid.basis(points_um), grid.roughness(), vector_um, scaled)

    def coefficients(self, weight: Floats, stiffness: float) -> Floats:
        """Return those (nodes, 2) of the field that minimises the weighted squares plus the stiffness times the roughness."""
        weighted = sparse.diags_array(weight) @ self.basis
        system = sparse.csc_array(self.basis.T @ weighted + stiffness * self.roughness)
        # The matrix is symmetric and positive definite: no pivoting is needed.
        factors = splu(
            system,
            permc_spec="MMD_AT_PLUS_A",
            diag_pivot_thresh=0.0,
            options={"SymmetricMode": True},
        )
        return np.asarray(factors.solve(weighted.T @ self.vector_um))

    def field(self, weight: Floats, stiffness: float) -> Floats:
        """Return the same field at the points (n, 2)."""
        return np.asarray(self.basis @ self.coefficients(weight, stiffness))

    def believed(self, stiffness: float) -> Bools:
        """Return which vectors (n,) agree with the field that most agree with.

        Notes
        -----
        Geman-McClure weights whose scale shrinks from far above all residuals to four times their spread:
        graduated non-convexity (Blake and Zisserman, Visual Reconstruction, 1987).
        """
        weight, farthest_um = self.weight, _FARTHEST_UM
        while True:
            off_um = np.linalg.norm(self.vector_um - self.field(weight, stiffness), axis=1)
            outlier_um = self._outlier_um(off_um)
            if farthest_um <= outlier_um:
                return np.asarray(off_um <= outlier_um)
            farthest_um = max(farthest_um * _SHRINK, outlier_um)
            weight = self.weight / (1 + (off_um / farthest_um) ** 2) ** 2

    def _outlier_um(self, off_um: Floats) -> float:
        (median_um,) = weighted_quantiles(off_um, self.weight, [0.5])
        return max(_OUTLIER_SIGMAS * median_um / _MEDIAN_LENGTH, _LEAST_OUTLIER_UM)


def _splines(place: Floats, size: int) -> tuple[NDArray[np.int64], Floats]:
    """Return the four nodes (n, 4) whose splines reach places (n,) in steps, and their values; mirrored at both ends."""
    before = np.clip(np.floor(place), 0, size - 2)
    t = (place - before)[:, None]
    values = np.hstack(
        [(1 - t) ** 3, 3 * t**3 - 6 * t**2 + 4, 1 + 3 * t + 3 * t**2 - 3 * t**3, t**3]
    )
    nodes = np.abs(before.astype(np.int64)[:, None] + np.arange(-1, 3))
    return np.where(nodes < size, nodes, 2 * (size - 1) - nodes), values / 6


def _differences(size: int) -> tuple[sparse.dia_array, sparse.dia_array]:
    """Return the sums of squared second and first differences of a line as quadratic forms."""
    slope = sparse.diags_array([-1.0, 1.0], offsets=[0, 1], shape=(size - 1, size))
    bend = sparse.diags_array([1.0, -2.0, 1.0], offsets=[0, 1, 2], shape=(size - 2, size))
    return bend.T @ bend, slope.T @ slope
