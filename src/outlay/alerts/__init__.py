"""Telling people when it gets dear."""

from outlay.alerts.budget import DAILY_BUDGET, check_budget
from outlay.alerts.send import send_alert

__all__ = ["DAILY_BUDGET", "check_budget", "send_alert"]
