"""Mutants of a module: mutmut's operators, and a few that take a whole rule away.

mutmut's own runner changes function bodies alone; conventions are data at the level of a module, so
its operators are applied here to every expression, wherever it stands.
"""

from __future__ import annotations

import ast
import difflib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import libcst as cst
from libcst.metadata import ByteSpanPositionProvider, CodeSpan, MetadataWrapper
from mutmut.mutation.mutators import (
    mutation_operators,
    operator_arg_removal,
    operator_assignment,
    operator_match,
    operator_string,
)

Operator = Callable[[Any], Iterable[cst.CSTNode]]

_READ = {"sentence", "label", "title"}
"""Arguments that people read: what matters is that they are there, which another test proves."""

_UNTOUCHED = (cst.Annotation, cst.Decorator, cst.Import, cst.ImportFrom)
"""Types are mypy's to prove; what a decorator or an import names is there or nothing runs."""


@dataclass(frozen=True)
class Mutant:
    """One change. where: enclosing definition. before, after: the lines that differ, as one.

    source: of the whole module, changed. operator: what made it.
    """

    module: str
    where: str
    before: str
    after: str
    source: str
    operator: str

    @property
    def key(self) -> tuple[str, str, str, str]:
        """What names it in the list of survivors: no line number, which every edit moves."""
        return self.module, self.where, self.before, self.after

    def __str__(self) -> str:
        return f"{self.module}, {self.where}\n  - {self.before}\n  + {self.after}"


def drop_item(node: cst.Tuple | cst.List | cst.Set | cst.Dict) -> Iterator[cst.CSTNode]:
    """Take one item away: a check of a flow, a flow of a convention, a status of a table."""
    items: Sequence[Any] = node.elements
    for number in range(len(items)):
        kept = [*items[:number], *items[number + 1 :]]
        if kept:
            kept[-1] = kept[-1].with_changes(comma=cst.MaybeSentinel.DEFAULT)
        if kept or not isinstance(node, cst.Set):
            yield node.with_changes(elements=kept)


def drop_operand(node: cst.BooleanOperation) -> Iterator[cst.CSTNode]:
    """Take away one condition of two."""
    yield node.left
    yield node.right


def say_nothing(node: cst.Return) -> Iterator[cst.CSTNode]:
    """Give no answer where there was one; whoever asks reads None and False alike."""
    nothing = isinstance(node.value, cst.Name) and node.value.value in {"None", "False"}
    if node.value is not None and not nothing:
        yield node.with_changes(value=cst.Name("None"))


def change_string(node: cst.SimpleString) -> Iterator[cst.CSTNode]:
    """Change a word once: another letter case would tell nothing more."""
    yield from list(operator_string(node))[:1]


def drop_argument(node: cst.Call) -> Iterator[cst.CSTNode]:
    """Leave an argument out, or give None for it; a text is changed by `change_string` instead."""
    for number, one in enumerate(node.args):
        kept = [*node.args[:number], *node.args[number + 1 :]]
        if kept:
            yield node.with_changes(args=kept)
        if not one.star and not isinstance(one.value, cst.SimpleString):
            changed = one.with_changes(value=cst.Name("None"))
            yield node.with_changes(args=[*node.args[:number], changed, *node.args[number + 1 :]])


_OWN: list[tuple[type, Operator]] = [
    (cst.Tuple, drop_item),
    (cst.List, drop_item),
    (cst.Set, drop_item),
    (cst.Dict, drop_item),
    (cst.BooleanOperation, drop_operand),
    (cst.Return, say_nothing),
    (cst.SimpleString, change_string),
    (cst.Call, drop_argument),
]
_REPLACED = {operator_string, operator_arg_removal, operator_assignment, operator_match}
"""Ours say the same with less; nothing here is a `match`, and no value given is one too many."""
OPERATORS: list[tuple[type, Operator]] = [
    *((kind, operator) for kind, operator in mutation_operators if operator not in _REPLACED),
    *_OWN,
]


class _Collector(cst.CSTVisitor):
    """Every node that changes, what it becomes, and the definition around it."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[cst.CSTNode, cst.CSTNode, str, str]] = []
        self._around: list[tuple[cst.CSTNode, str]] = []

    def on_visit(self, node: cst.CSTNode) -> bool:
        if isinstance(node, _UNTOUCHED) or _is_read(node):
            return False
        if isinstance(node, (cst.FunctionDef, cst.ClassDef)):
            self._around.append((node, _named(node)))
        elif isinstance(node, (cst.Assign, cst.AnnAssign)) and not self._around:
            target = node.target if isinstance(node, cst.AnnAssign) else node.targets[0].target
            self._around.append((node, _code(target)))
        elif isinstance(node, cst.Call) and (code := _coded(node)):
            self._around.append((node, code))
        where = ".".join(name for _, name in self._around)
        for kind, operator in OPERATORS:
            if isinstance(node, kind):
                named = operator.__name__
                self.found += [(node, changed, where, named) for changed in operator(node)]
        if isinstance(node, cst.If):  # never enter a branch: the rule it holds is gone; or always
            settled = [cst.Name("False"), cst.Name("True")]
            self.found += [(node.test, changed, where, "settle") for changed in settled]
        return True

    def on_leave(self, original_node: cst.CSTNode) -> None:
        if self._around and self._around[-1][0] is original_node:
            self._around.pop()


def _code(node: cst.CSTNode) -> str:
    return cst.Module([]).code_for_node(node)


def _is_read(node: cst.CSTNode) -> bool:
    return isinstance(node, cst.Arg) and node.keyword is not None and node.keyword.value in _READ


def _coded(node: cst.Call) -> str | None:
    """Of a flow, its code: a convention makes many on equal lines."""
    for one in node.args:
        if one.keyword and one.keyword.value == "code" and isinstance(one.value, cst.SimpleString):
            return str(one.value.evaluated_value)
    return None


def _named(node: cst.FunctionDef | cst.ClassDef) -> str:
    """Its name; of a function that answers a kind of check, that kind."""
    name = node.name.value
    if name == "_" and isinstance(node, cst.FunctionDef):
        annotation = node.params.params[0].annotation
        return f"_({_code(annotation.annotation)})" if annotation else name
    return name


def mutants_of(module: str, source: str) -> Iterator[Mutant]:
    """Every mutant of a module's source that parses and differs; in the order of the source."""
    wrapper = MetadataWrapper(cst.parse_module(source))
    spans = wrapper.resolve(ByteSpanPositionProvider)
    collector = _Collector()
    wrapper.module.visit(collector)
    seen = {source}
    for node, changed, where, named in collector.found:
        code = _spliced(source.encode(), spans[node], _written(node, changed))
        if code not in seen and _parses(code):
            seen.add(code)
            yield Mutant(module, where, *_difference(source, code), code, named)


def _spliced(source: bytes, span: CodeSpan, written: str) -> str:
    """The source with one node written anew."""
    end = span.start + span.length
    return (source[: span.start] + written.encode() + source[end:]).decode()


def _written(node: cst.CSTNode, changed: cst.CSTNode) -> str:
    """A changed node as text, but for the parentheses of the former one: its span leaves them."""
    text, around = _code(changed), getattr(node, "lpar", ())
    for _ in around if getattr(changed, "lpar", ()) == around else ():
        text = text[text.index("(") + 1 : text.rindex(")")]
    return text


def _parses(code: str) -> bool:
    try:
        ast.parse(code)
    except SyntaxError:
        return False
    return True


def _difference(source: str, code: str) -> tuple[str, str]:
    old, new = source.splitlines(), code.splitlines()
    lines = list(difflib.unified_diff(old, new, n=0, lineterm=""))[2:]
    gone = " ".join(line[1:] for line in lines if line.startswith("-"))
    come = " ".join(line[1:] for line in lines if line.startswith("+"))
    return " ".join(gone.split()), " ".join(come.split())
