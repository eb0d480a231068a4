from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from races.sql.explain import Node, best_section, sections, trees

APACHE = """== Abstract Syntax Tree ==
LogicalUnion(all=[true])
:- LogicalTableScan(table=[[a]])
+- LogicalTableScan(table=[[b]])

== Optimized Physical Plan ==
Union(all=[true])

== Optimized Execution Plan ==
Union(all=[true], union=[x])
:- GroupAggregate(groupBy=[x], select=[x, COUNT(*) AS n])
:  +- Exchange(distribution=[hash[x]])
:     :- Calc(select=[x], where=[(x > '(')])
:     +- TableSourceScan(table=[[a]])
+- TableSourceScan(table=[[b]])
"""
CONFLUENT = """== Physical Plan ==

StreamSink [6]
  +- StreamUnion [5]
    +- StreamCalc [2]
      +- StreamTableSourceScan [1]
    +- StreamTableSourceScan [4]

== Physical Details ==

[1] StreamTableSourceScan
Table: `cat`.`db`.`a`
"""


def shape(nodes: list[Node]) -> list[object]:
    return [(node.name, shape(node.inputs)) for node in nodes]


def test_apache_flink() -> None:
    found = sections(APACHE)
    assert best_section(found) == "Optimized Execution Plan"
    (root,) = trees(found["Optimized Execution Plan"])
    assert shape([root]) == [
        ("Union", [
            ("GroupAggregate", [("Exchange", [("Calc", []), ("TableSourceScan", [])])]),
            ("TableSourceScan", []),
        ])
    ]  # fmt: skip
    assert root.inputs[0].detail == "groupBy=[x], select=[x, COUNT(*) AS n]"
    assert root.inputs[0].inputs[0].inputs[0].detail == "select=[x], where=[(x > '(')]"


def test_confluent_cloud() -> None:
    found = sections(CONFLUENT)
    assert best_section(found) == "Physical Plan"
    scan: tuple[str, list[object]] = ("StreamTableSourceScan", [])
    assert shape(trees(found["Physical Plan"])) == [
        ("StreamSink", [("StreamUnion", [("StreamCalc", [scan]), scan])])
    ]


def test_several_sinks() -> None:
    assert shape(trees("Sink(a)\n+- Scan(b)\nSink(c)\n+- Scan(d)")) == [
        ("Sink", [("Scan", [])]), ("Sink", [("Scan", [])])
    ]  # fmt: skip


def test_line_that_is_no_operator() -> None:
    (root,) = trees("Sink(a)\n+- Scan(table=[x])\n   and more")
    assert root.inputs[0].detail == "table=[x] and more"


@given(st.text(alphabet=":+- ab()[]\n=", max_size=300))
def test_any_text(text: str) -> None:
    """Nothing breaks it, and every word that it is given is shown."""
    for section in ["", *sections(f"== Physical Plan ==\n{text}").values()]:
        assert all(node.as_dict() for node in trees(section))
