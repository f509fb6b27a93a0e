"""What the commands of scripts/bench share: made objects, and commands timed and measured."""
import os
import struct
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
BIN = os.path.join(ROOT, 'build', 'release', 'bin')


def element(group, number, vr, value):
    if len(value) % 2:
        value += b'\0' if vr == b'UI' else b' '
    head = struct.pack('<HH', group, number) + vr
    if vr in (b'OB', b'OW'):
        return head + struct.pack('<HI', 0, len(value)) + value
    return head + struct.pack('<H', len(value)) + value


def dicom_object(index, pixels, side):
    """A CT-like object, explicit little endian; every UID differs."""
    study, series = index // 500, index // 100
    uid = b'2.25.%d' % (10**12 + index)
    data = b''.join([
        element(8, 0x16, b'UI', b'1.2.840.10008.5.1.4.1.1.2'), element(8, 0x18, b'UI', uid),
        element(8, 0x20, b'DA', b'20190502'), element(8, 0x30, b'TM', b'101500'), element(8, 0x50, b'SH', b'A%d' % study),
        element(8, 0x60, b'CS', b'CT'), element(8, 0x90, b'PN', b''), element(0x10, 0x10, b'PN', b'Bench^%d' % study),
        element(0x10, 0x20, b'LO', b'P%d' % study), element(0x10, 0x30, b'DA', b'19560417'), element(0x10, 0x40, b'CS', b'F'),
        element(0x20, 0x0D, b'UI', b'2.25.2%09d' % study), element(0x20, 0x0E, b'UI', b'2.25.3%09d' % series),
        element(0x20, 0x10, b'SH', b'1'), element(0x20, 0x11, b'IS', b'1'), element(0x28, 0x02, b'US', struct.pack('<H', 1)),
        element(0x28, 0x04, b'CS', b'MONOCHROME2'), element(0x28, 0x10, b'US', struct.pack('<H', side)),
        element(0x28, 0x11, b'US', struct.pack('<H', side)), element(0x28, 0x100, b'US', struct.pack('<H', 16)),
        element(0x28, 0x101, b'US', struct.pack('<H', 12)), element(0x28, 0x102, b'US', struct.pack('<H', 11)),
        element(0x28, 0x103, b'US', struct.pack('<H', 0)), element(0x7FE0, 0x10, b'OW', pixels)])
    meta = b''.join([element(2, 1, b'OB', b'\0\1'), element(2, 2, b'UI', b'1.2.840.10008.5.1.4.1.1.2'),
                     element(2, 3, b'UI', uid), element(2, 0x10, b'UI', b'1.2.840.10008.1.2.1')])
    return b'\0' * 128 + b'DICM' + element(2, 0, b'UL', struct.pack('<I', len(meta))) + meta + data


def make(folder, objects, side):
    base = bytearray(side * side * 2)
    for i in range(0, len(base), 2):
        struct.pack_into('<H', base, i, (i * 7 + (i // side) * 3) % 4096)
    paths = []
    for i in range(objects):
        sub = os.path.join(folder, '%05d' % (i // 1000))
        if i % 1000 == 0:
            os.makedirs(sub)
        struct.pack_into('<H', base, 0, i % 4096)
        paths.append(os.path.join(sub, 'IM%06d' % i))
        with open(paths[-1], 'wb') as out:
            out.write(dicom_object(i, bytes(base), side))
    return paths


def timed(command, stdin=None):
    """Seconds, output and peak KiB of a command that must end 0 or 1."""
    start = time.monotonic()
    child = subprocess.Popen(command, stdin=subprocess.PIPE if stdin is not None else None, stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE)
    out, err = child.communicate(stdin)
    if child.returncode not in (0, 1):
        sys.exit('bench: %s ended %d: %s' % (command[0], child.returncode, err.decode()[-500:]))
    return time.monotonic() - start, out.decode()


def peak_memory(command):
    """Peak resident KiB of a command, from the kernel's own count."""
    pid = os.posix_spawn(command[0], command, os.environ,
                         file_actions=[(os.POSIX_SPAWN_OPEN, 1, '/dev/null', os.O_WRONLY, 0),
                                       (os.POSIX_SPAWN_OPEN, 2, '/dev/null', os.O_WRONLY, 0)])
    _, status, usage = os.wait4(pid, 0)
    if os.waitstatus_to_exitcode(status) not in (0, 1):
        sys.exit('bench: %s failed' % ' '.join(command))
    return usage.ru_maxrss


def drop_cache(paths):
    for path in paths:
        fd = os.open(path, os.O_RDONLY)
        os.fdatasync(fd)
        os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
        os.close(fd)
