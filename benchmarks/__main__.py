"""Run every benchmark, one table after the other."""

from benchmarks import (
    clickhouse,
    daily,
    dashboard,
    imports,
    instrumented,
    ledger,
    memory,
    moves,
    postgresql,
    price_command,
    pricing,
    recording,
    reports,
    standard,
    startup,
    stop,
    trackers,
)

if __name__ == "__main__":
    answers = (startup, reports, dashboard, daily)
    kept = (ledger, imports, moves, clickhouse, postgresql, standard)
    calls = (instrumented, trackers, stop, memory)
    for benchmark in (*answers, pricing, price_command, recording, *kept, *calls):
        benchmark.main()
