"""What a checkpoint's ``config`` says besides the architecture: class names, magnification, normalisation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sthelar_build.errors import InputError
from sthelar_build.schema.pannuke import NUCLEI_TYPES, TISSUE_TYPES


def nested(config: Any, source: str) -> dict[str, Any]:
    """Return a config whose keys are joined by dots as nested dictionaries."""
    if not isinstance(config, Mapping):
        raise InputError(f"{source}: expected config to be a table, found {type(config).__name__}")
    tree: dict[str, Any] = {}
    for (*parents, leaf), value in _leaves(config):
        place = tree
        for parent in parents:
            place = place.setdefault(parent, {})
            if not isinstance(place, dict):
                raise InputError(
                    f"{source}: config has {parent} both as a value and in {'.'.join([*parents, leaf])}"
                )
        place[leaf] = value
    return tree


def _leaves(config: Mapping[Any, Any]) -> Iterator[tuple[list[str], Any]]:
    for key, value in config.items():
        path = str(key).split(".")
        if isinstance(value, Mapping) and value:
            yield from (([*path, *rest], leaf) for rest, leaf in _leaves(value))
        else:
            yield path, value


def at(config: Mapping[str, Any], *keys: str) -> Any:
    """Return the value under nested keys, or None."""
    value: Any = config
    for key in keys:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def nuclei_types(config: Mapping[str, Any], n: int, source: str) -> dict[str, int]:
    """Return name -> index of the n classes of nuclei; those of PanNuke where the file names none and has as many."""
    given = at(config, "dataset_config", "nuclei_types")
    if given is None:
        given = NUCLEI_TYPES if n == len(NUCLEI_TYPES) else {}
    if (
        not _are_indices(given)
        or len(set(given.values())) < len(given)
        or max(given.values(), default=0) >= n
    ):
        raise InputError(
            f"{source}: expected dataset_config.nuclei_types to give names distinct indices 0 to {n - 1}, found {given}"
        )
    return _each_named(given, n)


def tissue_types(config: Mapping[str, Any], n: int, source: str) -> dict[str, int]:
    """Return name -> index of the n tissues, as :func:`nuclei_types`.

    Names beyond the head are left out: networks trained without tissue labels keep PanNuke's list with a head of one.
    """
    given = at(config, "dataset_config", "tissue_types")
    if given is None:
        given = TISSUE_TYPES if n == len(TISSUE_TYPES) else {}
    if not _are_indices(given):
        raise InputError(
            f"{source}: expected dataset_config.tissue_types to give names an index, found {given}"
        )
    return _each_named(given, n)


def magnification(config: Mapping[str, Any], source: str) -> int:
    """Return 20 or 40; 40 where the file does not say."""
    found = at(config, "data", "magnification")
    if found is None:
        return 40
    if found not in (20, 40):
        raise InputError(f"{source}: expected data.magnification 20 or 40, found {found}")
    return int(found)


def per_channel(config: Mapping[str, Any], key: str, source: str) -> tuple[float, float, float]:
    """Return the ``mean`` or ``std`` of the normalisation; one half where the file does not say."""
    found = at(config, "transformations", "normalize", key)
    try:
        red, green, blue = (float(value) for value in (found or (0.5, 0.5, 0.5)))
    except (TypeError, ValueError) as error:
        raise InputError(
            f"{source}: expected transformations.normalize.{key} to be three numbers, found {found}"
        ) from error
    return red, green, blue


def _are_indices(given: Any) -> bool:
    return isinstance(given, Mapping) and all(
        isinstance(index, int) and index >= 0 for index in given.values()
    )


def _each_named(given: Mapping[str, int], n: int) -> dict[str, int]:
    names = {index: str(name) for name, index in given.items()}
    return {names.get(index, f"class {index}"): index for index in range(n)}
