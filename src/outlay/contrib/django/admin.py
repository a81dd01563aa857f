"""The admin: calls to look at, with the totals of whatever the filters leave; nothing can be changed."""

from typing import Any

from django.contrib import admin

from outlay.contrib.django.models import Call
from outlay.contrib.django.totals import admin_totals
from outlay.render.cells import dollars


@admin.register(Call)
class CallAdmin(admin.ModelAdmin):
    """Calls, newest first."""

    list_display = (
        "at",
        "provider",
        "model",
        "user",
        "input_tokens",
        "output_tokens",
        "shown_cost",
        "status",
    )
    list_filter = ("provider", "model", "status", "cost_status", "query_type")
    search_fields = ("user", "model", "session", "error_type")
    date_hierarchy = "at"
    show_full_result_count = False
    change_list_template = "admin/outlay/call/change_list.html"

    @admin.display(description="cost", ordering="cost")  # type: ignore[untyped-decorator] # Django has no types
    def shown_cost(self, call: Call) -> str:
        """Show a cost with six digits; one that nobody knows says so."""
        return dollars(call.cost, call.currency)

    def changelist_view(self, request: Any, extra_context: dict[str, Any] | None = None) -> Any:
        """Add the totals of all calls that the list is made of, on every page of it."""
        response = super().changelist_view(request, extra_context)
        context = getattr(response, "context_data", None) or {}
        if "cl" in context:
            totals = admin_totals(context["cl"].queryset)
            shown = [{**row, "dollars": dollars(row["dollars"])} for row in totals["models"]]
            context["totals"] = {**totals, "dollars": dollars(totals["dollars"]), "models": shown}
        return response

    def has_add_permission(self, request: Any) -> bool:  # noqa: ARG002 - Django's signature
        """Nobody adds calls by hand."""
        return False

    def has_change_permission(self, request: Any, obj: Call | None = None) -> bool:  # noqa: ARG002 - likewise
        """Nobody changes what was recorded."""
        return False

    def has_delete_permission(self, request: Any, obj: Call | None = None) -> bool:  # noqa: ARG002 - likewise
        """Nor deletes it."""
        return False
