"""A seccomp filter: calls that would reach other processes, the network or the kernel's far corners are refused.

In: nothing but the machine's architecture. Out: the calling process and all its threads are filtered for good.
Raises OSError where the kernel takes no filter. What is left: files, memory, threads, signals to oneself.
The numbers are those of the kernel's `asm/unistd_64.h` and `asm-generic/unistd.h`; the program is classic BPF,
see `Documentation/userspace-api/seccomp_filter.rst`.
"""

from __future__ import annotations

import ctypes
import errno
import os
import struct
from typing import NamedTuple

from isolation.linux import syscall

_SECCOMP, _SET_MODE_FILTER = (317, 277), 1
_KILL, _ERRNO, _ALLOW = 0x80000000, 0x00050000, 0x7FFF0000
_LOAD, _EQUAL, _AT_LEAST, _HAS_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_NUMBER, _ARCHITECTURE, _FIRST_ARGUMENT = 0, 4, 16
_X32 = 0x40000000
_CLONE_THREAD = 0x10000
_AF_UNIX = 1


class _Machine(NamedTuple):
    audit: int
    column: int


_MACHINES = {"x86_64": _Machine(0xC000003E, 0), "aarch64": _Machine(0xC00000B7, 1)}
_ABSENT = -1

# Number on x86_64, number on aarch64.
_REFUSED = {
    # Processes: none is made, none is turned into another program.
    "fork": (57, _ABSENT),
    "vfork": (58, _ABSENT),
    "execve": (59, 221),
    "execveat": (322, 281),
    # The network.
    "socket": (41, 198),
    # The same by a ring, which no filter sees.
    "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    # Other processes of the same user: the one that started us above all.
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "process_madvise": (440, 440),
    "process_mrelease": (448, 448),
    "kcmp": (312, 272),
    "pidfd_open": (434, 434),
    "pidfd_send_signal": (424, 424),
    "pidfd_getfd": (438, 438),
    "tkill": (200, 130),
    "rt_sigqueueinfo": (129, 138),
    "rt_tgsigqueueinfo": (297, 240),
    "setpriority": (141, 140),
    "ioprio_set": (251, 30),
    "sched_setparam": (142, 118),
    "sched_setscheduler": (144, 119),
    "sched_setattr": (314, 274),
    "sched_setaffinity": (203, 122),
    "migrate_pages": (256, 238),
    "move_pages": (279, 239),
    # Memory that no limit counts, or that outlives the process.
    "memfd_create": (319, 279),
    "memfd_secret": (447, 447),
    "shmget": (29, 194),
    "semget": (64, 190),
    "msgget": (68, 186),
    "mq_open": (240, 180),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "keyctl": (250, 219),
    # What no grader needs, and attacks on the kernel do.
    "unshare": (272, 97),
    "setns": (308, 268),
    "mount": (165, 40),
    "umount2": (166, 39),
    "pivot_root": (155, 41),
    "chroot": (161, 51),
    "open_tree": (428, 428),
    "move_mount": (429, 429),
    "fsopen": (430, 430),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fspick": (433, 433),
    "mount_setattr": (442, 442),
    "name_to_handle_at": (303, 264),
    "open_by_handle_at": (304, 265),
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "userfaultfd": (323, 282),
    "modify_ldt": (154, _ABSENT),
}
_CLONE, _CLONE3 = (56, 220), (435, 435)
_SOCKETPAIR = (53, 199)
# Those that name a process as their first argument: 0 or oneself.
_PRLIMIT, _KILL_CALL, _TGKILL = (302, 261), (62, 129), (234, 131)
# Those whose second argument can have a file's signals sent to another process, or type into a terminal.
_FCNTL, _F_SETOWN, _F_SETSIG, _F_SETOWN_EX = (72, 25), 8, 10, 15
_IOCTL, _FIOSETOWN, _SIOCSPGRP, _TIOCSTI = (16, 29), 0x8901, 0x8902, 0x5412


def install() -> None:
    """Needs no_new_privs, or the capability to do without."""
    instructions = _program(os.getpid())
    code = ctypes.create_string_buffer(b"".join(instructions))
    header = struct.pack("@HP", len(instructions), ctypes.addressof(code))
    # Not by prctl, which does the same: Lambda has been seen to refuse that.
    syscall(_SECCOMP[_machine().column], _SET_MODE_FILTER, 0, ctypes.create_string_buffer(header))


def _program(own: int) -> list[bytes]:
    machine = _machine()
    column = machine.column
    refuse = _step(_RETURN, _ERRNO | errno.EPERM)
    allow = _step(_RETURN, _ALLOW)
    program = [
        _step(_LOAD, _ARCHITECTURE),
        _step(_EQUAL, machine.audit, yes=1),
        _step(_RETURN, _KILL),
        _step(_LOAD, _NUMBER),
        _step(_AT_LEAST, _X32, no=1),
        refuse,
    ]
    for numbers in _REFUSED.values():
        if numbers[column] != _ABSENT:
            program += [_step(_EQUAL, numbers[column], no=1), refuse]
    # Its flags lie in memory, where a filter cannot look; libc then takes clone.
    program += [_step(_EQUAL, _CLONE3[column], no=1), _step(_RETURN, _ERRNO | errno.ENOSYS)]
    program += _on(_CLONE[column], 0, [_step(_HAS_BIT, _CLONE_THREAD, yes=1), refuse, allow])
    program += _on(_SOCKETPAIR[column], 0, [_step(_EQUAL, _AF_UNIX, yes=1), refuse, allow])
    program += _on(_PRLIMIT[column], 0, [_step(_EQUAL, 0, yes=2), _step(_EQUAL, own, yes=1), refuse, allow])
    for numbers in (_KILL_CALL, _TGKILL):
        program += _on(numbers[column], 0, [_step(_EQUAL, own, yes=1), refuse, allow])
    for numbers, commands in (
        (_FCNTL, (_F_SETOWN, _F_SETSIG, _F_SETOWN_EX)),
        (_IOCTL, (_FIOSETOWN, _SIOCSPGRP, _TIOCSTI)),
    ):
        refusals = [step for command in commands for step in (_step(_EQUAL, command, no=1), refuse)]
        program += _on(numbers[column], 1, [*refusals, allow])
    return [*program, allow]


def _machine() -> _Machine:
    try:
        return _MACHINES[os.uname().machine]
    except KeyError:
        raise OSError(errno.ENOSYS, f"no filter for {os.uname().machine}") from None


def _on(number: int, argument: int, decide: list[bytes]) -> list[bytes]:
    """For this call alone: decide by the lower half of an argument, which is all that the kernel reads of an int."""
    return [
        _step(_EQUAL, number, no=len(decide) + 1),
        _step(_LOAD, _FIRST_ARGUMENT + 8 * argument),
        *decide,
    ]


def _step(code: int, value: int, *, yes: int = 0, no: int = 0) -> bytes:
    """One instruction; `yes` and `no` are how many of the next ones a test skips."""
    return struct.pack("=HBBI", code, yes, no, value)
