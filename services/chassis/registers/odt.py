"""A register as an office document (OpenDocument text), for those who complete and sign it."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from typing import Final

from odfdo import (
    Cell,
    Column,
    Document,
    Element,
    Header,
    List,
    ListItem,
    Paragraph,
    Row,
    Style,
    Table,
)

from services.chassis.pages.rendering import typeset
from services.chassis.registers.blocks import Block, Bullets, Grid, Open, Paper, Text

MEDIA_TYPE: Final = "application/vnd.oasis.opendocument.text"
OPEN: Final = "À décider : "
"""Before each point that waits for the organisation."""

_PAGE_CM: Final = 17.0
"""Width between the margins of an A4 page."""
_OPEN, _BOX, _HEAD, _LEAD = "Relais open", "Relais cell", "Relais head", "Relais lead"


def odt(paper: Paper, org: str) -> bytes:
    """Write the document. org: whose register it is."""
    document = Document("text")
    document.language = "fr-FR"
    document.meta.title = f"{paper.title}, {org}"
    _styles(document)
    body = document.body
    body.clear()
    body.append(Header(1, _set(paper.title)))
    body.append(Paragraph(f"{org} — {paper.source}", style=_LEAD))
    body.append(Paragraph(_set(paper.lead), style=_LEAD))
    body.append(Paragraph(_set(f"{OPEN}{paper.open} points de ce document."), style=_OPEN))
    for number, part in enumerate(paper.parts):
        body.append(Header(part.level, _set(part.title)))
        for place, block in enumerate(part.blocks):
            if isinstance(block, Grid):
                _widths(document, block, f"table-{number}-{place}")
            for element in _elements(block, f"table-{number}-{place}"):
                body.append(element)
    file = BytesIO()
    document.save(file)
    return file.getvalue()


def _styles(document: Document) -> None:
    open_ = Style("paragraph", name=_OPEN, area="text", bold=True, color="#8a4b00")
    open_.set_properties({"fo:margin-top": "0.1cm", "fo:margin-bottom": "0.2cm"}, area="paragraph")
    open_.set_properties(
        {"fo:border-left": "0.1cm solid #8a4b00", "fo:padding-left": "0.25cm"}, area="paragraph"
    )
    lead = Style("paragraph", name=_LEAD, area="text", color="#4f5b6b")
    lead.set_properties({"fo:margin-bottom": "0.2cm"}, area="paragraph")
    head = Style("paragraph", name=_HEAD, area="text", bold=True)
    box = Style("table-cell", name=_BOX)
    box.set_properties(
        {"fo:border": "0.02cm solid #6b7789", "fo:padding": "0.1cm"}, area="table-cell"
    )
    for style in (open_, lead, head):
        document.insert_style(style)
    document.insert_style(box, automatic=True)
    for level in document.styles.get_elements("//text:outline-level-style"):
        level.set_attribute("style:num-format", "")  # the template numbers headings
        for name in ("style:num-suffix", "loext:num-list-format"):
            level.del_attribute(name)


def _widths(document: Document, grid: Grid, name: str) -> None:
    """A style for each column of a table, by its share of the page's width."""
    for place, share in enumerate(grid.widths):
        width = f"{_PAGE_CM * share / sum(grid.widths):.2f}cm"
        style = Style("table-column", name=f"{name}-{place}", width=width)
        document.insert_style(style, automatic=True)


def _elements(block: Block, name: str) -> list[Element]:
    if isinstance(block, Text):
        return [Paragraph(_set(block.text))]
    if isinstance(block, Open):
        return [Paragraph(_set(f"{OPEN}{block.text}"), style=_OPEN)]
    if isinstance(block, Bullets):
        found = List()
        for item in block.items:
            found.append(ListItem(_set(item)))
        return [found]
    return [Paragraph(_set(block.caption), style=_HEAD), _table(block, name), Paragraph("")]


def _table(grid: Grid, name: str) -> Table:
    table = Table(name)
    for place in range(len(grid.head)):
        table.append(Column(style=f"{name}-{place}"))
    heading = Element.from_tag("table:table-header-rows")
    heading.append(_row(grid.head, len(grid.head)))
    table.append(heading)
    for row in grid.rows:
        table.append(_row(row, 1))
    return table


def _row(texts: Sequence[str], bold: int) -> Row:
    row = Row()
    for place, text in enumerate(texts):
        cell = Cell(style=_BOX)
        cell.append(Paragraph(_set(text), style=_HEAD if place < bold else None))
        row.append(cell)
    return row


def _set(text: str) -> str:
    """A text as French sets it."""
    return str(typeset(text))
