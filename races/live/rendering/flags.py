"""What takes the room while a flag is out: the band across the page, and the safety car on the map."""

from __future__ import annotations

import re
from html import escape

from races.board.frames import Frame, Note
from races.board.race_info import RaceInfo
from races.live.rendering.tower import Cells, surname

NAMES = {
    "yellow": "Yellow",
    "vsc": "Virtual safety car",
    "safety_car": "Safety car",
    "red": "Red flag",
}
ENDING = {"safety_car_ending": "in this lap", "vsc_ending": "ending"}
SAFETY_CAR_AHEAD = 0.011  # of a lap
CAR = re.compile(r"^CAR \d+ \(\w+\) ?")


def band_cell(cells: Cells, frame: Frame, info: RaceInfo) -> None:
    """Writes the flag's name, where and since which lap it is out and why, what a stop costs meanwhile, and whether it
    ends soon. The band is empty while no flag is out."""
    name = NAMES.get(frame["flag"], "") if frame["phase"] == "race" else ""
    parts = []
    if name:
        notes = frame["control"]  # the newest first
        out = next((n for n, note in enumerate(notes) if note["kind"] in ("green", "lights_out")), len(notes))
        ending = next((ENDING[note["kind"]] for note in notes[:out] if note["kind"] in ENDING), "")
        usual, now = info.pit_loss_s["green"], info.pit_loss_s.get(frame["flag"])
        late = frame["lap"] >= frame["laps"]  # nobody stops on the last lap
        cheap = "" if late or now is None or now >= usual else f"a stop costs {now:.0f} s, not {usual:.0f}"
        parts = [_reason(frame, notes[:out]), cheap, ending and f"<b>{ending}</b>"]
    said = " · ".join(part for part in parts if part)
    cells["band"] = f'<p id="band">{f"<strong>{name}</strong> <span>{said}</span>" if name else ""}</p>'


def _reason(frame: Frame, notes: list[Note]) -> str:
    """Says "Lap 2: Piastri stopped in sector 2, accident"; a yellow flag names its sector in any case."""
    yellow = frame["flag"] == "yellow" and frame["yellow_sector"]
    sector = f"sector {frame['yellow_sector']}" if yellow else ""
    called = next((n for n, note in enumerate(notes) if note["kind"] == frame["flag"] != "yellow"), -1)
    # who goes out behind a safety car has not called it: where its own message is gone, why it is out is not known
    before = notes[called + 1 :] if called >= 0 or frame["flag"] == "yellow" else []
    yellow_for = next((note for note in before if note["kind"] == "yellow"), None)
    stopped = (note for note in before if note["kind"] == "retirement")
    out = next((note for note in stopped if yellow_for is None or note["code"] == yellow_for["code"]), None)
    why = out or yellow_for
    if why is None:
        return sector
    names = {car["driver_code"]: surname(car["driver_name"]) for car in frame["cars"]}
    text = why["text"].partition(" - ")[2] if why["kind"] == "yellow" else why["text"]
    said = CAR.sub("", text)
    words = said.lower().replace(" - ", ", ").replace("off track and continued", "ran wide and carried on")
    if said != text:
        words = f"{names.get(why['code'], why['code'])} {words}".strip()
    lap = f"Lap {why['lap']}: " if why["lap"] else ""
    return escape(lap + (f"{sector}, " if sector and sector not in words else "") + words)


def safety_car_dot(frame: Frame, info: RaceInfo) -> str:
    """Returns the safety car's entry among the dots of the map, with a space before it; nothing while it is not out.

    It drives just ahead of the first car that is not in the pit lane, as in the model. In the lap in which it is called
    in, it leaves through the pit lane.
    """
    first = next((car for car in frame["cars"] if car["status"] == "racing"), None)
    if frame["flag"] != "safety_car" or frame["phase"] != "race" or first is None:
        return ""
    share = (first["lap_fraction"] + SAFETY_CAR_AHEAD) % 1
    newest = next(
        (note["kind"] for note in frame["control"] if note["kind"] in ("safety_car", "safety_car_ending")), ""
    )
    in_lane = newest == "safety_car_ending" and share >= info.track.pit_entry
    return f" {int(share * 10_000)}{'p' if in_lane else ''}"
