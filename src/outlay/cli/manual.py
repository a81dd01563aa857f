"""The end of each command's help: examples that work as they stand, and what its exit codes mean."""

import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

import click


class Example(NamedTuple):
    """A command line, and what it is for."""

    line: str
    says: str


HELP = ["-h", "--help"]
_NEXT_CODE = re.compile(r"(?<=,) (?=\d )")
COMMON_CODES = "0 done, 1 the answer is no, the work failed or no such file, 2 the command line is wrong"
CODES: Mapping[str, str] = MappingProxyType(
    {
        "outlay alerts check": "0 nothing new, 1 a rule fired or a channel took no alert, 2 a rule is wrong",
        "outlay doctor": "0 calls are kept and found, 1 either fails or alerts are off, 2 wrongly called",
        "outlay init": "0 written, 1 there is one already or it cannot be written, 2 wrongly called",
        "outlay ledger verify": "0 all agrees, 1 something does not, 2 wrongly called",
        "outlay run": "the program's own; 1 no such program, 2 wrongly called",
        "outlay price": "0 every line was read, 1 some line or the file was not, 2 wrongly called",
        "outlay import": "0 every row was taken, 1 some row or file was not, 2 wrongly called",
    }
)
"""Of commands whose codes mean more than the common ones."""

EXAMPLES: Mapping[str, Sequence[Example]] = MappingProxyType(
    {
        "outlay": [
            Example("outlay", "today, the last seven days, this month"),
            Example("outlay run my_script.py", "record a program"),
            Example("outlay report --by model --since 7d", "ask"),
        ],
        "outlay init": [
            Example("outlay init", "into this folder"),
            Example("outlay init --ledger postgresql://localhost/outlay", "with that line set"),
        ],
        "outlay demo": [
            Example("outlay demo --multi --seed 1 --no-sleep", "the same calls each time"),
            Example("outlay demo --calls 20 --ledger memory:", "keep nothing"),
        ],
        "outlay run": [
            Example("outlay run my_script.py --its-own-option", "a file"),
            Example("outlay run -m pytest tests", "a module"),
            Example("outlay run --tag feature=search gunicorn app:app", "a command, and all its workers"),
        ],
        "outlay report": [
            Example("outlay report --by model --order cost", "the dearest first"),
            Example("outlay report --by day,user --since 30d --tz Europe/Berlin", "days of a zone"),
            Example("outlay report --where tag:team=search --where status=error --json", "filters"),
            Example("outlay report --by query_type --metric p90_latency_ms --csv", "further figures"),
        ],
        "outlay top": [
            Example("outlay top -n 5 --by latency", "the slowest calls"),
            Example("outlay top --of features --since month", "what is dear"),
        ],
        "outlay users": [Example("outlay users --since month", "what each user costs")],
        "outlay trend": [Example("outlay trend --by week", "week against week")],
        "outlay forecast": [Example("outlay forecast", "the end of the month")],
        "outlay latency": [Example("outlay latency --by model", "percentiles, and the slow calls")],
        "outlay errors": [Example("outlay errors --since 24h", "what failed since yesterday")],
        "outlay cache": [Example("outlay cache --by model", "what caching saved")],
        "outlay quality": [Example("outlay quality --by model", "scores beside costs")],
        "outlay economics": [Example("outlay economics --by query_type", "cost a success")],
        "outlay savings": [Example("outlay savings --since 30d", "what would have been cheaper")],
        "outlay calls": [
            Example("outlay calls -n 20 --where user=u1", "newest first"),
            Example("outlay calls --json", "all that is known of each"),
        ],
        "outlay explain": [Example("outlay explain 01a2", "the start of an id is enough")],
        "outlay price": [
            Example("outlay price responses.jsonl", "a file"),
            Example("cat responses.jsonl | outlay price -", "standard input"),
        ],
        "outlay prices": [Example("outlay prices show gpt-4o", "what it costs, and since when")],
        "outlay prices show": [
            Example("outlay prices show claude-sonnet-4-5", "every rate and tariff"),
            Example("outlay prices show gpt-4o --at 2024-09-01", "the price of that day"),
        ],
        "outlay prices set": [
            Example(
                "outlay prices set own-7b --provider acme --input 0.20 --output 0.60", "a model of your own"
            ),
            Example(
                "outlay prices set gpt-4o --provider openai --input 2 --output 8 --from 2026-12-01",
                "a contract",
            ),
            Example(
                "outlay prices set our-70b --provider vllm --gpu-hour 2.40 --tokens-per-hour output=6000000",
                "hardware by the hour",
            ),
            Example("outlay prices set --exchange CNY/USD=0.1409 --from 2026-10-01", "a rate of exchange"),
        ],
        "outlay prices diff": [Example("outlay prices diff", "the book beside genai-prices")],
        "outlay prices update": [
            Example("outlay prices update --url prices.json.gz --dry-run", "what would change"),
        ],
        "outlay reprice": [Example("outlay reprice --since 30d --dry-run", "what would change")],
        "outlay whatif": [Example("outlay whatif --model gpt-4o-mini --since 7d", "as if on another model")],
        "outlay review": [Example("outlay review --week last --html letter.html", "last week, as a page")],
        "outlay watch": [Example("outlay watch", "until Ctrl-C")],
        "outlay dashboard": [
            Example("outlay dashboard", "live, in the browser"),
            Example("outlay dashboard --png spend.png", "one picture"),
            Example("outlay dashboard --html spend.html", "one page that works offline"),
        ],
        "outlay import": [
            Example("outlay import llm_calls.jsonl spend.csv.gz", "recognised by their shape"),
            Example("outlay import calls.csv --map at=When --map cost=USD", "columns of other names"),
        ],
        "outlay sql": [
            Example("outlay sql 'SELECT model, sum(cost) FROM calls GROUP BY model'", "DuckDB's SQL")
        ],
        "outlay export": [
            Example("outlay export --format jsonl --output calls.jsonl", "everything"),
            Example("outlay export --format csv --since 30d", "to standard output"),
        ],
        "outlay ship": [
            Example("outlay ship --ledger postgresql://localhost/outlay", "what is pending, once"),
            Example("outlay ship --ledger postgresql://old.example/outlay --forget", "after a move"),
        ],
        "outlay ledger": [Example("outlay ledger info", "where it is, and how large")],
        "outlay ledger info": [Example("outlay ledger info --json", "for a program")],
        "outlay ledger migrate": [Example("outlay ledger migrate", "to the newest form")],
        "outlay ledger compact": [Example("outlay ledger compact", "after a prune")],
        "outlay ledger prune": [Example("outlay ledger prune --older-than 400d --dry-run", "what would go")],
        "outlay ledger late": [
            Example("outlay ledger late", "calls that came after their day was pruned"),
            Example("outlay ledger late --count-in --dry-run", "what counting them in would add"),
            Example("outlay ledger late --discard --yes", "give them up, without being asked"),
        ],
        "outlay ledger verify": [Example("outlay ledger verify", "journals, ledger and totals agree")],
        "outlay alerts": [Example("outlay alerts list", "how the rules stand")],
        "outlay alerts check": [
            Example("*/5 * * * * cd /srv/app && .venv/bin/outlay alerts check", "as a line of a crontab"),
            Example("outlay alerts check --dry-run", "tell nobody"),
        ],
        "outlay alerts list": [Example("outlay alerts list --json", "for a program")],
        "outlay doctor": [
            Example("outlay doctor", "the last line is the first thing to do"),
            Example("outlay doctor --acknowledge", "losses and faulty lines were looked at"),
        ],
        "outlay completion": [
            Example('eval "$(outlay completion bash)"', "in ~/.bashrc"),
            Example('eval "$(outlay completion zsh)"', "in ~/.zshrc"),
            Example("outlay completion fish > ~/.config/fish/completions/outlay.fish", "for fish"),
        ],
    }
)
"""By command, what people type most; tests see to it that each is understood."""


def with_manual(command: click.Command, path: str) -> click.Command:
    """Put examples and exit codes at the end of a command's help, shown by -h too, and of those below it."""
    command.epilog = epilog(path)
    command.context_settings["help_option_names"] = HELP
    if isinstance(command, click.Group) and path != "outlay":
        for name, inner in command.commands.items():
            with_manual(inner, f"{path} {name}")
    return command


def epilog(path: str) -> str:
    """Give the end of a command's help; a command that nobody gave an example has its codes alone."""
    shown = [f"  {line}\n      {says}" for line, says in EXAMPLES.get(path, ())]
    examples = "\b\nExamples:\n" + "\n".join(shown) + "\n\n" if shown else ""
    codes = _NEXT_CODE.sub("\n  ", CODES.get(path, COMMON_CODES))  # together they are wider than a terminal
    return f"{examples}\b\nExit codes:\n  {codes}."
