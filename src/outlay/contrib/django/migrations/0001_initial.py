"""The table of calls, as it began."""

from django.db import migrations, models


class Migration(migrations.Migration):
    """Make the table and its indexes."""

    initial = True

    dependencies: tuple[tuple[str, str], ...] = ()

    operations = (
        migrations.CreateModel(
            name="Call",
            fields=[
                ("id", models.UUIDField(editable=False, primary_key=True, serialize=False)),
                ("at", models.DateTimeField(help_text="when it started")),
                ("provider", models.CharField(max_length=255)),
                ("model", models.CharField(max_length=255, null=True)),
                ("user", models.CharField(max_length=255, null=True)),
                (
                    "user_is_number",
                    models.BooleanField(default=False, help_text="whether 7 was given, and not '7'"),
                ),
                ("llm", models.CharField(max_length=255, null=True, verbose_name="model's id")),
                ("llm_is_number", models.BooleanField(default=False)),
                ("query_type", models.CharField(max_length=255, null=True)),
                ("session", models.CharField(max_length=255, null=True)),
                ("status", models.CharField(max_length=16)),
                ("error_type", models.CharField(max_length=255, null=True)),
                (
                    "input_tokens",
                    models.BigIntegerField(help_text="every prompt token, cached ones included"),
                ),
                ("cached_tokens", models.BigIntegerField()),
                ("cache_write_tokens", models.BigIntegerField()),
                ("output_tokens", models.BigIntegerField(help_text="reasoning included")),
                ("reasoning_tokens", models.BigIntegerField()),
                (
                    "cost",
                    models.DecimalField(
                        decimal_places=18,
                        help_text="NULL where nobody knows the price",
                        max_digits=38,
                        null=True,
                    ),
                ),
                ("currency", models.CharField(max_length=3)),
                ("cost_status", models.CharField(max_length=16)),
                ("latency_ms", models.FloatField(null=True)),
                ("entry", models.TextField(help_text="the whole record as JSON, money to the last digit")),
            ],
            options={
                "ordering": ("-at", "-id"),
                "indexes": [
                    models.Index(fields=["at"], name="outlay_at"),
                    models.Index(fields=["user", "at"], name="outlay_user_at"),
                    models.Index(fields=["model", "at"], name="outlay_model_at"),
                    models.Index(fields=["llm", "at"], name="outlay_llm_at"),
                ],
            },
        ),
    )
