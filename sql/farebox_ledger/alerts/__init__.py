"""Alert rules, one set for Grafana, `farebox up` and `farebox alerts`: what is asked, and which answer is trouble."""

from farebox_ledger.alerts._catalogue import RULES
from farebox_ledger.alerts._changes import rules_in_force, webhook_address
from farebox_ledger.alerts._measure import LAG, Measured, firing, measure
from farebox_ledger.alerts._questions import UNTIL, alert_sql
from farebox_ledger.alerts._rules import Rule
from farebox_ledger.alerts._watcher import Watch, Watcher

__all__ = [
    "LAG",
    "RULES",
    "UNTIL",
    "Measured",
    "Rule",
    "Watch",
    "Watcher",
    "alert_sql",
    "firing",
    "measure",
    "rules_in_force",
    "webhook_address",
]
