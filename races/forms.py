"""The one form: who drives where, how long, how fast."""

from __future__ import annotations

from typing import Any

from django import forms

from races.entering import DEFAULT_CIRCUIT, DEFAULT_PACE, Choice, WrongChoice, check


class RaceForm(forms.Form):
    """Every field but the driver may be absent: the default race. Invalid input keeps what was typed."""

    driver = forms.CharField(max_length=3, error_messages={"required": "Choose a driver first."})
    circuit = forms.CharField(max_length=40, required=False)
    laps = forms.IntegerField(required=False, error_messages={"invalid": "Laps must be a whole number."})
    pace = forms.IntegerField(required=False, error_messages={"invalid": "Pace must be a whole number."})
    seed = forms.IntegerField(
        required=False, error_messages={"invalid": "A seed is a whole number, or left empty."}
    )
    incidents = forms.BooleanField(required=False)
    # Browsers leave an unticked box out of the form; this says that there was a box at all.
    incidents_asked = forms.BooleanField(required=False)

    def clean_driver(self) -> str:
        return str(self.cleaned_data["driver"]).upper()

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        for field in ("driver", "circuit", "laps", "pace", "seed"):
            self._check(field)
        if not self.errors:
            self.choice = self._choice()
            check(self.choice)
        return data

    def _check(self, field: str) -> None:
        """Each field against the rest of a good race, so that every error is shown at once."""
        if field in self.errors:
            return
        try:
            check(self._choice(only=field))
        except WrongChoice as wrong:
            if wrong.field == field:
                self.add_error(field, str(wrong))

    def _choice(self, only: str | None = None) -> Choice:
        data = self.cleaned_data
        take = {
            name: data[name]
            for name in ("driver", "circuit", "laps", "pace", "seed")
            if data.get(name) not in (None, "")
            and (only in (None, name) or (only == "laps" and name == "circuit"))
        }
        asked = bool(data.get("incidents_asked"))
        defaults: dict[str, Any] = {"driver": "NOR", "circuit": DEFAULT_CIRCUIT, "pace": DEFAULT_PACE}
        return Choice(**(defaults | take), incidents=bool(data.get("incidents")) or not asked)
