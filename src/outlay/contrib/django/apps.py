"""The app as Django loads it."""

from django.apps import AppConfig
from django.db.backends.signals import connection_created

from outlay.contrib.django.sums import teach


class OutlayConfig(AppConfig):
    """The app ``outlay``: calls of language models, and what they cost."""

    name = "outlay.contrib.django"
    label = "outlay"
    verbose_name = "outlay"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Teach SQLite to add exactly, on every connection that is opened."""
        connection_created.connect(teach, dispatch_uid="outlay_sum")
