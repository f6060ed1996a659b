"""Inner loops of compiled code in vector registers: sums of rows, and a step of pursuit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

#: Numbers in a vector; on machines with narrower ones the compiler takes several.
LANES = 8
#: Lanes and vectors of a strip of columns, and how many rows are added to sums of their own, so
#: that an addition need not wait for the one before it: for most columns, and for the last ones.
_STRIPS = ((LANES, 4, 1), (LANES, 1, 4), (1, 1, 4))
#: An atom with a smaller independent fraction than this depends on those already chosen.
DEPENDENT = 1e-10

_INDEX = ir.IntType(64)
_FUSED = ["contract"]  # a product and a sum may be one instruction

#: Numba calls it with a typing context, which the calls do not have.
_intrinsic: Any = intrinsic


@_intrinsic
def add_rows(  # noqa: PLR0913  (numba calls it with what the call has)
    typing: Any, out: Any, weights: Any, rows: Any, numbers: Any, n: Any, first: Any, last: Any
) -> Any:
    """Add weights[i] × rows[numbers[i]] for all i < n to `out`, columns first ≤ j < last.

    Arrays are contiguous and of one precision. `out` may be a row, but not one that is added. In
    compiled code a call of ``add_rows(out, weights, rows, numbers, n, first, last)``.

    Loops over the columns inside of one over i store the sum at each i, and a compiler uses vectors
    only where it can prove, or test at each call, that `out` is none of the rows. Here the sum of
    32 columns stays in registers: systems of 60 equations are solved 2.5 times faster.
    """
    return types.void(out, weights, rows, numbers, n, first, last), _emit_add_rows


@_intrinsic
def orthogonalize(  # noqa: PLR0913
    typing: Any,
    row: Any,
    atom: Any,
    weights: Any,
    rows: Any,
    numbers: Any,
    n: Any,
    shorten: Any,
    step: Any,
    slope: Any,
    new: Any,
    steepest: Any,
    place: Any,
) -> Any:
    """Take a step of pursuit in one pass over the columns, and find the steepest slope after it.

    With q = shorten × (atom + Σᵢ weights[i] × rows[numbers[i]]), i < n: `row` becomes q, step × q
    is taken from `slope`, and q² from the independent fractions `new`. Then `steepest` has the
    bits, as an integer, of the largest |slope| where new > `DEPENDENT` (0 if there is none), and
    `place` its column: in turn of every ``LANES``-th column, and of those that fill no vector.

    Arrays are contiguous; `steepest` and `place` have length LANES + 1, of integers as wide as the
    numbers of the others. Loops for each of the five results would load and store all columns five
    times.
    """
    number = row.dtype
    arguments = (row, atom, weights, rows, numbers, n, number, number, slope, new, steepest, place)
    return types.void(*arguments), _emit_orthogonalize


def _arrays(context: Any, builder: Any, signature: Any, values: Any) -> list[Any]:
    """Return the arguments, arrays with their parts."""
    return [
        context.make_array(kind)(context, builder, value)
        if isinstance(kind, types.Array)
        else value
        for kind, value in zip(signature.args, values, strict=True)
    ]


def _emit_add_rows(context: Any, builder: Any, signature: Any, values: Any) -> Any:
    out, weights, rows, numbers, n, first, last = _arrays(context, builder, signature, values)

    def finish(total: Any, column: Any) -> None:
        _store(builder, total, out, column)

    _emit_sums(builder, (out, weights, rows, numbers), (n, first, last), finish)
    return context.get_dummy_value()


def _emit_orthogonalize(context: Any, builder: Any, signature: Any, values: Any) -> Any:
    row, *terms, n, shorten, step, slope, new, steepest, place = _arrays(
        context, builder, signature, values
    )
    integer = steepest.data.type.pointee
    best = {lanes: _variables(builder, integer, lanes) for lanes in (LANES, 1)}

    def take(array: Any, column: Any, factor: Any, direction: Any) -> Any:
        taken = builder.fmul(factor, direction, flags=_FUSED)
        left = builder.fsub(_load(builder, array, column, direction.type), taken, flags=_FUSED)
        _store(builder, left, array, column)
        return left

    def finish(total: Any, column: Any) -> None:
        lanes = total.type.count
        direction = builder.fmul(total, _splat(builder, shorten, lanes))
        _store(builder, direction, row, column)
        slopes = take(slope, column, _splat(builder, step, lanes), direction)
        fractions = take(new, column, direction, direction)
        independent = builder.fcmp_ordered(
            ">", fractions, _constant(fractions.type, [DEPENDENT] * lanes)
        )
        _note_steepest(builder, slopes, independent, column, best[lanes])

    columns = cgutils.unpack_tuple(builder, row.shape)[0]
    _emit_sums(builder, terms, (n, _INDEX(0), columns), finish)
    for lanes, first in ((LANES, 0), (1, LANES)):
        for variable, out in zip(best[lanes], (steepest, place), strict=True):
            _store(builder, builder.load(variable), out, _INDEX(first))
    return context.get_dummy_value()


def _note_steepest(
    builder: Any, slopes: Any, independent: Any, column: Any, best: tuple[Any, Any]
) -> None:
    """Keep the largest |slope| so far of each lane, and its column."""
    kind = best[0].type.pointee
    integer, lanes = kind.element, kind.count
    # Numbers ≥ 0 are ordered as the integers of the same bits are.
    magnitude = _constant(kind, [2 ** (integer.width - 1) - 1] * lanes)
    height = builder.and_(builder.bitcast(slopes, kind), magnitude)
    height = builder.select(independent, height, _constant(kind, [0] * lanes))
    first = builder.trunc(column, integer) if integer != _INDEX else column
    here = builder.add(_splat(builder, first, lanes), _constant(kind, list(range(lanes))))
    steeper = builder.icmp_signed(">", height, builder.load(best[0]))
    for variable, value in zip(best, (height, here), strict=True):
        builder.store(builder.select(steeper, value, builder.load(variable)), variable)


def _emit_sums(
    builder: Any, terms: Any, limits: tuple[Any, Any, Any], finish: Callable[[Any, Any], None]
) -> None:
    """Hand base + Σᵢ weights[i] × rows[numbers[i]] to `finish`, a vector of columns at a time."""
    n, first, last = limits
    for strip in _STRIPS:
        lanes, count, _ = strip
        width = _INDEX(lanes * count)
        length = builder.sub(last, first)
        whole = builder.add(first, builder.sub(length, builder.srem(length, width)))
        with cgutils.for_range_slice(builder, first, whole, width) as (column, _):
            columns = [builder.add(column, _INDEX(lanes * k)) for k in range(count)]
            totals = _emit_strip(builder, terms, n, columns, strip)
            for total, j in zip(totals, columns, strict=True):
                finish(total, j)
        first = whole


def _emit_strip(
    builder: Any, terms: Any, n: Any, columns: list[Any], strip: tuple[int, int, int]
) -> list[Any]:
    """Return the sums of a strip, one vector for each of its columns."""
    base, weights, rows, numbers = terms
    lanes, _, chains = strip
    vector = ir.VectorType(base.data.type.pointee, lanes)
    row_length = builder.udiv(builder.extract_value(rows.strides, 0), rows.itemsize)
    sums = [[cgutils.alloca_once(builder, vector) for _ in columns] for _ in range(chains)]

    def add(term: Any, total: Any) -> None:
        builder.store(builder.fadd(builder.load(total), term, flags=_FUSED), total)

    def add_row(i: Any, totals: list[Any]) -> None:
        weight = _splat(builder, builder.load(builder.gep(weights.data, [i])), lanes)
        which = builder.load(builder.gep(numbers.data, [i]))
        start = builder.mul(which, row_length)
        for total, j in zip(totals, columns, strict=True):
            value = _load(builder, rows, builder.add(start, j), vector)
            add(builder.fmul(weight, value, flags=_FUSED), total)

    for totals in sums:
        for total, j in zip(totals, columns, strict=True):
            first = _load(builder, base, j, vector) if totals is sums[0] else None
            builder.store(first or _constant(vector, [0] * lanes), total)
    whole = builder.sub(n, builder.srem(n, _INDEX(chains)))
    with cgutils.for_range_slice(builder, _INDEX(0), whole, _INDEX(chains)) as (i, _):
        for k, totals in enumerate(sums):
            add_row(builder.add(i, _INDEX(k)), totals)
    if chains > 1:
        with cgutils.for_range_slice(builder, whole, n, _INDEX(1)) as (i, _):
            add_row(i, sums[0])
    for total, *others in zip(*sums, strict=True):
        for other in others:
            add(builder.load(other), total)
    return [builder.load(total) for total in sums[0]]


def _constant(kind: Any, numbers: list[Any]) -> Any:
    return ir.Constant(kind, numbers)


def _splat(builder: Any, number: Any, lanes: int) -> Any:
    """Return a vector with one number in all lanes."""
    none = ir.Constant(ir.VectorType(number.type, lanes), ir.Undefined)
    zeros = ir.Constant(ir.VectorType(ir.IntType(32), lanes), [0] * lanes)
    first = builder.insert_element(none, number, ir.IntType(32)(0))
    return builder.shuffle_vector(first, none, zeros)


def _variables(builder: Any, number: Any, lanes: int) -> tuple[Any, Any]:
    """Return two variables for vectors, both zero."""
    vector = ir.VectorType(number, lanes)
    both = cgutils.alloca_once(builder, vector), cgutils.alloca_once(builder, vector)
    for variable in both:
        builder.store(_constant(vector, [0] * lanes), variable)
    return both


def _place(builder: Any, array: Any, j: Any, vector: Any) -> Any:
    return builder.bitcast(builder.gep(array.data, [j]), vector.as_pointer())


def _load(builder: Any, array: Any, j: Any, vector: Any) -> Any:
    """Load a vector from an array's element j on; elements are aligned, vectors need not be."""
    return builder.load(_place(builder, array, j, vector), align=4)


def _store(builder: Any, value: Any, array: Any, j: Any) -> None:
    builder.store(value, _place(builder, array, j, value.type), align=4)
