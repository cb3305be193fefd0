"""What a site is measured by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One value of one metric, as Prometheus knows them."""

    name: str
    """Of the metric."""
    type: str
    """``gauge`` or ``counter``."""
    labels: Mapping[str, Any]
    """What it is of; all of them are text."""
    value: float
