"""The forms: who drives where, how long, how fast; a class's set-up; a name in it."""

from __future__ import annotations

from typing import Any

from django import forms

from races.models.classes import OTHERWISE
from races.models.creation import SEEDS, Choice, choice_errors

SHOWN = 40  # of what was typed, in the words about it


class SetupForm(forms.Form):
    """Every field may be absent: the default race. Invalid input keeps what was typed."""

    circuit = forms.CharField(required=False)
    laps = forms.IntegerField(required=False, error_messages={"invalid": "Laps must be a whole number."})
    pace = forms.IntegerField(required=False, error_messages={"invalid": "Pace must be a whole number."})
    incidents = forms.BooleanField(required=False)
    # Browsers leave an unticked box out of the form; this says that there was a box at all.
    incidents_asked = forms.BooleanField(required=False)
    anomalies = forms.BooleanField(required=False)
    anomalies_asked = forms.BooleanField(required=False)
    otherwise = {"driver": ""}

    def clean_circuit(self) -> str:
        return str(self.cleaned_data["circuit"])[:SHOWN]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        # The choice. A field that was left empty, or that could not be read, has its default here.
        fields = ("driver", "circuit", "laps", "pace", "seed")
        given = {name: data[name] for name in fields if data.get(name) not in (None, "")}
        incidents = bool(data.get("incidents")) or not data.get("incidents_asked")
        anomalies = bool(data.get("anomalies")) if data.get("anomalies_asked") else None
        self.choice = Choice(**(self.otherwise | given), incidents=incidents, anomaly_detection=anomalies)
        for field, words in choice_errors(self.choice).items():
            if field not in self.errors:
                self.add_error(field, words)
        return data


class RaceForm(SetupForm):
    driver = forms.CharField(error_messages={"required": "Choose a driver first."})
    seed = forms.IntegerField(
        required=False, error_messages={"invalid": "A seed is a whole number, or left empty."}
    )

    def clean_driver(self) -> str:
        return str(self.cleaned_data["driver"])[:SHOWN].upper()


class ClassForm(SetupForm):
    """A class's set-up. Drivers are its members' choice, and its seeds are a series."""

    seeds = forms.CharField(required=False)
    members_only = forms.BooleanField(required=False)
    otherwise = {"driver": OTHERWISE}

    def clean_seeds(self) -> list[int]:
        words = self.cleaned_data["seeds"][:200].replace(",", " ").split()
        if not all(word.isascii() and word.isdigit() and int(word) < SEEDS for word in words):
            raise forms.ValidationError(
                f"Seeds are whole numbers from 0 to {SEEDS - 1} with commas between them, or left empty."
            )
        return [int(word) for word in words]
