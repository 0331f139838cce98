"""One profile for all properties: many examples, the same on every run."""

from hypothesis import HealthCheck, settings

settings.register_profile(
    "core",
    max_examples=250,
    derandomize=True,
    deadline=None,
    database=None,
    print_blob=True,
    report_multiple_bugs=False,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("core")
