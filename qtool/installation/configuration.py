"""One installation: its settings, its switchboards, and what may be done there."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from qtool.errors import NoSuchQueue, NoSuchRunner, SettingsError
from qtool.installation.classes import imported_class
from qtool.installation.loading import load_settings
from qtool.installation.rights import refusal
from qtool.lists import ListRegistry
from qtool.queues import slices
from qtool.queues.spool import Spool
from qtool.queues.state import STATE_FOLDER
from qtool.settings import RunnerSettings, Settings, SiteKind, overlaid
from qtool.untrusted import visible

if TYPE_CHECKING:
    from qtool.queues.slices import Slice
    from qtool.queues.switchboard import Switchboard
    from qtool.queues.watch import Watcher

_log = logging.getLogger("qtool.installation")


class Switchboards(Mapping[str, "Switchboard"]):
    """The whole-queue switchboards of a configuration, by name; a live view."""

    def __init__(self) -> None:
        self._by_name: dict[str, Switchboard] = {}

    def __getitem__(self, name: str) -> Switchboard:
        try:
            return self._by_name[name]
        except KeyError:
            raise NoSuchQueue(f"there is no queue {visible(name, 80)!r}") from None

    def __iter__(self) -> Iterator[str]:
        return iter(tuple(self._by_name))

    def __len__(self) -> int:
        return len(self._by_name)

    def __contains__(self, name: object) -> bool:
        return name in self._by_name

    def get(self, name: str, default: Switchboard | None = None) -> Switchboard | None:  # type: ignore[override]  # narrower than Mapping's on purpose
        """Return the queue of that name, or the default."""
        return self._by_name.get(name, default)

    def replace_all(self, by_name: Mapping[str, Switchboard]) -> None:
        """Show other switchboards from now on."""
        self._by_name = dict(by_name)

    def __repr__(self) -> str:
        return f"<Switchboards {' '.join(self._by_name)}>"


class Configuration:
    """Settings with their switchboards, and the overlays laid over them.

    Args:
        settings: What the configuration says.
        watcher: The observer that all queues share; each makes its own without.
        clock: Seconds since the epoch.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        watcher: Watcher | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._watcher = watcher
        self._clock = clock
        self._lock = threading.RLock()
        self._switchboards = Switchboards()
        self._made: dict[tuple[object, ...], Switchboard] = {}
        self._is_swept = False
        self._use(settings, {})

    def __repr__(self) -> str:
        return f"<Configuration {self._settings.source}: {self._settings.queue_root}>"

    # --- What there is

    @property
    def settings(self) -> Settings:
        """The settings, overlays included."""
        return self._settings

    @property
    def switchboards(self) -> Switchboards:
        """The queues by name; a live view that follows ``push`` and ``pop``."""
        return self._switchboards

    @property
    def lists(self) -> ListRegistry:
        """The mailing lists of the site."""
        return self._lists

    @property
    def state_directory(self) -> Path:
        """Where qtool keeps what it remembers about this spool."""
        return self._settings.queue_root / STATE_FOLDER

    @property
    def shunt(self) -> Switchboard:
        """Where messages go whose processing raised."""
        return self._aside("shunt")

    @property
    def bad(self) -> Switchboard:
        """Where files go that cannot be read."""
        return self._aside("bad")

    def runner(self, name: str) -> RunnerSettings:
        """Return one runner's settings.

        Raises:
            NoSuchRunner: The configuration has none of that name.
        """
        try:
            return self._settings.runners[name]
        except KeyError:
            raise NoSuchRunner(f"there is no runner {visible(name, 80)!r}") from None

    def slices(self, name: str) -> tuple[Slice, ...]:
        """Return the slices into which a runner's queue is divided; none for 0."""
        proportions = self.runner(name).proportions
        return slices.weighted(proportions) if proportions else ()

    def runner_class(self, name: str) -> type:
        """Import the class of a runner.

        Raises:
            NoRunnerClass: The configuration names none, or one of Mailman's.
            RunnerImportError: It cannot be imported; the reason is the cause.
        """
        return imported_class(self.runner(name), self._settings.python_paths)

    # --- Overlays

    def push(self, name: str, text: str) -> None:
        """Lay the sections of ``text`` over the configuration.

        Args:
            name: What ``pop`` takes it away by; a second push replaces the first.
            text: ``[runner.NAME]`` and ``[list.ADDRESS]`` sections.
        """
        with self._lock:
            overlays = {k: v for k, v in self._overlays.items() if k != name}
            self._use(self._base, {**overlays, name: text})

    def pop(self, name: str) -> None:
        """Take away what was pushed under that name.

        Raises:
            SettingsError: Nothing was.
        """
        with self._lock:
            if name not in self._overlays:
                raise SettingsError(f"nothing was pushed as {visible(name, 80)!r}")
            overlays = {k: v for k, v in self._overlays.items() if k != name}
            self._use(self._base, overlays)

    def use(self, settings: Settings) -> None:
        """Use other settings from now on; overlays stay laid over them.

        Raises:
            SettingsError: An overlay does not fit them; nothing has changed.
        """
        with self._lock:
            self._use(settings, self._overlays)

    def load(self, path: Path | str) -> None:
        """Use the configuration in a file from now on; overlays end."""
        settings = load_settings(Path(path))
        with self._lock:
            self._use(settings, {})

    @contextmanager
    def using(self, settings: Settings) -> Iterator[None]:
        """Use other settings for a while, and then these with their overlays again."""
        with self._lock:
            base, overlays, is_swept = self._base, self._overlays, self._is_swept
            self._use(settings, {})
            self._is_swept = False
        try:
            yield
        finally:
            with self._lock:
                self._use(base, overlays)
                self._is_swept = is_swept

    # --- What may be done

    def writable_reason(self) -> str:
        """Return why nothing may be changed here; empty when acts are allowed."""
        folders = [queue.queue_directory for queue in self._switchboards.values()]
        return refusal(self._settings, self.state_directory, folders)

    def sweep(self) -> None:
        """End what processes that died had begun in any queue; once is enough.

        Queues without a runner have nobody else who would.
        """
        with self._lock:
            if self._is_swept:
                return
            self._is_swept = True
        for queue in (*self._switchboards.values(), self.shunt, self.bad):
            try:
                queue.sweep()
            except OSError:
                _log.exception("%s: cannot be swept", queue.name)

    # --- Behind the scenes

    def _use(self, base: Settings, overlays: Mapping[str, str]) -> None:
        # Everything that can fail comes before anything changes.
        settings = overlaid(base, overlays)
        made = {
            key: self._made.get(key) or self._spool(settings, runner)
            for key, runner in (
                (_spool_key(settings, runner), runner)
                for runner in settings.runners.values()
                if runner.queue_directory is not None
            )
        }
        self._base, self._overlays, self._settings = base, dict(overlays), settings
        self._made = made
        self._switchboards.replace_all({s.name: s for s in made.values()})
        self._lists = ListRegistry(
            settings.lists,
            path=settings.queue_root / STATE_FOLDER / "lists.json",
            accept_any=settings.kind is not SiteKind.OWN,
        )

    def _spool(self, settings: Settings, runner: RunnerSettings) -> Switchboard:
        assert runner.queue_directory is not None
        return Spool(
            runner.name,
            runner.queue_directory,
            bad=_bad_directory(settings),
            state_directory=settings.queue_root / STATE_FOLDER,
            text_form=settings.text_form,
            allowed=settings.allowed_classes,
            group_commit=settings.group_commit,
            create=settings.kind is SiteKind.OWN,
            honours_due=runner.honours_due,
            clock=self._clock,
            watcher=self._watcher,
        )

    def _aside(self, name: str) -> Switchboard:
        found = self._switchboards.get(name)
        if found is not None:
            return found
        folder = self._settings.queue_root / name
        runner = RunnerSettings(name=name, class_path=None, queue_directory=folder)
        return self._spool(self._settings, runner)


def _spool_key(settings: Settings, runner: RunnerSettings) -> tuple[object, ...]:
    return (
        runner.name,
        runner.queue_directory,
        _bad_directory(settings),
        settings.queue_root,
        settings.kind,
        settings.text_form,
        settings.allowed_classes,
        settings.group_commit,
        runner.honours_due,
    )


def _bad_directory(settings: Settings) -> Path:
    bad = settings.runners.get("bad")
    return (bad and bad.queue_directory) or settings.queue_root / "bad"
