"""Whose runners a site has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtool.control.own import OwnRunners
from qtool.settings import SiteKind

if TYPE_CHECKING:
    from qtool.control.standing import Runners
    from qtool.installation import Configuration


def runners_of(configuration: Configuration) -> Runners:
    """Return the runners of a site, ours or Mailman's."""
    if configuration.settings.kind is not SiteKind.MAILMAN3:
        return OwnRunners(configuration)
    from qtool.control.mailman import MailmanSite  # children and locks, only there
    from qtool.engine.foreign import MailmanRunners

    return MailmanSite(configuration, MailmanRunners(configuration))
