"""Run every benchmark, one table after the other."""

from benchmarks import (
    clickhouse,
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
    kept = (ledger, clickhouse)
    for benchmark in (*answers, pricing, price_command, recording, *kept, instrumented, trackers, stop):
        benchmark.main()
