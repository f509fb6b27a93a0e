# SPDX-License-Identifier: Apache-2.0
"""DICOM bytes: meta group, datasets in every plain encoding, and codestreams made by DCMTK and GDCM in batches."""
import hashlib
import os
import struct
import subprocess
import zlib

import numpy as np
import pydicom
from pydicom.encaps import decode_data_sequence, encapsulate
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_dataset

IMPLICIT, EXPLICIT, BIG, DEFLATED = ('1.2.840.10008.1.2', '1.2.840.10008.1.2.1', '1.2.840.10008.1.2.2',
                                     '1.2.840.10008.1.2.1.99')
RLE, J50, J57, J70, JLS, J2K = ('1.2.840.10008.1.2.5', '1.2.840.10008.1.2.4.50', '1.2.840.10008.1.2.4.57',
                                '1.2.840.10008.1.2.4.70', '1.2.840.10008.1.2.4.80', '1.2.840.10008.1.2.4.90')
NATIVE = (IMPLICIT, EXPLICIT, BIG, DEFLATED)
IMPLEMENTATION = '2.25.206513914812743268011094872116493307751'
VERSION = 'TESTARCHIVE_1'
TOOLS = {
    RLE: ['dcmcrle', '+un'],
    J50: ['dcmcjpeg', '+eb', '+un', '+q', '90'],
    J57: ['dcmcjpeg', '+el', '+sv', '4', '+un'],
    J70: ['dcmcjpeg', '+e1', '+un'],
    JLS: ['dcmcjpls', '+un'],
    J2K: ['gdcmconv', '--j2k'],
}


def uid(seed, *names):
    """A UID under 2.25 that follows from the seed and the names."""
    text = ':'.join(str(n) for n in (seed,) + names)
    return '2.25.' + str(int.from_bytes(hashlib.sha256(text.encode()).digest()[:16], 'big'))


def _element(element, vr, value):
    if len(value) % 2:
        value += b'\0'
    head = struct.pack('<HH', 2, element) + vr
    return head + (struct.pack('<HI', 0, len(value)) if vr == b'OB' else struct.pack('<H', len(value))) + value


def meta(sop_class, sop_instance, syntax):
    """The meta group with its length, without preamble and magic."""
    body = (_element(1, b'OB', b'\0\1') + _element(2, b'UI', sop_class.encode()) + _element(3, b'UI', sop_instance.encode()) +
            _element(0x10, b'UI', syntax.encode()) + _element(0x12, b'UI', IMPLEMENTATION.encode()) +
            _element(0x13, b'SH', VERSION.encode()))
    return _element(0, b'UL', struct.pack('<I', len(body))) + body


def dataset_bytes(dataset, syntax):
    """The dataset in one of the plain encodings (deflate not applied)."""
    stream = DicomBytesIO()
    stream.is_little_endian, stream.is_implicit_VR = syntax != BIG, syntax == IMPLICIT
    dataset.is_little_endian, dataset.is_implicit_VR = stream.is_little_endian, stream.is_implicit_VR
    write_dataset(stream, dataset, dataset.get('SpecificCharacterSet', 'iso8859'))
    return stream.getvalue()


def body_bytes(dataset, syntax):
    """What follows the meta group in a file of this transfer syntax."""
    data = dataset_bytes(dataset, syntax)
    if syntax == DEFLATED:
        packer = zlib.compressobj(6, zlib.DEFLATED, -15)
        data = packer.compress(data) + packer.flush()
        data += b'\0' * (len(data) % 2)
    return data


def part10(dataset, syntax):
    """The whole file."""
    return b'\0' * 128 + b'DICM' + meta(dataset.SOPClassUID, dataset.SOPInstanceUID, syntax) + body_bytes(dataset, syntax)


def set_native(dataset, frames, syntax):
    """Pixel data as plain words in the byte order of the syntax."""
    order = '>' if syntax == BIG else '<'
    data = frames.astype(frames.dtype.newbyteorder(order)).tobytes()
    data += b'\0' * (len(data) % 2)
    # 8-bit samples under OW are byte-swapped in big endian; OB says what is meant in every explicit syntax
    dataset.add_new(0x7FE00010, 'OW' if frames.dtype.itemsize > 1 or syntax == IMPLICIT else 'OB', data)


def set_encapsulated(dataset, streams, offset_table):
    """Pixel data as one fragment a frame."""
    dataset.add_new(0x7FE00010, 'OB', encapsulate(list(streams), has_bot=offset_table))
    dataset['PixelData'].is_undefined_length = True


def encode(frames, bits_stored, signed, photometric, syntax, folder):
    """One tool run for all frames: (codestreams, photometric interpretation of them).

    JPEG and JPEG-LS know no signed samples: they get the bit pattern masked to Bits Stored. JPEG 2000 keeps the sign.
    """
    samples = frames.shape[3] if frames.ndim == 4 else 1
    if signed and syntax != J2K:
        frames, signed = frames.view(np.uint16) & np.uint16((1 << bits_stored) - 1), False
    ds = pydicom.Dataset()
    kind = '4' if samples == 3 else '2' if frames.dtype.itemsize == 1 else '3'
    ds.SOPClassUID, ds.SOPInstanceUID = '1.2.840.10008.5.1.4.1.1.7.' + kind, '2.25.1'
    ds.StudyInstanceUID, ds.SeriesInstanceUID, ds.Modality, ds.PatientID = '2.25.2', '2.25.3', 'OT', 'X'
    ds.SamplesPerPixel, ds.PhotometricInterpretation = samples, photometric
    if samples == 3:
        ds.PlanarConfiguration = 0
    ds.NumberOfFrames, ds.Rows, ds.Columns = frames.shape[0], frames.shape[1], frames.shape[2]
    ds.BitsAllocated = 8 * frames.dtype.itemsize
    ds.BitsStored, ds.HighBit, ds.PixelRepresentation = bits_stored, bits_stored - 1, int(signed)
    set_native(ds, frames, EXPLICIT)
    source, target = os.path.join(folder, 'in'), os.path.join(folder, 'out')
    with open(source, 'wb') as file:
        file.write(part10(ds, EXPLICIT))
    run = subprocess.run(TOOLS[syntax] + [source, target], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    if run.returncode != 0:
        raise RuntimeError(f'{TOOLS[syntax][0]} cannot encode {frames.shape}: {run.stdout.decode(errors="replace")}')
    coded = pydicom.dcmread(target)
    if coded.file_meta.TransferSyntaxUID != syntax:
        raise RuntimeError(f'{TOOLS[syntax][0]} wrote {coded.file_meta.TransferSyntaxUID}, not {syntax}')
    streams = decode_data_sequence(coded.PixelData)
    if len(streams) != frames.shape[0]:
        raise RuntimeError(f'{TOOLS[syntax][0]} wrote {len(streams)} fragments for {frames.shape[0]} frames')
    os.unlink(source)
    os.unlink(target)
    return streams, coded.PhotometricInterpretation


def dicomdir(seed, name, patient, objects):
    """A DICOMDIR for files of one study: objects are (file name, dataset, syntax)."""
    def record(kind, **values):
        ds = pydicom.Dataset()
        ds.OffsetOfTheNextDirectoryRecord, ds.RecordInUseFlag, ds.OffsetOfReferencedLowerLevelDirectoryEntity = 0, 0xFFFF, 0
        ds.DirectoryRecordType = kind
        ds.SpecificCharacterSet = patient['charset']
        for key, value in values.items():
            setattr(ds, key, value)
        return ds
    first = objects[0][1]
    records = [record('PATIENT', PatientName=patient['pn'], PatientID=patient['id']),
               record('STUDY', StudyDate=first.StudyDate, StudyTime=first.StudyTime, StudyID='1',
                      StudyInstanceUID=first.StudyInstanceUID, AccessionNumber=first.AccessionNumber)]
    lower, following = {0: 1}, {}
    last_series, series_at, previous = None, None, None
    for file, ds, syntax in objects:
        if ds.SeriesInstanceUID != last_series:
            if series_at is None:
                lower[1] = len(records)
            else:
                following[series_at] = len(records)
            series_at, previous, last_series = len(records), None, ds.SeriesInstanceUID
            records.append(record('SERIES', Modality=ds.Modality, SeriesInstanceUID=ds.SeriesInstanceUID,
                                  SeriesNumber=ds.SeriesNumber))
        if previous is None:
            lower[series_at] = len(records)
        else:
            following[previous] = len(records)
        previous = len(records)
        records.append(record('IMAGE', ReferencedFileID=[file], ReferencedSOPClassUIDInFile=ds.SOPClassUID,
                              ReferencedSOPInstanceUIDInFile=ds.SOPInstanceUID,
                              ReferencedTransferSyntaxUIDInFile=syntax, InstanceNumber=ds.InstanceNumber))
    root = pydicom.Dataset()
    root.FileSetID = 'ARCHIVE'
    root.add_new(0x00041200, 'UL', 0)
    root.add_new(0x00041202, 'UL', 0)
    root.add_new(0x00041212, 'US', 0)
    sequence = struct.pack('<HH2sH', 4, 0x1220, b'SQ', 0)
    head = b'\0' * 128 + b'DICM' + meta('1.2.840.10008.1.3.10', uid(seed, 'dicomdir', name), EXPLICIT)
    at = len(head) + len(dataset_bytes(root, EXPLICIT)) + len(sequence) + 4
    places = []
    for item in records:
        places.append(at)
        at += 8 + len(dataset_bytes(item, EXPLICIT))
    for i, j in lower.items():
        records[i].OffsetOfReferencedLowerLevelDirectoryEntity = places[j]
    for i, j in following.items():
        records[i].OffsetOfTheNextDirectoryRecord = places[j]
    root[0x00041200].value = root[0x00041202].value = places[0]
    items = b''
    for item in records:
        data = dataset_bytes(item, EXPLICIT)
        items += struct.pack('<HHI', 0xFFFE, 0xE000, len(data)) + data
    return head + dataset_bytes(root, EXPLICIT) + sequence + struct.pack('<I', len(items)) + items
