"""Figures that people print: money whose text never has an exponent."""

from decimal import Decimal

from outlay.core.money import EXACT, text_of


class Money(Decimal):
    """An exact amount; as text it is plain, however small, and its sums are exact and of its kind."""

    __slots__ = ()

    def __str__(self) -> str:
        return text_of(Decimal(self))

    def __format__(self, specifier: str, /, *_: object) -> str:
        return format(Decimal(self), specifier) if specifier else str(self)

    def __add__(self, other: Decimal | int, /) -> "Money":
        return Money(EXACT.add(Decimal(self), Decimal(other)))

    def __radd__(self, other: Decimal | int, /) -> "Money":
        return self + other


class PlainFloat(float):
    """A float whose text has no exponent."""

    __slots__ = ()

    def __str__(self) -> str:
        return text_of(Decimal(repr(float(self))))

    def __format__(self, specifier: str, /) -> str:
        return super().__format__(specifier) if specifier else str(self)
