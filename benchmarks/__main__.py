"""Run every benchmark, one table after the other."""

from benchmarks import instrumented, ledger, price_command, pricing, recording, startup

if __name__ == "__main__":
    for benchmark in (startup, pricing, price_command, recording, ledger, instrumented):
        benchmark.main()
