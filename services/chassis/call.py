"""One call of the API as its OpenAPI document describes it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from services.chassis import answers
from services.chassis.tokens import Right


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call.

    right: what its role must include; None: nobody is asked who he is. label, article: what agents
    read of it on their pages, where it is offered there, and on what it rests. about: the type of
    message of whose numbers its path takes one.
    """

    right: Right | None
    answer: type[BaseModel] | None = None
    body: type[BaseModel] | None = None
    query: type[BaseModel] | None = None
    headers: tuple[dict[str, Any], ...] = ()
    refusal: type[BaseModel] = answers.Problem
    label: str = ""
    article: str = ""
    about: str = ""
