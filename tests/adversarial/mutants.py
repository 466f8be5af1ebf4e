"""Mutants: damaged copies of good files, equal for equal seeds."""

from collections.abc import Callable
from random import Random

_HEAD = 2048  # where headers are; half of the damage goes there
_EXTREMES = (b"\0\0", b"\xff\xff", b"\0\0\0\0", b"\xff\xff\xff\xff", b"\xff\xff\xff\x7f", b"\0\0\0\x80", b"\1\0\0\0")


def mutate(content: bytes, rng: Random) -> bytes:
    """One to four kinds of damage, one after another."""
    for _ in range(rng.choice((1, 1, 1, 2, 3, 4))):
        content = rng.choice(_DAMAGES)(content, rng)
    return content


def _place(content: bytes, rng: Random) -> int:
    reach = min(_HEAD, len(content)) if rng.random() < 0.5 else len(content)
    return rng.randrange(reach) if reach else 0


def _replaced(content: bytes, start: int, stop: int, by: bytes) -> bytes:
    return content[:start] + by + content[stop:]


def _flip_bit(content: bytes, rng: Random) -> bytes:
    at = _place(content, rng)
    return _replaced(content, at, at + 1, bytes(byte ^ 1 << rng.randrange(8) for byte in content[at : at + 1]))


def _random_bytes(content: bytes, rng: Random) -> bytes:
    at, length = _place(content, rng), rng.randint(1, 8)
    return _replaced(content, at, at + length, rng.randbytes(length))


def _extreme_number(content: bytes, rng: Random) -> bytes:
    at, extreme = _place(content, rng), rng.choice(_EXTREMES)
    return _replaced(content, at, at + len(extreme), extreme)


def _truncate(content: bytes, rng: Random) -> bytes:
    return content[: _place(content, rng)]


def _insert(content: bytes, rng: Random) -> bytes:
    at = _place(content, rng)
    return _replaced(content, at, at, rng.randbytes(rng.randint(1, 64)))


def _delete(content: bytes, rng: Random) -> bytes:
    at = _place(content, rng)
    return _replaced(content, at, at + rng.randint(1, 64), b"")


def _repeat(content: bytes, rng: Random) -> bytes:
    at, length = _place(content, rng), rng.randint(4, 512)
    return _replaced(content, at, at, content[at : at + length] * rng.randint(1, 20))


def _move(content: bytes, rng: Random) -> bytes:
    origin, to, length = _place(content, rng), _place(content, rng), rng.randint(2, 128)
    return _replaced(content, to, to + length, content[origin : origin + length])


_DAMAGES: tuple[Callable[[bytes, Random], bytes], ...] = (
    _flip_bit, _flip_bit, _flip_bit, _random_bytes, _extreme_number, _extreme_number,
    _truncate, _insert, _delete, _repeat, _move
)  # fmt: skip
