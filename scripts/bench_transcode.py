"""scripts/bench transcode: the classes of images of a hospital against other programs, and against the bare codecs."""
import os
import shutil
import struct
import subprocess
import tempfile
import time

import numpy

from bench_common import BIN, timed

CORES = os.cpu_count()

# name: objects, SOP class, modality, rows, columns, frames, samples, bits stored; enough of them that start-up does not count
CLASSES = {
    'CT': (100, '1.2.840.10008.5.1.4.1.1.2', 'CT', 512, 512, 1, 1, 12),
    'CR': (12, '1.2.840.10008.5.1.4.1.1.1', 'CR', 2048, 2048, 1, 1, 12),
    'MG': (4, '1.2.840.10008.5.1.4.1.1.1.2', 'MG', 5120, 4096, 1, 1, 14),
    'US': (12, '1.2.840.10008.5.1.4.1.1.3.1', 'US', 480, 640, 40, 3, 8),
}
# the same work by others: one process a file, as many at once as there are cores; none of them proves what it wrote
PEERS = {
    'jpeg-ls': (['dcmcjpls'], ['gdcmconv', '--jpegls']),
    'jpeg-lossless': (['dcmcjpeg', '+e1'], ['gdcmconv', '--jpeg']),
    'rle': (['dcmcrle'], ['gdcmconv', '--rle']),
    'jpeg-2000': (['gdcmconv', '--j2k'],),
    'htj2k': (),
}
GOALS = {'jpeg-ls': 2, 'jpeg-lossless': 2, 'rle': 2, 'jpeg-2000': 1}


def element(group, number, vr, value):
    if isinstance(value, str):
        value = value.encode()
    if isinstance(value, int):
        value = struct.pack('<H', value)
    if len(value) % 2:
        value += b'\0' if vr == 'UI' else b' '
    head = struct.pack('<HH', group, number) + vr.encode()
    if vr in ('OB', 'OW'):
        return head + struct.pack('<HI', 0, len(value)) + value
    return head + struct.pack('<H', len(value)) + value


def pixels(rng, rows, columns, frames, samples, bits):
    """An ellipse of tissue in noise on an empty background, as most of these images are."""
    y, x = numpy.mgrid[0:rows, 0:columns].astype(numpy.float32)
    inside = ((y / rows - .5) ** 2 + (x / columns - .5) ** 2) < .2
    top = 2 ** bits - 1
    out = numpy.zeros((frames, rows, columns, samples), numpy.uint8 if bits <= 8 else '<u2')
    for f in range(frames):
        shade = (numpy.sin(x / 37 + f) + numpy.cos(y / 53)) * .2 + .5
        for s in range(samples):
            noise = rng.normal(0, 12 if bits > 8 else 2, (rows, columns))
            out[f, :, :, s] = numpy.where(inside, numpy.clip(shade * top * .6 + noise + s * 3, 0, top), 0)
    return out.tobytes()


def make(folder, name):
    objects, sop_class, modality, rows, columns, frames, samples, bits = CLASSES[name]
    rng = numpy.random.default_rng(1)
    os.makedirs(folder)
    paths = []
    for i in range(objects):
        uid = '2.25.%d' % (10 ** 12 + i)
        data = b''.join([
            element(8, 0x16, 'UI', sop_class), element(8, 0x18, 'UI', uid), element(8, 0x20, 'DA', '20190502'),
            element(8, 0x30, 'TM', '101500'), element(8, 0x50, 'SH', 'A1'), element(8, 0x60, 'CS', modality),
            element(8, 0x90, 'PN', ''), element(0x10, 0x10, 'PN', 'Bench'), element(0x10, 0x20, 'LO', 'P1'),
            element(0x10, 0x30, 'DA', ''), element(0x10, 0x40, 'CS', ''), element(0x20, 0x0D, 'UI', '2.25.11'),
            element(0x20, 0x0E, 'UI', '2.25.12'), element(0x20, 0x10, 'SH', '1'), element(0x20, 0x11, 'IS', '1'),
            element(0x28, 2, 'US', samples), element(0x28, 4, 'CS', 'RGB' if samples == 3 else 'MONOCHROME2'),
            element(0x28, 6, 'US', 0) if samples == 3 else b'', element(0x28, 8, 'IS', str(frames)) if frames > 1 else b'',
            element(0x28, 0x10, 'US', rows), element(0x28, 0x11, 'US', columns),
            element(0x28, 0x100, 'US', 8 if bits <= 8 else 16), element(0x28, 0x101, 'US', bits),
            element(0x28, 0x102, 'US', bits - 1), element(0x28, 0x103, 'US', 0),
            element(0x7FE0, 0x10, 'OB' if bits <= 8 else 'OW', pixels(rng, rows, columns, frames, samples, bits))])
        meta = b''.join([element(2, 1, 'OB', b'\0\1'), element(2, 2, 'UI', sop_class), element(2, 3, 'UI', uid),
                         element(2, 0x10, 'UI', '1.2.840.10008.1.2.1'), element(2, 0x12, 'UI', '2.25.1')])
        paths.append(os.path.join(folder, 'IM%04d' % i))
        with open(paths[-1], 'wb') as out:
            out.write(b'\0' * 128 + b'DICM' + element(2, 0, 'UL', struct.pack('<I', len(meta))) + meta + data)
    return paths


# The memory of codec processes is kept from frame to frame (lib/transcode/pool.cpp), so that of the bare codecs is, too.
KERNELS = dict(os.environ, GLIBC_TUNABLES='glibc.malloc.hugetlb=1:glibc.malloc.mmap_max=0:glibc.malloc.trim_threshold=134217728')


def command_of(folder, scan, target, *options):
    """The tool's, into a folder of its own: ext4 is slow to give out again what was deleted seconds ago."""
    out = tempfile.mkdtemp(dir=folder)
    return [os.path.join(BIN, 'waybill-transcode'), scan, '--to', target, '--out', os.path.join(out, 'staged'),
            '-o', os.path.join(out, 'transcode.wb'), '--quiet', *options]


def peak_of(command):
    """Peak KiB of the tool and its codec processes together, in a run of its own: looking costs time."""
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    peak = 0
    while child.poll() is None:
        peak = max(peak, private_memory(child.pid))
        time.sleep(.005)
    return peak


def private_memory(pid):
    """KiB of a process and its children; what they share is counted once, by proportional set size."""
    total = 0
    for p in [pid] + children(pid):
        try:
            with open('/proc/%d/smaps_rollup' % p) as lines:
                total += sum(int(line.split()[1]) for line in lines if line.startswith('Pss:'))
        except (OSError, ValueError):
            pass
    return total


def children(pid):
    out = []
    try:
        for task in os.listdir('/proc/%d/task' % pid):
            with open('/proc/%d/task/%s/children' % (pid, task)) as line:
                out += [int(p) for p in line.read().split()]
    except OSError:
        pass
    return out


def peer(folder, paths, command):
    out = tempfile.mkdtemp(dir=folder)
    script = ' '.join(command) + ' "$1" "%s/$(basename "$1")" >/dev/null 2>&1' % out
    start = time.monotonic()
    subprocess.run(['xargs', '-P', str(CORES), '-n', '1', 'sh', '-c', script, 'peer'], input='\n'.join(paths), text=True)
    seconds = time.monotonic() - start
    return seconds if len(os.listdir(out)) == len(paths) else None


def kernels(paths, target):
    """Seconds of the bare encoders and the decoders that prove: with our encoder, and with a library's."""
    took = []
    for _ in range(3):
        ran = subprocess.run([os.path.join(BIN, 'bench_codec_kernels'), target], input='\n'.join(paths), text=True,
                             capture_output=True, check=True, env=KERNELS)
        took.append([float(line.split()[1]) for line in ran.stdout.splitlines()])
    return [min(times) for times in zip(*took)]


def best(measure, *arguments):
    """The shortest of three, or None when it fails. None begins while the disk writes what the one before left."""
    took = []
    for _ in range(3):
        os.sync()
        took.append(measure(*arguments))
    return None if None in took else min(took)


def bench_transcode(folder, classes, targets):
    print('%-4s %-14s %8s %8s %8s %8s %8s %-9s %9s %9s %9s %9s %8s' % (
        'set', 'target', 'proved', 'unproved', 'kernels', 'library', 'peer', '(best)', 'kern/ours', 'lib/ours', 'peer/ours',
        'peer/unpr', 'peak MiB'))
    took = {}
    for name in classes:
        base = os.path.join(folder, name)
        paths = make(os.path.join(base, 'archive'), name)
        scan = os.path.join(base, 'scan.wb')
        subprocess.run([os.path.join(BIN, 'waybill-scan'), os.path.join(base, 'archive'), '-o', scan, '--quiet'],
                       check=True, stdout=subprocess.DEVNULL)
        largest = max(os.path.getsize(p) for p in paths)
        for target in targets:
            kernel, library = kernels(paths, target)
            proved = best(lambda: timed(command_of(base, scan, target))[0])
            unproved = best(lambda: timed(command_of(base, scan, target, '--verify', 'none'))[0])
            peak = peak_of(command_of(base, scan, target))
            peers = []
            for command in PEERS[target]:
                if shutil.which(command[0]):
                    seconds = best(peer, base, paths, command)
                    if seconds is not None:
                        peers.append((seconds, command[0]))
            first = min(peers) if peers else (float('nan'), '-')
            took[name, target] = unproved, proved
            print('%-4s %-14s %8.2f %8.2f %8.2f %8.2f %8.2f %-9s %9.2f %9.2f %9.2f %9.2f %4d/%-4d' % (
                name, target, proved, unproved, kernel, library, first[0], first[1], kernel / proved, library / proved,
                first[0] / proved, first[0] / unproved, peak / 1024, 3 * largest / 2 ** 20 + 64 * CORES), flush=True)
        if {'jpeg-2000', 'htj2k'} <= set(targets):
            print('%-4s htj2k is %.1f times as fast as jpeg-2000 (goal 5)' % (
                name, took[name, 'jpeg-2000'][1] / took[name, 'htj2k'][1]))
        shutil.rmtree(base)
    print('kernels: our encoders and the decoders that prove; library: the encoders of CharLS, DCMTK, OpenJPEG, OpenJPH '
          'and a decoder of another library, where there is one\ngoals: lib/ours 0.9; peer/ours on CT %s; peer/unpr 1.2; peak after the slash' %
          ', '.join('%s %d' % g for g in GOALS.items()))
