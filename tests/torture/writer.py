"""A program that records calls, and prints how many are safe as often as it knows: NAME TOTAL [PAUSE]."""

import sys
import time

import outlay

NAME, TOTAL = sys.argv[1], int(sys.argv[2])
PAUSE = float(sys.argv[3]) if len(sys.argv) > 3 else 0.0
STEP = 20


def main() -> None:
    """Record; a number on a line of its own says that so many calls have been confirmed by a flush."""
    done = 0
    while done < TOTAL:
        for _ in range(STEP):
            outlay.record(
                provider="openai",
                model="gpt-4o",
                input_tokens=1000,
                output_tokens=done % 500,
                user=NAME,
                session=f"{NAME}-{done}",
            )
            done += 1
        if outlay.flush(30):
            print(done, flush=True)  # noqa: T201  # its one output
        time.sleep(PAUSE)


if __name__ == "__main__":
    main()
