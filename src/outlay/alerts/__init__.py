"""Telling people when it gets dear, once for each crossing, and refusing calls where a rule asks for it."""

from outlay.alerts.budget import DAILY_BUDGET, check_budget
from outlay.alerts.send import send_alert
from outlay.core.errors import BudgetExceededError

__all__ = ["DAILY_BUDGET", "BudgetExceededError", "check_budget", "send_alert"]
