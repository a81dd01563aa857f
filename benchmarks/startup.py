"""How long ``import outlay`` takes beside an empty Python and a peer."""

from benchmarks.timing import process, show, take_turns


def main() -> None:
    """Print the table."""
    variants = {
        "python": process("-c", "pass"),
        "import outlay": process("-c", "import outlay"),
        "import genai_prices": process("-c", "import genai_prices"),
    }
    show("Start-up, wall clock of the whole process", take_turns(variants, 11), "python")


if __name__ == "__main__":
    main()
