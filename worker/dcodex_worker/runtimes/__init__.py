"""What a worker needs to run a language: templates and slots on the host, stages in the worker."""

from dcodex_worker.runtimes.slots import Slot, Slots
from dcodex_worker.runtimes.stage import Armed, CompileLost, Stage
from dcodex_worker.runtimes.templates import Templates
from dcodex_worker.runtimes.workshop import Workshop

__all__ = ["Armed", "CompileLost", "Slot", "Slots", "Stage", "Templates", "Workshop"]
