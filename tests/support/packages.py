# SPDX-License-Identifier: Apache-2.0
"""Makes evidence packages for tests, tampers with them and lets an auditor check them. Importing it takes the folder of
the tools from the first argument of the program."""
import glob
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

from manifests import chain_of, frames_of, sha, tail_of, write_manifest, zstd

BIN = sys.argv.pop(1)
TOOLS = ('sh cat cp mv rm mkdir mktemp dirname basename head tail tr cut wc sort uniq comm cmp od split paste base64 find '
         'xargs grep awk sha256sum zstd jq openssl').split()


def objects(count):
    return [{'kind': 'object', 'id': '%016x' % (n * 7919), 'source': {'path': '/a/%d' % n, 'offset': 0, 'size': 100 + n, 'mtime': ''},
             'bucket': 'instance' if n % 10 else 'non-dicom', 'findings': [], 'sop_instance': '1.2.3.%d' % n,
             'study': '1.2.%d' % (n // 6), 'modality': 'CT', 'study_date': '20240131', 'patient_id': 'P%d' % (n // 6)}
            for n in range(count)]


def with_bucket(all_objects, bucket):
    return [dict(o, bucket=bucket, load={'status': '0000', 'outcome': 'sent', 'attempts': 1}) if o['bucket'] != 'non-dicom' else o
            for o in all_objects]


def waybill(*args, code=0):
    ran = subprocess.run([os.path.join(BIN, 'waybill-' + args[0]), *args[1:]], capture_output=True, text=True)
    if ran.returncode != code:
        raise AssertionError('%s ended %d, not %d: %s%s' % (args, ran.returncode, code, ran.stdout, ran.stderr))
    return ran.stdout + ran.stderr


class PackageCase(unittest.TestCase):
    """A package in the class's folder, and for each test a copy of it that may be tampered with."""

    @classmethod
    def setUpClass(cls):
        cls.holder = tempfile.TemporaryDirectory()
        cls.folder = cls.holder.name
        cls.path = os.path.join(cls.folder, 'path')
        os.mkdir(cls.path)
        for tool in TOOLS:
            os.symlink(shutil.which(tool), os.path.join(cls.path, tool))
        cls.key = os.path.join(cls.folder, 'key')
        cls.key_id = waybill('manifest', 'keygen', '-o', cls.key).split()[1].rstrip(':')
        cls.good = cls.make('good', objects(70))

    @classmethod
    def tearDownClass(cls):
        cls.holder.cleanup()

    @classmethod
    def make(cls, name, all_objects, sign=True):
        work = os.path.join(cls.folder, name + '-work')
        os.mkdir(work)
        rules = os.path.join(work, 'rules.toml')
        with open(rules, 'w') as out:
            out.write('[rules]\n')
        with open(rules, 'rb') as file:
            rules_digest = sha(file.read())
        at = lambda stage: os.path.join(work, stage + '.wb')
        scan = write_manifest(at('scan'), 'scan', 8, [], all_objects)
        loaded = with_bucket(all_objects, 'loaded')
        load = write_manifest(at('load'), 'load', 10, [{'name': 'scan.wb', 'head': scan}, {'name': 'rules.toml', 'head': rules_digest}],
                              loaded)
        verified = [dict(o, bucket='verified', verify={'grade': 'E4', 'verdict': 'IDENTICAL', 'differences': []})
                    if o['bucket'] == 'loaded' else o for o in loaded]
        drawn = [o['id'] for o in verified if o['bucket'] == 'verified'][:5]
        sample = [{'kind': 'sample', 'confidence': '95%', 'defect': '1%', 'seed': 7, 'unit': 'object', 'order': 'o', 'lot': 90, 'drawn': 5,
                   'always': 0, 'strata': 1, 'list_sha256': sha(''.join(i + '\n' for i in drawn).encode())}]
        sample += [{'kind': 'sample-object', 'id': i, 'stratum': 0, 'why': 'drawn'} for i in drawn]
        sample += [{'kind': 'sample-result', 'state': 'passed', 'statement': 'With 95 % confidence at most 1 %.'}]
        write_manifest(at('verify'), 'verify', 11, [{'name': 'load.wb', 'head': load}], sample + verified)
        paths = [at(stage) for stage in ('scan', 'load', 'verify')]
        for path in paths:
            waybill('manifest', 'check', path)
            if sign:
                waybill('manifest', 'sign', path, '--key', cls.key)
        package = os.path.join(cls.folder, name)
        waybill('report', *paths, '--package', package, '--include', rules, *(('--sign', cls.key) if sign else ()))
        return package

    def setUp(self):
        self.package = os.path.join(self.folder, 'tampered')
        shutil.copytree(self.good, self.package)

    def tearDown(self):
        shutil.rmtree(self.package)

    def audit(self, *args, package=None):
        ran = subprocess.run([os.path.join(self.path, 'sh'), os.path.join(package or self.package, 'verify.sh'), *args],
                             env={'PATH': self.path}, capture_output=True, text=True)
        return ran.returncode, ran.stdout + ran.stderr

    def assert_found(self, *texts, given_key=True):
        code, said = self.audit(*([self.key_id] if given_key else []))
        self.assertEqual(code, 1, said)
        for text in texts:
            self.assertIn(text, '\n'.join(line for line in said.splitlines() if line.startswith('BAD')))
        return said

    def at(self, name):
        return os.path.join(self.package, name)

    def change(self, name, change):
        with open(self.at(name), 'rb') as file:
            data = file.read()
        with open(self.at(name), 'wb') as out:
            out.write(change(data))

    def list_anew(self, key=None):
        """What somebody does who hides a change: the list of files is made again, and signed if he has a key."""
        names = sorted('./' + os.path.relpath(path, self.package)
                       for path in glob.glob(self.package + '/**', recursive=True) if os.path.isfile(path))
        with open(self.at('SHA256SUMS'), 'w') as out:
            for name in names:
                if not name.startswith('./SHA256SUMS'):
                    with open(self.at(name), 'rb') as file:
                        out.write('%s  %s\n' % (sha(file.read()), name))
        if key:
            subprocess.run(['openssl', 'pkeyutl', '-sign', '-rawin', '-inkey', key, '-in', self.at('SHA256SUMS'), '-out',
                            self.at('SHA256SUMS.sig')], check=True)

    def reframe(self, stage, change):
        """Changes the list of frames of a manifest and makes seal and table fit."""
        path = self.at('manifests/%s.wb' % stage)
        frames = change(frames_of(path))
        with open(path, 'wb') as out:
            out.write(b''.join(frames) + tail_of(frames))

    def mutate(self, frame, old=b'"size":150', new=b'"size":151'):
        text = zstd(frame, '-d')
        self.assertEqual(text.count(old), 1)
        return zstd(text.replace(old, new))

    def rechain(self, frames, signature=True):
        """The whole chain again after a change; the old signature stays as it was."""
        contents = [zstd(f, '-d') for f in frames]
        contents = [contents[0]] + [c.split(b'\n', 1)[1] for c in contents[1:]]
        if not signature:
            contents.pop()
        contents = [re.sub(rb'"prev":"[0-9a-f]{64}"', b'"prev":"PREV"', c) if c.startswith(b'{"kind":"end"') else c for c in contents]
        return chain_of(contents)
