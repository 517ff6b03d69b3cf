"""Where control groups are, from the texts of /proc."""

from __future__ import annotations

import pytest

from dcodex_worker.sandbox.cgroup import CgroupError, find

V1_MOUNTS = """\
cgroup /sys/fs/cgroup/cpu,cpuacct cgroup rw,relatime,cpu,cpuacct 0 0
cgroup /sys/fs/cgroup/memory cgroup rw,relatime,memory 0 0
cgroup /sys/fs/cgroup/pids cgroup rw,relatime,pids 0 0
cgroup2 /sys/fs/cgroup/unified cgroup2 rw,relatime 0 0
"""
V1_OWN = "5:memory:/a/b\n4:cpu,cpuacct:/\n3:pids:/c\n0::/\n"
V2_MOUNTS = "cgroup2 /sys/fs/cgroup cgroup2 rw,nosuid 0 0\n"
V2_OWN = "0::/system.slice/dcodex.service\n"


def test_version_1_is_taken_where_all_its_controllers_are_mounted() -> None:
    assert find(V1_MOUNTS, V1_OWN) == (
        1,
        (
            ("memory", "/sys/fs/cgroup/memory/a/b"),
            ("pids", "/sys/fs/cgroup/pids/c"),
            ("cpuacct", "/sys/fs/cgroup/cpu,cpuacct"),
            ("cpu", "/sys/fs/cgroup/cpu,cpuacct"),
        ),
    )


def test_version_2_is_taken_where_version_1_is_not_complete() -> None:
    assert find(V2_MOUNTS, V2_OWN) == (
        2,
        (("unified", "/sys/fs/cgroup/system.slice/dcodex.service"),),
    )


def test_the_operators_root_wins_over_the_processes_own_group() -> None:
    assert find(V2_MOUNTS, V2_OWN, "/farm") == (2, (("unified", "/sys/fs/cgroup/farm"),))


def test_who_was_moved_aside_before_is_not_moved_deeper() -> None:
    own = V2_OWN.replace("\n", "/supervisor\n")
    assert find(V2_MOUNTS, own) == find(V2_MOUNTS, V2_OWN)
    assert find(V2_MOUNTS, "0::/supervisor\n") == find(V2_MOUNTS, "0::/\n")


def test_what_is_missing_is_named() -> None:
    mounts = "".join(line for line in V1_MOUNTS.splitlines(True) if "memory" not in line)
    mounts = mounts.replace("cgroup2 ", "tmpfs ").replace(" cgroup2 ", " tmpfs ")
    with pytest.raises(CgroupError, match="memory"):
        find(mounts, V1_OWN)
