"""What doctor sees and says of alerts: rules that cannot be, and what a channel, or none, has taken yet."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from shlex import quote
from typing import TYPE_CHECKING, Any

from outlay.core.errors import JournalError, OutlayError
from outlay.core.instants import instant
from outlay.render.cells import many

if TYPE_CHECKING:  # loaded when the command runs
    from outlay.settings import Settings

_KEYS = {  # by channel: what sets it up
    "slack": "slack in [alerts], or OUTLAY_ALERT_SLACK",
    "mail": "smtp or email in [alerts], or OUTLAY_ALERT_SMTP or OUTLAY_ALERT_EMAIL",
    "apprise": "apprise in [alerts], or OUTLAY_ALERT_APPRISE",
}

Found = Mapping[str, Any]


def alerts_of(settings: "Settings") -> dict[str, Any]:
    """Count the rules and channels, and name the alerts that a channel has not taken yet."""
    import os

    from outlay.alerts.rules import rules_of
    from outlay.alerts.send import channels_of
    from outlay.alerts.state import State

    state = State(settings.alert_folder)
    try:
        channels = sorted(channels_of(settings.alerts, os.environ))
        return {
            "rules": len(rules_of(settings.alerts, settings.tz)),
            "channels": channels,
            "undelivered": list(state.undelivered(channels)),
        }
    except JournalError as error:  # of what was told
        return {"error": str(error), "file": str(state.path)}
    except OutlayError as error:
        return {"error": str(error)}


def off(alerts: Found, place: Found) -> Iterator[tuple[str, str]]:
    """Say why no alert is told, and what mends that."""
    if "file" in alerts:  # of what was told
        if not place["barred"]:  # else that is why
            do = f"move {quote(alerts['file'])} away; what stands now is then told once more"
            yield f"alerts are off ({alerts['error']})", do
    elif "error" in alerts:
        yield f"alerts are off ({alerts['error']})", "mend [alerts] in outlay.toml"


def undelivered(alerts: Found) -> Iterator[tuple[str, str]]:
    """Say of each channel what it refused, and what was taken by none and waits for none that is named."""
    named = alerts.get("channels", ())
    by_channel: defaultdict[str, list[Found]] = defaultdict(list)
    for each in alerts.get("undelivered", ()):
        by_channel[each["channel"]].append(each)
    for channel in sorted(by_channel.keys() & set(named)):
        if failed := [each for each in by_channel[channel] if each["error"]]:
            yield _refused(channel, failed)
    if left := [each for name, found in by_channel.items() if name not in named for each in found]:
        yield _left(left, ", ".join(named))


def _refused(channel: str, failed: list[Found]) -> tuple[str, str]:
    why, _, missing = failed[0]["error"].partition("; run: ")
    then = f"{min(instant(each['next']) for each in failed):%Y-%m-%d %H:%M:%S} UTC"
    mend = missing or f"mend {_KEYS[channel.partition(' ')[0]]}"
    what = f"{many(len(failed), 'alert')} could not be sent to {channel} ({why})"
    return what, f"{mend}; outlay alerts check tries again from {then} on"


def _left(left: list[Found], named: str) -> tuple[str, str]:
    count = len({(each["rule"], each["at"], each["message"]) for each in left})
    why = "; ".join(sorted({f"{each['channel']}: {each['error'] or 'it did not answer'}" for each in left}))
    what = f"{many(count, 'alert was', 'alerts were')} taken by no channel ({why}), and none that"
    what += " it waits for is named now" if count == 1 else " they wait for is named now"
    them = "it" if count == 1 else "them"
    if named:
        return what, f"outlay alerts check gives {them} to {named}"
    name = "name slack, apprise, or smtp and email in [alerts]"
    return what, f"{name}; outlay alerts check then gives {them} to that one"
