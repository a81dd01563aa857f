"""Run every benchmark, one table after the other."""

from benchmarks import instrumented, ledger, price_command, pricing, recording, startup, stop, trackers

if __name__ == "__main__":
    for benchmark in (startup, pricing, price_command, recording, ledger, instrumented, trackers, stop):
        benchmark.main()
