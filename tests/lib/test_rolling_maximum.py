from __future__ import annotations

from races.lib.rolling_maximum import Worst


def test_the_worst_of_the_last_minute_counts_and_no_older_one() -> None:
    worst = Worst()
    assert worst.worst(0.0) == 0.0
    worst.note(-0.004, 0.0)
    assert worst.worst(0.0) == 0.0
    for second in range(200):
        worst.note(5.0 if second == 100 else 0.01, second + 0.2)
        worst.note(0.02, second + 0.6)
        assert worst.worst(second + 0.9) == (5.0 if 100 <= second < 160 else 0.02)
