"""Tables of convention C: one collection for all its parts, each of which declares its own."""

from __future__ import annotations

from services.chassis.schema import new_metadata

metadata = new_metadata()
