"""outlay in a Django project: an app with a tracker, its table and admin, and a middleware.

``INSTALLED_APPS = […, "outlay.contrib.django"]``, then ``manage.py migrate``. Nothing here
imports Django until it is used.
"""

from outlay.contrib.django.tracker import DjangoUsageTracker

__all__ = ["DjangoUsageTracker"]
