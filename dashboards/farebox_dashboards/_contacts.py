"""Whom Grafana tells of alerts: e-mail, Slack, a webhook, PagerDuty, each where its variable is set.

Files refer to the variables, so that no secret is written down; a push gives Grafana their values.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from farebox_dashboards._yaml import as_yaml

__all__ = ["CONTACTS", "RECEIVER", "TEMPLATE", "Contact", "chosen", "contact_points"]

RECEIVER = "farebox"
TITLE, MESSAGE = '{{ template "farebox.title" . }}', '{{ template "farebox.message" . }}'
# No `$` in here: Grafana would take it for a variable.
TEMPLATE = """\
{{ define "farebox.title" -}}
{{ if .Alerts.Firing }}{{ (index .Alerts.Firing 0).Annotations.summary }}
{{- if gt (len .Alerts.Firing) 1 }} (first of {{ len .Alerts.Firing }}){{ end }}
{{- else }}Resolved: {{ (index .Alerts.Resolved 0).Annotations.summary }}{{ end }}
{{- end }}
{{ define "farebox.message" -}}
{{ range .Alerts.Firing }}{{ .Annotations.summary }}
{{ .Annotations.description }}
{{ .Annotations.link }}

{{ end }}
{{- range .Alerts.Resolved }}Resolved: {{ .Annotations.summary }}
{{ end }}
{{- end }}"""
HEADER = """\
# Written by `farebox dashboards build`: whom alerts go to. Grafana reads the addresses from its own environment.
"""


@dataclass(frozen=True)
class Contact:
    """One way to tell people; `variable` holds its address, which goes where `address` says, secret or not."""

    kind: str
    variable: str
    address: str
    settings: Mapping[str, Any]
    secret: bool = False

    @property
    def uid(self) -> str:
        """Uid in Grafana."""
        return f"farebox-{self.kind}"

    def as_data(self, address: str) -> dict[str, Any]:
        """Lay it out with an address, or with what stands for it."""
        return {
            "uid": self.uid,
            "type": self.kind,
            "settings": {self.address: address, **self.settings},
            "disableResolveMessage": False,
        }


CONTACTS = (
    Contact("email", "FAREBOX_CONTACT_EMAIL", "addresses", {"singleEmail": True, "subject": TITLE, "message": MESSAGE}),
    Contact("slack", "FAREBOX_CONTACT_SLACK", "url", {"title": TITLE, "text": MESSAGE}, secret=True),
    Contact("webhook", "FAREBOX_CONTACT_WEBHOOK", "url", {"httpMethod": "POST", "title": TITLE, "message": MESSAGE}),
    Contact(
        "pagerduty",
        "FAREBOX_CONTACT_PAGERDUTY",
        "integrationKey",
        {
            "severity": '{{ if eq .CommonLabels.severity "page" }}critical{{ else }}warning{{ end }}',
            "summary": TITLE,
            "details": {"message": MESSAGE},
        },
        secret=True,
    ),
)


def chosen(environment: Mapping[str, str]) -> list[Contact]:
    """Give the contacts whose variable is set."""
    return [each for each in CONTACTS if environment.get(each.variable)]


def contact_points(contacts: Sequence[Contact]) -> str:
    """Write the file for Grafana's provisioning, with variables in the place of addresses."""
    receivers = [each.as_data(f"${each.variable}") for each in contacts]
    return HEADER + as_yaml(
        {
            "apiVersion": 1,
            "contactPoints": [{"orgId": 1, "name": RECEIVER, "receivers": receivers}],
            "templates": [{"orgId": 1, "name": RECEIVER, "template": TEMPLATE}],
        }
    )
