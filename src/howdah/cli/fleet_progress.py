"""The events of a run over many databases: a line as each ends, one updating line for what is going on."""

from __future__ import annotations

from howdah.cli.fleet_text import ending_line
from howdah.cli.migrate_progress import RunProgress
from howdah.cli.render import Progress, printable
from howdah.findings import Finding
from howdah.fleet.outcome import Ended, FleetEvent, Started, Told
from howdah.migrate.events import Result


class FleetProgress:
    """Call it with each event; `noted()` are the findings among them, to be shown at the end."""

    def __init__(self, progress: Progress, total: int) -> None:
        self._progress = progress
        self._total = total
        self._ended = 0
        self._runs: dict[str, tuple[_Voice, RunProgress]] = {}

    def noted(self) -> list[tuple[str, Finding]]:
        """What the runs had to say that stopped nothing, each with its database."""
        return [(name, finding) for name, (_, run) in self._runs.items() for finding in run.noted()]

    def say(self) -> None:
        """Show what is going on."""
        doing = "; ".join(
            f"{printable(name)} {voice.doing_now}"
            for name, (voice, _) in self._runs.items()
            if voice.doing_now
        )
        self._progress.doing(f"{self._ended}/{self._total} done; {doing}")

    def __call__(self, event: FleetEvent) -> None:
        """Show one event."""
        match event:
            case Started():
                voice = _Voice(event.name, self)
                self._runs[event.name] = voice, RunProgress(voice, "applied ")
            # a step that ended: the database's own line will count it
            case Told(event=Result()):
                pass
            case Told():
                self._runs[event.name][1](event.event)
            case Ended():
                self._ended += 1
                if event.outcome.name in self._runs:
                    self._runs[event.outcome.name][0].doing_now = ""
                self.note(ending_line(event.outcome))

    def note(self, text: str) -> None:
        """A lasting line."""
        self._progress.note(text)
        self.say()


class _Voice:
    """One database's part of the talk."""

    def __init__(self, name: str, all_of_them: FleetProgress) -> None:
        self._name = name
        self._all = all_of_them
        self.doing_now = ""

    def note(self, text: str) -> None:
        self._all.note(f"{printable(self._name)}: {text}")

    def doing(self, text: str) -> None:
        self.doing_now = text
        self._all.say()
