"""The published figures of every circuit, which tests hold the model against."""

import pytest

CW, ACW = "clockwise", "anticlockwise"
# laps, metres, turns, direction, average of the fastest race lap and top speed where published
PUBLISHED: dict[str, tuple[int, int, int, str, float | None, float | None]] = {
    "melbourne": (58, 5278, 14, CW, 231.5, 312),
    "shanghai": (56, 5451, 16, CW, 206.0, 328),
    "suzuka": (53, 5807, 18, CW, 226.2, 309),
    "miami": (57, 5412, 19, ACW, 212.1, None),
    "montreal": (70, 4361, 14, CW, 211.6, 330),
    "monaco": (78, 3337, 19, CW, 163.5, 288),
    "catalunya": (66, 4657, 14, CW, 209.2, 333),
    "spielberg": (71, 4326, 10, CW, 221.3, 314),
    "silverstone": (52, 5891, 18, CW, 231.1, 331),
    "spa": (44, 7004, 19, CW, 231.6, 318),
    "hungaroring": (70, 4381, 14, CW, 192.3, 312),
    "zandvoort": (72, 4259, 14, CW, 212.2, None),
    "monza": (53, 5793, 11, CW, 257.8, 346),
    "madring": (57, 5416, 22, CW, None, None),
    "baku": (51, 6003, 20, ACW, 209.0, 325),
    "sepang": (56, 5543, 15, CW, None, None),
    "singapore": (62, 4927, 19, ACW, 189.1, 302),
    "austin": (56, 5513, 20, ACW, 203.4, 324),
    "mexico": (71, 4304, 17, CW, 193.6, 354),
    "interlagos": (71, 4309, 15, ACW, 214.3, 329),
    "las-vegas": (50, 6201, 17, ACW, 239.1, None),
    "lusail": (57, 5419, 16, CW, 235.1, None),
    "yas-marina": (58, 5281, 16, ACW, 219.2, 331),
    "sakhir": (57, 5412, 15, CW, None, 330),
}

every_circuit = pytest.mark.parametrize("circuit", list(PUBLISHED), indirect=True)
