"""The templates of this host: which languages it can arm, and keeping the templates alive."""

from __future__ import annotations

import logging
import os

from dcodex_shared.config import WorkerSettings
from dcodex_worker.runtimes import native, python
from dcodex_worker.runtimes.header_store import Making
from dcodex_worker.runtimes.slots import templates_directory
from dcodex_worker.sandbox.box import SetupError
from dcodex_worker.template.starter import Template, TemplateError

log = logging.getLogger(__name__)

#: Forks of one template share its address space layout and hash secret: it is renewed this
#: often, in seconds. Keepers, and with them sandboxes, follow (workshop.py).
RENEW_S = 1800.0
#: The pause before a template that died is started again, in seconds, doubled up to the most.
FIRST_PAUSE_S = 1.0
MOST_PAUSE_S = 60.0


class Templates:
    """The templates: small and larger ones for Python, and a bare one that starts what is native.

    Raises SetupError where this machine has no interpreter to run templates with.
    """

    def __init__(self, settings: WorkerSettings) -> None:
        wanted = set(settings.languages)
        interpreter = python.find(settings)
        compilers = native.find()
        found = {"python": interpreter.version} | {
            name: compiler.version for name, compiler in compilers.items()
        }
        unknown = wanted - set(found)
        if unknown:
            raise SetupError("languages", 0, f"this host cannot run {', '.join(sorted(unknown))}")
        #: (name, version) of what this host can arm.
        self.languages: tuple[tuple[str, str], ...] = tuple(
            (name, version) for name, version in sorted(found.items()) if name in (wanted or found)
        )
        #: How often a template that had died was started again.
        self.restarts = 0
        self._directory = templates_directory(settings)
        os.makedirs(settings.runtime_dir, mode=0o700, exist_ok=True)
        os.mkdir(self._directory, 0o700)
        names = {name for name, _ in self.languages}
        self._headers: Making | None = None
        self._templates = []
        if "python" in names:
            for plan in python.template_plans(interpreter):
                self._templates.append(Template(plan, self._directory, settings.allow_degraded))
        if names - {"python"}:
            wanted_compilers = {
                name: compiler.path for name, compiler in compilers.items() if name in names
            }
            self._headers = _making(settings, wanted_compilers)
            directory = self._headers.directory if self._headers is not None else ""
            plan = native.template_plan(interpreter.path, interpreter.extra, directory)
            self._templates.append(Template(plan, self._directory, settings.allow_degraded))
        self._pauses = dict.fromkeys(range(len(self._templates)), FIRST_PAUSE_S)
        self._retry_at = dict.fromkeys(range(len(self._templates)), 0.0)

    def start(self) -> None:
        """Start all; blocks until they serve. Raises SetupError."""
        for template in self._templates:
            try:
                template.start(now=0.0)
            except TemplateError as error:
                raise SetupError("template", 0, str(error)) from error
        if self._headers is not None:
            self._headers.start()

    def tend(self, now: float) -> None:
        """Start the dead again and renew the old; call it about once a second."""
        for index, template in enumerate(self._templates):
            if template.is_alive():
                if template.started_at == 0.0:
                    template.started_at = now
                elif now - template.started_at > RENEW_S:
                    self._start(index, template, now)
            elif now >= self._retry_at[index]:
                self.restarts += 1
                log.error("a template has died template=%s", template.plan.name)
                self._start(index, template, now)

    def close(self) -> None:
        """End all."""
        if self._headers is not None:
            self._headers.close()
        for template in self._templates:
            template.close()
        os.rmdir(self._directory)

    def _start(self, index: int, template: Template, now: float) -> None:
        try:
            template.start(now)
            self._pauses[index] = FIRST_PAUSE_S
        except TemplateError as error:
            log.error("could not start a template error=%s", error)
            self._retry_at[index] = now + self._pauses[index]
            self._pauses[index] = min(2 * self._pauses[index], MOST_PAUSE_S)


def _making(settings: WorkerSettings, compilers: dict[str, str]) -> Making | None:
    """What fills the store of precompiled headers; None where there can be none."""
    directory = native.headers_directory(settings)
    try:
        return Making(directory, compilers, settings.log_level, settings.log_format)
    except OSError as error:
        log.warning("there are no precompiled headers error=%s", error)
        return None
