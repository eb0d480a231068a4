"""The season's teams and drivers, and the model's version."""

from races.sim import MODEL_VERSION, load_season


def test_the_season_has_eleven_teams_of_two() -> None:
    season = load_season()
    assert len(season.teams) == 11
    teams = [driver.team for driver in season.drivers]
    assert sorted(teams) == sorted(2 * [team.name for team in season.teams])
    assert len({driver.code for driver in season.drivers}) == 22
    assert len({driver.number for driver in season.drivers}) == 22


def test_the_version_names_rules_and_data() -> None:
    rules, digest = MODEL_VERSION.split("-")
    assert rules.isdigit() and len(digest) == 8


def test_a_day_moves_slow_cars_more() -> None:
    swings = [team.swing for team in sorted(load_season().teams, key=lambda team: team.pace_s)]
    assert swings == sorted(swings) and swings[-1] <= 1.0 < 4 * swings[0]
