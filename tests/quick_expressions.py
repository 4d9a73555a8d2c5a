"""What moto does anew with each expression of DynamoDB, and need not.

- Each of ten processors walks the tree of an update and asks at each node what abstract classes it belongs to. Here a
  class is asked once.
- The tree is copied with all that hangs on it. Here its nodes are: what they hold is never changed.
- A condition is cut into its words twice a call. Here once for each text.
"""

from __future__ import annotations

from collections import deque
from functools import cache
from typing import Any

from moto.dynamodb.comparisons import ConditionExpressionParser
from moto.dynamodb.parsing.ast_nodes import DepthFirstTraverser, Expression, Node, UpdateExpressionFunction
from moto.dynamodb.parsing.validators import Validator

_own_make_validator = Validator.__init__
_own_lex = ConditionExpressionParser._lex_condition_expression


@cache
def _is_node(kind: type) -> bool:
    return issubclass(kind, Node)


@cache
def _has_clauses(kind: type) -> bool:
    return issubclass(kind, Expression | UpdateExpressionFunction)


@cache
def _is_one_of(kind: type, wanted: tuple[type, ...]) -> bool:
    return issubclass(kind, wanted)


def find_clauses(self: Node, clause_types: list[type]) -> list[Node]:
    """The nodes below this one of certain classes."""
    clauses: list[Node] = []
    for child in self.children or []:
        if type(child) in clause_types:
            clauses.append(child)
        elif _has_clauses(type(child)):
            clauses.extend(child.find_clauses(clause_types))
    return clauses


def traverse(self: DepthFirstTraverser, node: Any) -> Any:
    """The tree with each node that concerns a processor replaced by what it makes of it, from the leaves up."""
    return _traversed(self, node, -1, self.nodes_to_be_processed())


def _traversed(self: DepthFirstTraverser, node: Any, place: int, wanted: tuple[type, ...]) -> Any:
    if not _is_node(type(node)):
        return node
    parent = node.parent
    for child_place, child in enumerate(node.children or ()):
        self.pre_processing_of_child(node, child_place)
        _traversed(self, child, child_place, wanted)
    if _is_one_of(type(node), wanted):
        node = self.process(node)
        node.parent = parent
        if parent:
            parent.children[place] = node
    return node


def make_validator(self: Validator, expression: Node, *arguments: Any, **options: Any) -> None:
    """A validator with a tree of its own."""
    _own_make_validator(self, None, *arguments, **options)
    self.node_to_validate = _copied(expression, None)


def _copied(node: Any, parent: Node | None) -> Any:
    if not _is_node(type(node)):
        return node
    made = type(node).__new__(type(node))
    made.type, made.parent = node.type, parent
    made.children = node.children and [_copied(child, made) for child in node.children]
    return made


@cache
def _words(condition: str) -> tuple[Any, ...]:
    return tuple(_own_lex(ConditionExpressionParser(condition, None, None)))


def lex(self: ConditionExpressionParser) -> deque[Any]:
    """The words of a condition. Those that are found in it become children of other nodes, and stay as they are."""
    return deque(_words(self.condition_expression or ""))


QUICK: dict[tuple[Any, str], Any] = {
    (Node, "find_clauses"): find_clauses,
    (DepthFirstTraverser, "traverse"): traverse,
    (Validator, "__init__"): make_validator,
    (ConditionExpressionParser, "_lex_condition_expression"): lex,
}
"""What stands in for a method of moto."""
