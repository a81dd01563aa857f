"""The one tree of errors that outlay raises.

OutlayError
├── UsageError           a count, unit or field of a call that cannot be (negative, of another kind, absurd)
├── ResponseError        a response body that cannot be read
├── UnknownModelError    a model without a price, where a price was demanded (also a KeyError)
├── PriceBookError       price data that break the book's rules
│   └── PriceFileError   likewise in prices of one's own
├── QueryError           a dimension, filter, period or time zone that does not exist
├── SettingsError        a setting that cannot be
├── NoLedgerError        a ledger that somebody names where there is none
├── NotSupportedError    something that is named but not built yet
├── CallError            a call of a model that failed, every attempt of it (also a RuntimeError)
├── ImportFileError      a file of calls that cannot be read at all
├── NotACallError        a row of such a file that tells of something else than a call
├── BudgetExceededError  a call that a budget with ``stop = true`` does not let through (also a RuntimeError)
├── MissingExtraError    an optional dependency that is not installed (also an ImportError)
├── JournalError         a journal that cannot be written or read
└── LedgerError          a ledger that cannot be opened, read or written
    ├── RefusedEntryError an entry that a ledger cannot keep, while it keeps others
    ├── LedgerBusyError  another process holds the ledger for longer than we wait
    └── LedgerSchemaError a ledger written by a newer outlay
"""

ASK_DOCTOR = "outlay doctor says what to do"


class OutlayError(Exception):
    """The root of all errors of outlay; its text is one line that says what to do."""


class UsageError(OutlayError, ValueError):
    """A count, unit or field of a call that cannot be: negative, of another kind, or absurdly large."""


class ResponseError(OutlayError, ValueError):
    """A provider's response, event or stream text that cannot be read at all."""


class UnknownModelError(OutlayError, KeyError):
    """A model that the price book does not hold, where the caller demanded a price."""

    def __str__(self) -> str:
        """Give the message itself; KeyError would show its repr."""
        return str(self.args[0]) if self.args else ""


class PriceBookError(OutlayError, ValueError):
    """Price data that break the rules of the book's format."""


class PriceFileError(PriceBookError):
    """A price of one's own, or the file that holds it, that breaks the rules of the format."""


class QueryError(OutlayError, ValueError):
    """A question with an unknown dimension, filter, period or time zone."""


class SettingsError(OutlayError, ValueError):
    """A setting, from a file, the environment or a call, that cannot be."""


class NoLedgerError(OutlayError):
    """A ledger that was named on a command line, as a folder, where there is none."""


class NotSupportedError(OutlayError, NotImplementedError):
    """Something that has a name in outlay but is not built yet."""


class CallError(OutlayError, RuntimeError):
    """A call of a model that failed, and every further attempt with it; its cause is the provider's error."""


class ImportFileError(OutlayError, ValueError):
    """A file of calls that cannot be read at all; single bad rows are reported instead."""


class NotACallError(OutlayError, ValueError):
    """A row that tells of something else than a call of a model, and is left out."""


class BudgetExceededError(OutlayError, RuntimeError):
    """A call that was not made: a rule with ``stop = true`` says that its budget is spent."""


class MissingExtraError(OutlayError, ImportError):
    """An optional dependency that is needed now and not installed."""

    @classmethod
    def of(cls, extra: str, package: str) -> "MissingExtraError":
        """Say which extra brings the package that is missing."""
        return cls(f'{package} is not installed; run: pip install "outlay[{extra}]"')


class JournalError(OutlayError, OSError):
    """A journal folder or file that cannot be written or read."""


class LedgerError(OutlayError):
    """A ledger that cannot be opened, read or written."""


class RefusedEntryError(LedgerError):
    """An entry that a ledger cannot keep, while it keeps others; trying again is of no use."""


class LedgerBusyError(LedgerError):
    """Another process held the ledger for longer than we were willing to wait."""


class LedgerSchemaError(LedgerError):
    """A ledger that was written by a newer outlay than this one."""
