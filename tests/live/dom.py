"""Just enough of a browser for the page's messages: elements by id, swapped out of band."""

from __future__ import annotations

from collections.abc import Iterator
from html.parser import HTMLParser

NOTES = 64
VOID = {"input", "br", "img", "meta", "link"}


class Node:
    def __init__(self, tag: str, attributes: dict[str, str | None]) -> None:
        self.tag, self.attributes = tag, attributes
        self.children: list[Node | str] = []

    def nodes(self) -> Iterator[Node]:
        for child in self.children:
            if isinstance(child, Node):
                yield child
                yield from child.nodes()

    def text(self) -> str:
        return "".join(child if isinstance(child, str) else child.text() for child in self.children)

    def html(self) -> str:
        attributes = "".join(f" {name}={value!r}" for name, value in sorted(self.attributes.items()))
        inner = "".join(child if isinstance(child, str) else child.html() for child in self.children)
        return f"<{self.tag}{attributes}>{inner}</{self.tag}>"


class _Builder(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.root = Node("page", {})
        self._open = [self.root]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        node = Node(tag, dict(attrs))
        self._open[-1].children.append(node)
        if tag not in VOID:
            self._open.append(node)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._open[-1].children.append(Node(tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        opened = self._open.pop()
        assert opened.tag == tag, f"</{tag}> closes <{opened.tag}>"

    def handle_data(self, data: str) -> None:
        self._open[-1].children.append(data)


def parse(html: str) -> Node:
    builder = _Builder()
    builder.feed(html)
    builder.close()
    assert len(builder._open) == 1, "an element is left open"
    return builder.root


class Page:
    """What a browser shows: the snapshot, then each message on top."""

    def __init__(self, snapshot: str) -> None:
        self.root = parse(snapshot)
        self._places: dict[str, tuple[Node, Node]] = {}
        self._index(Node("", {}), self.root)

    def _index(self, parent: Node, node: Node) -> None:
        if node.attributes.get("id"):
            self._places[str(node.attributes["id"])] = parent, node
        for child in node.children:
            if isinstance(child, Node):
                self._index(node, child)

    def _find(self, name: str) -> tuple[Node, Node]:
        assert name in self._places, f"nothing on the page has the id {name}"
        return self._places[name]

    def apply(self, message: str) -> None:
        for element in parse(message).children:
            assert isinstance(element, Node), f"text outside elements: {element!r}"
            self._place(element)
        self._reorder()

    def element(self, name: str) -> Node:
        return self._find(name)[1]

    def html(self) -> dict[str, str]:
        elements = [child for child in self.root.children if isinstance(child, Node)]
        return {str(element.attributes["id"]): element.html() for element in elements}

    def _place(self, element: Node) -> None:
        where = element.attributes.get("hx-swap-oob")
        if where is not None:
            assert where.startswith("afterbegin:#")
            target = self.element(where.split("#")[1])
            target.children = [*element.children, *target.children][:NOTES]
            return
        parent, old = self._find(str(element.attributes["id"]))
        parent.children[parent.children.index(old)] = element
        self._index(parent, element)

    def _reorder(self) -> None:
        codes = self.element("order").text().split()
        rows = self.element("rows")
        by_code = {node.attributes["data-c"]: node for node in rows.children if isinstance(node, Node)}
        if codes:
            rows.children = [by_code[code] for code in codes]
