"""Genes that panel and atlas share, by Ensembl id or by symbol, in whatever column the atlas has them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

_SHOWN = 5


@dataclass(frozen=True, eq=False)
class GeneMatch:
    """Which columns of the atlas hold which genes of the panel."""

    panel_columns: NDArray[np.intp]
    """(shared,): column in the panel of every shared gene, ascending."""
    atlas_columns: NDArray[np.intp]
    """(read,): columns of the atlas that hold them, ascending; more than shared where a gene has several."""
    targets: NDArray[np.intp]
    """(read,): number of the shared gene that each of them adds to."""
    by_id: int
    """Shared genes that were found by their id."""
    other_case: int
    """Shared genes that were found by their symbol once case was ignored."""
    id_column: str
    """Column of var with the ids; empty where none was of use."""
    symbol_column: str
    """Column of var with the symbols; empty where none was of use."""
    missing: tuple[str, ...]
    """Symbols of the panel's genes that the atlas lacks."""

    def fold(self, matrix: sp.csr_matrix) -> sp.csr_matrix:
        """Return (cells, shared) from (cells, read): columns of one gene are added up.

        Values have to be linear: logarithms do not add.
        """
        ones = np.ones(len(self.targets), dtype=np.float32)
        shape = (len(self.targets), len(self.panel_columns))
        places = sp.csr_matrix((ones, (np.arange(len(self.targets)), self.targets)), shape=shape)
        folded = sp.csr_matrix(matrix @ places)
        folded.sort_indices()
        return folded

    def in_words(self) -> str:
        """Return what was found, by what, and what is missing, on one line."""
        shared = len(self.panel_columns)
        n_panel, more = shared + len(self.missing), len(self.atlas_columns) - shared
        words = [f"{shared} of {n_panel} genes of the panel"]
        if self.by_id:
            words.append(f"{self.by_id} by id (var column {self.id_column})")
        if shared > self.by_id:
            case = f", {self.other_case} of them in another case" if self.other_case else ""
            words.append(f"{shared - self.by_id} by symbol (var column {self.symbol_column}{case})")
        if more:
            words.append(f"{more} further columns of the same genes added to them")
        if self.missing:
            rest = len(self.missing) - _SHOWN
            shown = ", ".join(self.missing[:_SHOWN]) + (f" and {rest} more" if rest > 0 else "")
            words.append(f"missing: {shown}")
        return "; ".join(words)


def match_genes(
    symbols: Sequence[str], gene_ids: Sequence[str], columns: Mapping[str, Sequence[str]]
) -> GeneMatch:
    """Find the genes of a panel in an atlas.

    Parameters
    ----------
    symbols, gene_ids
        The panel's; an empty id is none.
    columns
        Every column of text in the atlas's var, by name. The one that holds most of the panel's ids counts as
        its ids, the one that holds most of its symbols as its symbols; the first of equals.

    Notes
    -----
    Ids go before symbols, as symbols change. The version of an Ensembl id (``.7``) and the case of a symbol are
    ignored. Where several columns of the atlas have the same name, all are taken: their sum is the gene. A
    column of the atlas that one gene of the panel has is not given to another.
    """
    ids, plain = [_key(gene_id) for gene_id in gene_ids], [_key(symbol) for symbol in symbols]
    id_column, id_rows = _best_column(ids, columns)
    symbol_column, symbol_rows = _best_column(plain, columns)
    taken: set[int] = set()
    found = [_take(id_rows.get(gene_id, []), taken) for gene_id in ids]
    by_id = sum(map(bool, found))
    other_case = 0
    for number, symbol in enumerate(plain):
        if not found[number]:
            found[number] = _take(symbol_rows.get(symbol, []), taken)
            spelt = {columns[symbol_column][row].strip() for row in found[number]}
            other_case += bool(spelt) and str(symbols[number]).strip() not in spelt
    return _match(symbols, found, by_id, other_case, id_column, symbol_column)


def _take(rows: Sequence[int], taken: set[int]) -> list[int]:
    """Return the rows that no gene has yet, which are taken from now on."""
    free = [row for row in rows if row not in taken]
    taken.update(free)
    return free


def _key(name: str) -> str:
    """Return what two spellings of one gene share.

    >>> _key("ENSG00000167286.9"), _key(" Cd3d "), _key("RP11-34P13.7")
    ('ENSG00000167286', 'CD3D', 'RP11-34P13.7')
    """
    name = str(name).strip().upper()
    return name.partition(".")[0] if name.startswith("ENS") else name


def _best_column(
    wanted: Sequence[str], columns: Mapping[str, Sequence[str]]
) -> tuple[str, dict[str, list[int]]]:
    best, rows_of_best = "", dict[str, list[int]]()
    keys = {key for key in wanted if key}
    for name, values in columns.items():
        rows: dict[str, list[int]] = defaultdict(list)
        for row, value in enumerate(values):
            key = _key(value)
            if key in keys:
                rows[key].append(row)
        if len(rows) > len(rows_of_best):
            best, rows_of_best = name, dict(rows)
    return best, rows_of_best


def _match(
    symbols: Sequence[str],
    found: Sequence[Sequence[int]],
    by_id: int,
    other_case: int,
    id_column: str,
    symbol_column: str,
) -> GeneMatch:
    shared = [number for number, rows in enumerate(found) if rows]
    pairs = {row: target for target, number in enumerate(shared) for row in found[number]}
    atlas_columns = np.array(sorted(pairs), dtype=np.intp)
    return GeneMatch(
        panel_columns=np.array(shared, dtype=np.intp),
        atlas_columns=atlas_columns,
        targets=np.array([pairs[row] for row in atlas_columns.tolist()], dtype=np.intp),
        by_id=by_id,
        other_case=other_case,
        id_column=id_column if by_id else "",
        symbol_column=symbol_column if len(shared) > by_id else "",
        missing=tuple(str(symbols[n]) for n, rows in enumerate(found) if not rows),
    )
