"""A worker's place on its host: cgroups, user ids, and where the templates are."""

from __future__ import annotations

import os
from dataclasses import dataclass

from dcodex_shared.config import WorkerSettings
from dcodex_worker.sandbox import cgroup
from dcodex_worker.sandbox.box import Identity, SetupError

#: User ids of sandboxes: above every usual allocation (subuid ranges start at 100000 and end
#: far below), a block for each host process by its pid (at most 2**22), an id for each of two
#: users of each slot in it.
FIRST_ID = 1 << 30
IDS_PER_HOST = 256
#: The program's and init's.
_IDS_PER_SLOT = 2
MAX_SLOTS = IDS_PER_HOST // _IDS_PER_SLOT


@dataclass(frozen=True, slots=True)
class Slot:
    """What one worker process is given."""

    number: int
    identity: Identity
    tree: cgroup.Tree
    #: The names of its leaves begin so.
    leaf_prefix: str
    #: The directory of the templates' sockets.
    templates: str


class Slots:
    """All places of this host. Raises SetupError when its cgroups cannot be made."""

    def __init__(self, settings: WorkerSettings) -> None:
        if not 1 <= settings.slots <= MAX_SLOTS:
            raise SetupError("slots", 0, f"slots must be between 1 and {MAX_SLOTS}")
        pid = os.getpid()
        try:
            #: The groups of this host.
            shares = "cpu-share" not in settings.allow_degraded
            self.tree = cgroup.create_tree(f"dcodex-{pid}", settings.cgroup_root, shares)
        except cgroup.CgroupError as error:
            raise SetupError("cgroup", 0, str(error)) from error
        self._first_id = FIRST_ID + pid * IDS_PER_HOST
        self._templates = templates_directory(settings)
        self._free = set(range(settings.slots))

    def take(self) -> Slot:
        """A free place; raises SetupError when there is none."""
        if not self._free:
            raise SetupError("slots", 0, "no slot is free")
        number = min(self._free)
        self._free.remove(number)
        first = self._first_id + number * _IDS_PER_SLOT
        return Slot(number, Identity(first, first + 1), self.tree, f"w{number}-", self._templates)

    def give_back(self, slot: Slot) -> None:
        """Free a place that its worker has left, and in which nothing lives any more."""
        self._free.add(slot.number)

    def close(self) -> None:
        """Kill and remove everything."""
        cgroup.remove_tree(self.tree)


def templates_directory(settings: WorkerSettings) -> str:
    """Where this host process has its templates' sockets."""
    return os.path.join(settings.runtime_dir, f"host-{os.getpid()}")
