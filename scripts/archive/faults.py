# SPDX-License-Identifier: Apache-2.0
"""Damaged, mislabelled and foreign entries. Each gets a file of its own, so that the healthy part stays as it is."""
import io
import os
import struct
import zipfile
import zlib

import numpy as np

from . import pixels
from .build import header, image_attributes, place, truth
from .files import BIG, EXPLICIT, IMPLICIT, RLE, body_bytes, dataset_bytes, encode, meta, part10, set_encapsulated, set_native
from .plan import SOP

MAGIC = b'\0' * 128 + b'DICM'


class Faults:
    """Writes the entries of one donor study with every kind of damage; `entries` is their truth."""

    def __init__(self, out, donor, latin, scratch):
        self.out, self.donor, self.latin, self.scratch = out, donor, latin, scratch
        self.series = dict(donor['series'][0], rows=96, cols=120, bits=12, signed=True, syntax=EXPLICIT)
        self.rng = np.random.Generator(np.random.PCG64([donor['seed'], 4242]))
        self.entries, self.number = [], 0

    def run(self):
        self.headers()
        self.content()
        self.duplicates()
        self.names()
        self.foreign()
        self.special_entries()
        return self.entries

    def image(self, study=None):
        """(dataset without pixels, frames, truth values) of a new object."""
        self.number += 1
        ds = image_attributes(header(study or self.donor, SOP['CT'], 'CT', self.series, 90, self.number), self.series, self.number)
        frames = pixels.grey(self.rng, 1, self.series['rows'], self.series['cols'], -1024, 1500, 12)
        return ds, frames, self.values(ds, frames, f'f{self.number}')

    def values(self, ds, frames, source):
        full, raw = pixels.pix1(frames, 12, True, 'MONOCHROME2')
        return {'sop_instance': str(ds.SOPInstanceUID), 'study': str(ds.StudyInstanceUID), 'transfer_syntax': EXPLICIT,
                'pixel_source': source, 'pixel_sha256': full, 'raw_pixels_sha256': raw, 'dataset': str(ds.SOPInstanceUID)}

    def put(self, path, data, bucket='instance', codes=(), **values):
        path = path if isinstance(path, bytes) else path.encode()
        path = os.fsencode(self.donor['folder']) + b'/' + path
        place(self.out, path, data)
        self.entries.append(truth(path, bucket, data, codes=sorted(codes), **values))

    def broken(self, path, data, codes, values):
        """An object that must wait for a person: nothing is said about its pixels."""
        self.put(path, data, 'quarantined', codes, **dict(values, pixel_source=None, pixel_sha256=None, raw_pixels_sha256=None))

    def healthy(self, syntax=EXPLICIT):
        ds, frames, values = self.image()
        set_native(ds, frames, syntax)
        return ds, frames, values

    def headers(self):
        """Damage in front of the dataset."""
        ds, _, v = self.healthy(IMPLICIT)
        self.put('nometa-implicit', dataset_bytes(ds, IMPLICIT), codes=['ENC-NOMETA'], **dict(v, transfer_syntax=IMPLICIT))
        ds, _, v = self.healthy()
        self.put('nometa-explicit.dcm', dataset_bytes(ds, EXPLICIT), codes=['ENC-NOMETA'], **v)
        ds, _, v = self.healthy()
        self.put('nopreamble', part10(ds, EXPLICIT)[128:], codes=['ENC-NOPREAMBLE'], **v)
        ds, _, v = self.healthy(IMPLICIT)
        self.put('wrong-label', MAGIC + meta(ds.SOPClassUID, ds.SOPInstanceUID, EXPLICIT) + dataset_bytes(ds, IMPLICIT),
                 codes=['ENC-TSLABEL'], **dict(v, transfer_syntax=IMPLICIT))
        ds, _, v = self.healthy()
        self.put('wrong-label-implicit', MAGIC + meta(ds.SOPClassUID, ds.SOPInstanceUID, IMPLICIT) + dataset_bytes(ds, EXPLICIT),
                 codes=['ENC-TSLABEL'], **v)
        ds, _, v = self.healthy()
        self.put('meta-mismatch', MAGIC + meta(ds.SOPClassUID, ds.SOPInstanceUID + '9', EXPLICIT) + dataset_bytes(ds, EXPLICIT),
                 codes=['ENC-METAMISMATCH'], **v)

    def content(self):
        """Damage in the dataset, the pixels or behind them."""
        ds, _, v = self.healthy()
        whole = part10(ds, EXPLICIT)
        self.broken('cut-in-pixels', whole[:-7000], ['ENC-LENOVER'], v)
        ds, _, v = self.healthy()
        whole = part10(ds, EXPLICIT)
        at = whole.index(struct.pack('<HH', 0x28, 0x1051) + b'DS')
        self.broken('cut-in-header.dcm', whole[:at + 9], ['ENC-LENOVER'], v)
        ds, frames, v = self.image()
        ds.add_new(0x7FE00010, 'OW', frames.tobytes()[:-2 * self.series['cols']])
        self.broken('pixels-short', part10(ds, EXPLICIT), ['PIX-SHORT'], v)
        ds, frames, v = self.image()
        ds.add_new(0x7FE00010, 'OW', frames.tobytes() + b'\0' * 10)
        self.put('pixels-long', part10(ds, EXPLICIT), codes=['PIX-LONG'], **v)
        ds, _, v = self.healthy()
        whole = part10(ds, EXPLICIT)
        self.put('block-pad', whole + b'\0' * (512 - len(whole) % 512), codes=['ENC-BLOCKPAD'], **v)
        ds, _, v = self.healthy()
        ds.ImageComments = 'ABCDEFGH'
        whole = part10(ds, EXPLICIT)
        self.put('odd-length', whole.replace(b'LT\x08\0ABCDEFGH', b'LT\x07\0ABCDEFG'), codes=['ENC-ODDLEN'], **v)
        ds, frames, v = self.image(self.latin)
        ds.SpecificCharacterSet = 'ISO_IR 100'
        set_native(ds, frames, EXPLICIT)
        whole = part10(ds, EXPLICIT)
        charset = struct.pack('<HH', 8, 5) + b'CS\x0a\0ISO_IR 100'
        self.put('latin-names', whole.replace(charset, b'', 1), codes=['CS-MISSING8'], **v)
        ds, frames, v = self.image()
        streams, _ = encode(frames, 12, True, 'MONOCHROME2', RLE, self.scratch)
        set_encapsulated(ds, streams, True)
        whole = part10(ds, RLE)
        self.broken('cut-in-fragment', whole[:-len(streams[0]) // 2], ['ENC-LENOVER'], dict(v, transfer_syntax=RLE))

    def duplicates(self):
        """Several files with one SOP Instance UID; the later ones in scan order are the duplicates."""
        ds, frames, v = self.healthy()
        whole = part10(ds, EXPLICIT)
        self.put('dup-a', whole, **v)
        self.put('x/dup-a-same', whole, **v)
        set_native(ds, frames, BIG)
        self.put('x/dup-a-big', MAGIC + meta(ds.SOPClassUID, ds.SOPInstanceUID, BIG) + body_bytes(ds, BIG),
                 codes=['ENC-BE'], **dict(v, transfer_syntax=BIG))
        streams, _ = encode(frames, 12, True, 'MONOCHROME2', RLE, self.scratch)
        set_encapsulated(ds, streams, False)
        self.put('x/dup-a-rle', part10(ds, RLE), **dict(v, transfer_syntax=RLE))
        ds, frames, v = self.healthy()
        self.put('dup-b', part10(ds, EXPLICIT), **v)
        ds.SeriesDescription = 'edited afterwards'
        self.put('x/dup-b-header', part10(ds, EXPLICIT), **dict(v, dataset=v['dataset'] + '+edited'))
        ds, frames, v = self.healthy()
        self.put('dup-c', part10(ds, EXPLICIT), **v)
        frames = frames.copy()
        frames[0, 40:60, 30:50] = 1200
        set_native(ds, frames, EXPLICIT)
        self.put('x/dup-c-pixels', part10(ds, EXPLICIT), **self.values(ds, frames, v['pixel_source'] + '+changed'))

    def names(self):
        """Names of files that are hard to carry."""
        for name in (b'line\nbreak.dcm', b'latin-\xfc\xdf.dcm', b'percent%41', 'grün-山田.dcm'.encode(), b' leading space', b'tab\t"quote\''):
            ds, _, v = self.healthy()
            self.put(name, part10(ds, EXPLICIT), **v)

    def foreign(self):
        """Files that are no DICOM objects."""
        def chunk(kind, data):
            return struct.pack('>I', len(data)) + kind + data + struct.pack('>I', zlib.crc32(kind + data))
        png = (b'\x89PNG\r\n\x1a\n' + chunk(b'IHDR', struct.pack('>IIBBBBB', 4, 4, 8, 0, 0, 0, 0)) +
               chunk(b'IDAT', zlib.compress(b'\0\1\2\3\4' * 4)) + chunk(b'IEND', b''))
        store = io.BytesIO()
        with zipfile.ZipFile(store, 'w') as archive:
            archive.writestr(zipfile.ZipInfo('notes.txt', (2010, 1, 2, 3, 4, 0)), 'nothing of interest\n')
        for name, data in (('readme.txt', b'Archive of the old PACS, volume 7.\n' * 20), ('logo.png', png), ('notes.zip', store.getvalue()),
                           ('letter.pdf', b'%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n'),
                           ('Thumbs.db', bytes.fromhex('d0cf11e0a1b11ae1') + b'\0' * 1528),
                           ('noise.dcm', self.rng.bytes(6000))):
            self.put(name, data, 'non-dicom')
        self.put('zeros.dcm', b'\0' * 4096, 'non-dicom', ['SRC-ZEROS'])
        self.put('empty.dcm', b'', 'empty')

    def special_entries(self):
        """Links, a FIFO and a folder nobody may read (root may)."""
        base = os.path.join(os.fsencode(self.out), os.fsencode(self.donor['folder']))
        folder = os.fsencode(self.donor['folder'])
        for name, target in ((b'link-broken', b'nowhere/at/all'), (b'link-loop', b'.'), (b'link-self', b'link-self')):
            os.symlink(target, os.path.join(base, name))
            self.entries.append(truth(folder + b'/' + name, 'non-dicom', content_type='symlink', bytes=0))
        os.mkfifo(os.path.join(base, b'pipe'), 0o644)
        self.entries.append(truth(folder + b'/pipe', 'non-dicom', content_type='fifo', bytes=0))
        ds, _, v = self.healthy()
        # whoever is not root sees only the folder: one unreadable entry instead of this object
        self.put('locked/IM0001', part10(ds, EXPLICIT), needs_root=True, **v)


def lock(out, donor):
    """Takes all rights from the locked folder; last of all, so that the tree can be finished by anyone."""
    os.chmod(os.path.join(out, donor['folder'], 'locked'), 0)
