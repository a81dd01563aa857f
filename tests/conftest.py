"""Settings that all tests share."""

from hypothesis import HealthCheck, settings

# How long an example takes says more of the machine than of the code; no test here is a timing.
settings.register_profile("outlay", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("outlay")
