"""Thirty-two float32 at a time, in kernels that numba compiles.

The compiler keeps such a value in registers (two of AVX-512, four of AVX2, eight of NEON), where a row of an array
would be loaded and stored at every turn of a loop. Every operation rounds alike on every machine, except that
:func:`multiply_add` rounds once where the processor can. The compiled code is cached with the kernels: numba does not
see changes of this file.
"""

# mypy: allow-untyped-decorators

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from llvmlite import ir  # type: ignore[import-untyped]
from numba.core import cgutils, types
from numba.core.imputils import lower_builtin
from numba.core.typing import signature
from numba.core.typing.templates import ConcreteTemplate, infer_global
from numba.extending import intrinsic, models, register_model

WIDTH = 32
_VECTOR = ir.VectorType(ir.FloatType(), WIDTH)
_INTEGERS = ir.VectorType(ir.IntType(32), WIDTH)
_FLOAT32_BYTES = 4
_EXPONENT_BITS, _EXPONENT_BIAS = 23, 127


class LanesType(types.Type):
    """The type that numba knows."""

    def __init__(self) -> None:
        super().__init__(name="Lanes")


LANES = LanesType()


@register_model(LanesType)
class _LanesModel(models.PrimitiveModel):  # type: ignore[misc]
    def __init__(self, manager: Any, kind: Any) -> None:
        super().__init__(manager, kind, _VECTOR)


def _address(context: Any, builder: Any, signature: Any, args: Any) -> Any:
    """Return the address of ``array[row, column]``, the first three arguments."""
    place = [context.cast(builder, args[n], signature.args[n], types.intp) for n in (1, 2)]
    kind = signature.args[0]
    array = context.make_array(kind)(context, builder, args[0])
    address = cgutils.get_item_pointer(context, builder, kind, array, place, wraparound=False)
    return builder.bitcast(address, _VECTOR.as_pointer())


@intrinsic
def load(typing: Any, array: Any, row: Any, column: Any) -> Any:
    """Return ``array[row, column : column + 32]``; the bounds are not checked."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.load(_address(context, builder, signature, args), align=_FLOAT32_BYTES)

    return LANES(array, row, column), generate


@intrinsic
def store(typing: Any, array: Any, row: Any, column: Any, value: Any) -> Any:
    """Write ``array[row, column : column + 32]``; the bounds are not checked."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        address = _address(context, builder, signature, args)
        builder.store(args[3], address, align=_FLOAT32_BYTES)
        return context.get_dummy_value()

    return types.none(array, row, column, value), generate


def _constant(value: float) -> Any:
    return ir.Constant(_VECTOR, [value] * WIDTH)


def _numbers(numbers: Sequence[int]) -> Any:
    return ir.Constant(ir.VectorType(ir.IntType(32), len(numbers)), list(numbers))


def _spread(builder: Any, value: Any) -> Any:
    nothing = ir.Constant(_VECTOR, ir.Undefined)
    first = builder.insert_element(nothing, value, ir.IntType(32)(0))
    return builder.shuffle_vector(first, nothing, _numbers([0] * WIDTH))


@intrinsic
def spread(typing: Any, value: Any) -> Any:
    """Return a float32 in every lane."""
    return LANES(types.float32), lambda _, builder, __, args: _spread(builder, args[0])


@intrinsic
def total(typing: Any, value: Any) -> Any:
    """Return the sum of the lanes: halves are added until one is left."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        left, half = args[0], WIDTH // 2
        while half:
            lower, upper = (
                builder.shuffle_vector(left, left, _numbers(range(first, first + half)))
                for first in (0, half)
            )
            left, half = builder.fadd(lower, upper), half // 2
        return builder.extract_element(left, ir.IntType(32)(0))

    return types.float32(LANES), generate


@intrinsic
def two_to_the(typing: Any, power: Any) -> Any:
    """Return 2 to a whole number from -126 to 127: the number goes where a float32 has its exponent."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        power = builder.fptosi(builder.fadd(args[0], _constant(_EXPONENT_BIAS)), _INTEGERS)
        bits = builder.shl(power, _numbers([_EXPONENT_BITS] * WIDTH))
        return builder.bitcast(bits, _VECTOR)

    return LANES(LANES), generate


def _by_llvm(name: str, n_arguments: int) -> Any:
    """Return the function of lanes that LLVM has under a name."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        kind = ir.FunctionType(_VECTOR, [_VECTOR] * n_arguments)
        function = cgutils.get_or_insert_function(builder.module, kind, f"llvm.{name}.v{WIDTH}f32")
        return builder.call(function, args)

    def one(typing: Any, a: Any) -> Any:
        return LANES(LANES), generate

    def two(typing: Any, a: Any, b: Any) -> Any:
        return LANES(LANES, LANES), generate

    def three(typing: Any, a: Any, b: Any, c: Any) -> Any:
        return LANES(LANES, LANES, LANES), generate

    return intrinsic((one, two, three)[n_arguments - 1])


multiply_add = _by_llvm("fmuladd", 3)
"""a * b + c."""
largest = _by_llvm("maxnum", 2)
smallest = _by_llvm("minnum", 2)
size = _by_llvm("fabs", 1)
square_root = _by_llvm("sqrt", 1)


@intrinsic
def unless_below(typing: Any, value: Any, limit: Any, measured: Any) -> Any:
    """Return the value, or 0 in lanes where ``measured`` is not above the limit."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        above = builder.fcmp_ordered(">", args[2], args[1])
        return builder.select(above, args[0], _constant(0.0))

    return LANES(LANES, LANES, LANES), generate


def _arithmetic(symbol: Callable[..., Any], instruction: str) -> None:
    """Teach numba an operator between lanes."""

    @infer_global(symbol)
    class _Typed(ConcreteTemplate):  # type: ignore[misc]
        cases: ClassVar = [signature(LANES, LANES, LANES)]

    @lower_builtin(symbol, LANES, LANES)
    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return getattr(builder, instruction)(*args)


_arithmetic(operator.add, "fadd")
_arithmetic(operator.sub, "fsub")
_arithmetic(operator.mul, "fmul")
_arithmetic(operator.truediv, "fdiv")
