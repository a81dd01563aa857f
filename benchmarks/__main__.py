"""Run every benchmark, one table after the other."""

from benchmarks import instrumented, pricing, recording, startup

if __name__ == "__main__":
    for benchmark in (startup, pricing, recording, instrumented):
        benchmark.main()
