"""Run every benchmark, one table after the other."""

from benchmarks import (
    daily,
    instrumented,
    ledger,
    price_command,
    pricing,
    recording,
    reports,
    startup,
    stop,
    trackers,
)

if __name__ == "__main__":
    answers = (startup, reports, daily)
    for benchmark in (*answers, pricing, price_command, recording, ledger, instrumented, trackers, stop):
        benchmark.main()
