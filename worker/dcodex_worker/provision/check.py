"""Examines a runtime with the worker's own rules."""

from __future__ import annotations

import os
from dataclasses import replace

from dcodex_shared.config import WorkerSettings
from dcodex_shared.findings import Finding
from dcodex_worker.provision import files
from dcodex_worker.provision.appraise import appraise
from dcodex_worker.provision.judge import Facts, judge
from dcodex_worker.runtimes import python
from dcodex_worker.sandbox.box import SetupError
from dcodex_worker.template.serve import STANDARD


def check(directory: str, settings: WorkerSettings) -> list[Finding]:
    """What a host with these settings would make of the runtime in this directory."""
    if not files.is_runtime(directory):
        text = f"{directory} is no runtime: it has no {files.MARK}"
        return [Finding("interpreter", False, True, text, f"dcodex runtime make {directory}")]
    try:
        interpreter = python.find(replace(settings, python_venv=directory))
    except SetupError as error:
        return [Finding("interpreter", False, True, str(error), "make a runtime anew, elsewhere")]
    version = interpreter.version
    present = {name for group in interpreter.groups for name in group}
    facts = Facts(
        version=version,
        made_for=files.made_for(directory) or version,
        interpreter=os.path.realpath(interpreter.path),
        absent=tuple(n for n in " ".join(settings.preload).split() if n not in present),
        packages=tuple((p.name, p.version) for p in files.installed(directory, version)),
        templates=tuple(appraise(plan) for plan in python.template_plans(interpreter)),
        files=files.survey(directory, version),
    )
    return judge(facts, STANDARD)
