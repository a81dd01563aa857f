"""How long ``import outlay`` takes beside an empty Python and a peer."""

from benchmarks.timing import process, show, take_turns

OURS = "import outlay; outlay.cost_of({'input': 9, 'output': 9}, provider='openai', model='gpt-4o')"
THEIRS = (
    "import genai_prices as g;"
    "g.calc_price(g.Usage(input_tokens=9, output_tokens=9), model_ref='gpt-4o', provider_id='openai')"
)


def main() -> None:
    """Print the table."""
    variants = {
        "python": process("-c", "pass"),
        "import outlay": process("-c", "import outlay"),
        "outlay, one call priced": process("-c", OURS),
        "import genai_prices": process("-c", "import genai_prices"),
        "genai_prices, one call priced": process("-c", THEIRS),
    }
    show("Start-up, wall clock of the whole process", take_turns(variants, 11), "python")


if __name__ == "__main__":
    main()
