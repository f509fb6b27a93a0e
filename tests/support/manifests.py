# SPDX-License-Identifier: Apache-2.0
"""Writes manifests for tests by docs/manifest.md, with Python and the zstd program, sharing nothing with ours."""
import hashlib
import json
import struct
import subprocess


def zstd(data, *args):
    size = () if args else ('--stream-size=%d' % len(data),)
    return subprocess.run(['zstd', '-q', '-c', *args, *size], input=data, check=True, capture_output=True).stdout


def sha(data):
    return hashlib.sha256(data).hexdigest()


def line_of(record):
    return json.dumps(record, separators=(',', ':')).encode() + b'\n'


def tail_of(frames):
    """Seal and frame table as docs/manifest.md says."""
    seal = struct.pack('<II', 0x184D2A5D, 40) + b'waybill1' + hashlib.sha256(frames[-1]).digest()
    sizes = [(len(f), len(zstd(f, '-d'))) for f in frames] + [(len(seal), 0)]
    return (seal + struct.pack('<II', 0x184D2A5E, 8 * len(sizes) + 9) + b''.join(struct.pack('<II', *s) for s in sizes) +
            struct.pack('<IBI', len(sizes), 0, 0x8F92EAB1))


def chain_of(contents):
    """Frames of contents, each behind the block line that names the frame before."""
    frames = []
    for number, content in enumerate(contents):
        if number:
            content = line_of({'kind': 'block', 'n': number, 'prev': sha(frames[-1])}) + content.replace(
                b'PREV', sha(frames[-1]).encode())
        frames.append(zstd(content))
    return frames


def frames_of(path):
    """The frames of a file by its table."""
    with open(path, 'rb') as file:
        data = file.read()
    count = struct.unpack('<I', data[-9:-5])[0]
    frames, at = [], 0
    for n in range(count - 1):
        size = struct.unpack('<I', data[len(data) - 9 - 8 * (count - n):][:4])[0]
        frames.append(data[at:at + size])
        at += size
    return frames


def write_manifest(path, stage, hour, inputs, records, in_frame=30, run=None):
    """Header, frames of so many records, end; gives the head."""
    buckets = {}
    for record in records:
        if record['kind'] == 'object':
            buckets[record['bucket']] = buckets.get(record['bucket'], 0) + 1
    header = {'kind': 'header', 'format': 'waybill/1', 'stage': stage, 'run': run or 'run-' + stage, 'tool': 'another program',
              'created': '2026-03-01T%02d:00:00.000000Z' % hour, 'options': {}, 'inputs': inputs}
    end = {'kind': 'end', 'state': 'complete', 'records': len(records), 'counts': {'buckets': buckets}, 'prev': 'PREV'}
    parts = [records[i:i + in_frame] for i in range(0, len(records), in_frame)]
    frames = chain_of([line_of(header)] + [b''.join(map(line_of, part)) for part in parts] + [line_of(end)])
    with open(path, 'wb') as out:
        out.write(b''.join(frames) + tail_of(frames))
    return sha(frames[-1])
