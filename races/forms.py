"""The one form: who drives where, how long, how fast."""

from __future__ import annotations

from typing import Any

from django import forms

from races.models.creation import Choice, choice_errors

SHOWN = 40  # of what was typed, in the words about it


class RaceForm(forms.Form):
    """Every field but the driver may be absent: the default race. Invalid input keeps what was typed."""

    driver = forms.CharField(error_messages={"required": "Choose a driver first."})
    circuit = forms.CharField(required=False)
    laps = forms.IntegerField(required=False, error_messages={"invalid": "Laps must be a whole number."})
    pace = forms.IntegerField(required=False, error_messages={"invalid": "Pace must be a whole number."})
    seed = forms.IntegerField(
        required=False, error_messages={"invalid": "A seed is a whole number, or left empty."}
    )
    incidents = forms.BooleanField(required=False)
    # Browsers leave an unticked box out of the form; this says that there was a box at all.
    incidents_asked = forms.BooleanField(required=False)

    def clean_driver(self) -> str:
        return str(self.cleaned_data["driver"])[:SHOWN].upper()

    def clean_circuit(self) -> str:
        return str(self.cleaned_data["circuit"])[:SHOWN]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        # The choice. A field that was left empty, or that could not be read, has its default here.
        fields = ("driver", "circuit", "laps", "pace", "seed")
        given = {name: data[name] for name in fields if data.get(name) not in (None, "")}
        incidents = bool(data.get("incidents")) or not data.get("incidents_asked")
        self.choice = Choice(**({"driver": ""} | given), incidents=incidents)
        for field, words in choice_errors(self.choice).items():
            if field not in self.errors:
                self.add_error(field, words)
        return data
