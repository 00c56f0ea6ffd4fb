"""Loads Grafana's Foundation SDK without a warning to whoever runs farebox.

SDK 0.0.21 warns on import that it prefers the model dashboardv2. The classic one is what file provisioning and Grafana
11.6 to 13 all load.
"""

from __future__ import annotations

import warnings

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    from grafana_foundation_sdk.builders import common, dashboard, stat, table, text, timeseries
    from grafana_foundation_sdk.cog import builder, runtime
    from grafana_foundation_sdk.cog.encoder import JSONEncoder
    from grafana_foundation_sdk.cog.variants import Dataquery
    from grafana_foundation_sdk.models import common as common_models
    from grafana_foundation_sdk.models import dashboard as models

__all__ = [
    "Dataquery",
    "JSONEncoder",
    "builder",
    "common",
    "common_models",
    "dashboard",
    "models",
    "runtime",
    "stat",
    "table",
    "text",
    "timeseries",
]
