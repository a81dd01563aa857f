"""The table of calls: one row a call, with what it used and what it cost."""

from django.db import models

NAME = 255  # characters of a name; a longer one is cut, and stands in the entry as a whole


class Call(models.Model):
    """One call of a model. A name that was not given is NULL, and never an empty text."""

    id = models.UUIDField(primary_key=True, editable=False)
    at = models.DateTimeField(help_text="when it started")
    provider = models.CharField(max_length=NAME)
    model = models.CharField(max_length=NAME, null=True)  # noqa: DJ001 - see above
    user = models.CharField(max_length=NAME, null=True)  # noqa: DJ001 - see above
    user_is_number = models.BooleanField(default=False, help_text="whether 7 was given, and not '7'")
    llm = models.CharField("model's id", max_length=NAME, null=True)  # noqa: DJ001 - see above
    llm_is_number = models.BooleanField(default=False)
    query_type = models.CharField(max_length=NAME, null=True)  # noqa: DJ001 - see above
    session = models.CharField(max_length=NAME, null=True)  # noqa: DJ001 - see above
    status = models.CharField(max_length=16)
    error_type = models.CharField(max_length=NAME, null=True)  # noqa: DJ001 - see above
    input_tokens = models.BigIntegerField(help_text="every prompt token, cached ones included")
    cached_tokens = models.BigIntegerField()
    cache_write_tokens = models.BigIntegerField()
    output_tokens = models.BigIntegerField(help_text="reasoning included")
    reasoning_tokens = models.BigIntegerField()
    cost = models.DecimalField(
        max_digits=38, decimal_places=18, null=True, help_text="NULL where nobody knows the price"
    )
    currency = models.CharField(max_length=3)
    cost_status = models.CharField(max_length=16)
    latency_ms = models.FloatField(null=True)
    entry = models.TextField(help_text="the whole record as JSON, money to the last digit")

    class Meta:
        """Newest first in the admin; indexes for totals by period, user, model and model's id."""

        ordering = ("-at", "-id")
        indexes = (
            models.Index(fields=["at"], name="outlay_at"),
            models.Index(fields=["user", "at"], name="outlay_user_at"),
            models.Index(fields=["model", "at"], name="outlay_model_at"),
            models.Index(fields=["llm", "at"], name="outlay_llm_at"),
        )

    def __str__(self) -> str:
        return f"{self.provider}/{self.model} {self.at:%Y-%m-%d %H:%M:%S}"
