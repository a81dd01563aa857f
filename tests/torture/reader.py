"""A program that asks its ledger all the time, as long as it is let live."""

import outlay

if __name__ == "__main__":
    with outlay.open() as ledger:
        while True:
            print(ledger.report().total["calls"], flush=True)  # noqa: T201  # its one output
