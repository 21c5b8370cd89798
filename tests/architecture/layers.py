"""The order of layers in which the folders of all kinds of organisations stand side by side."""

from __future__ import annotations

from typing import Any

from importlinter.contracts.layers import LayersContract

from contracts.kernel.organisation import Kind

PLACE = "services.<kind>"
"""In a layer of pyproject.toml: the folder of each kind, which may not import another's."""


class LayersOfKinds(LayersContract):
    """Layers as import-linter has them, where one kind more needs no line."""

    def __init__(
        self, name: str, session_options: dict[str, Any], contract_options: dict[str, Any]
    ) -> None:
        folders = " | ".join(f"services.{kind}" for kind in Kind)
        layers = [layer.replace(PLACE, folders) for layer in contract_options["layers"]]
        super().__init__(name, session_options, {**contract_options, "layers": layers})
