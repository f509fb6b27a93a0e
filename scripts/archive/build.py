# SPDX-License-Identifier: Apache-2.0
"""Makes the files of one study and the truth about them."""
import os
import tempfile

import numpy as np
import pydicom
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from . import pixels
from .files import (BIG, DEFLATED, EXPLICIT, IMPLICIT, J50, NATIVE, dicomdir, encode, part10, set_encapsulated, set_native, uid)
from .plan import SOP

OWN_CODES = {BIG: ['ENC-BE'], DEFLATED: ['ENC-DEFLATED']}


def header(study, sop_class, modality, series, number, instance):
    """Patient, study, series and instance attributes."""
    who, seed = study['patient'], study['seed']
    ds = Dataset()
    if who['charset']:
        ds.SpecificCharacterSet = who['charset']
    ds.SOPClassUID, ds.SOPInstanceUID = sop_class, uid(seed, 'sop', study['uid'], number, instance)
    ds.StudyDate = ds.SeriesDate = ds.ContentDate = study['date']
    ds.StudyTime = ds.SeriesTime = study['time']
    ds.ContentTime = study['time'][:4] + f'{instance % 60:02d}'
    ds.AccessionNumber, ds.Modality, ds.Manufacturer, ds.ReferringPhysicianName = study['accession'], modality, 'Testmaker', 'Wong^A'
    ds.InstitutionName = 'St. Vigil'
    ds.StudyDescription, ds.SeriesDescription = study['description'], f'{modality} series {number}'
    ds.PatientName, ds.PatientID, ds.IssuerOfPatientID = who['pn'], who['id'], who['issuer']
    ds.PatientBirthDate, ds.PatientSex = who['dob'], who['sex']
    ds.StudyInstanceUID, ds.SeriesInstanceUID = study['uid'], uid(seed, 'series', study['uid'], number)
    ds.StudyID, ds.SeriesNumber, ds.InstanceNumber = str(study['n'] + 1), number, instance
    if study['n'] % 3 == 0:
        block = ds.private_block(0x0019, 'TESTMAKER 01', create=True)
        block.add_new(0x01, 'LO', 'kept')
        block.add_new(0x02, 'DS', '1.50')
    return ds


def image_attributes(ds, series, instance):
    """Module attributes of an image of this series, without pixel data."""
    kind = series['kind']
    ds.ImageType = ['ORIGINAL', 'PRIMARY', 'AXIAL' if kind in ('CT', 'MR') else 'STATIC']
    if kind in ('CT', 'MR'):
        ds.FrameOfReferenceUID = ds.SeriesInstanceUID + '.1' if len(ds.SeriesInstanceUID) < 62 else ds.StudyInstanceUID
        ds.ImagePositionPatient, ds.ImageOrientationPatient = ['-120', '-120', str(5 * instance)], ['1', '0', '0', '0', '1', '0']
        ds.SliceThickness, ds.PixelSpacing, ds.PatientPosition = '5', ['0.9375', '0.9375'], 'HFS'
    if kind == 'CT':
        ds.KVP = '120'
        ds.RescaleIntercept, ds.RescaleSlope, ds.RescaleType = '0' if series['signed'] else '-1024', '1', 'HU'
        ds.WindowCenter, ds.WindowWidth = '40', '400'
    elif kind == 'MR':
        ds.ScanningSequence, ds.SequenceVariant, ds.EchoTime, ds.RepetitionTime = 'SE', 'NONE', '12.5', '640'
    elif kind in ('CR', 'DX', 'MG'):
        ds.BodyPartExamined, ds.ViewPosition = {'CR': 'CHEST', 'DX': 'KNEE', 'MG': 'BREAST'}[kind], 'AP'
        ds.PixelIntensityRelationship, ds.BurnedInAnnotation = 'LOG', 'NO'
        ds.PresentationLUTShape = 'INVERSE' if series['photometric'] == 'MONOCHROME1' else 'IDENTITY'
    elif kind == 'OT':
        ds.ConversionType = 'DI'
    ds.SamplesPerPixel, ds.PhotometricInterpretation = series['samples'], series['photometric']
    if series['samples'] == 3:
        ds.PlanarConfiguration = 0
    if series['frames'] > 1:
        ds.NumberOfFrames = series['frames']
        ds.FrameIncrementPointer = 0x00540010 if kind == 'NM' else 0x00181063
        if kind == 'NM':
            ds.EnergyWindowVector = [1] * series['frames']
        else:
            ds.FrameTime = '40'
    ds.Rows, ds.Columns = series['rows'], series['cols']
    ds.BitsAllocated = 8 if series['bits'] <= 8 else 16
    ds.BitsStored, ds.HighBit, ds.PixelRepresentation = series['bits'], series['bits'] - 1, int(series['signed'])
    return ds


def series_pixels(rng, series):
    """All frames of all images of the series in one array."""
    n, rows, cols = series['count'] * series['frames'], series['rows'], series['cols']
    kind, top = series['kind'], (1 << series['bits']) - 1
    if series['samples'] == 3:
        image = pixels.colour(rng, n, rows, cols)
        return pixels.to_ybr(image) if series['photometric'] == 'YBR_FULL' else image
    if kind == 'CT':
        low = -1024 if series['signed'] else 0
        return pixels.grey(rng, n, rows, cols, low, low + 2600, 12)
    if kind == 'NM':
        return pixels.nuclear(rng, n, rows, cols)
    frames = pixels.grey(rng, n, rows, cols, 0, int(top * .8), max(top // 400, 1))
    return frames.astype(np.uint8) if series['bits'] <= 8 else frames


def truth(path, bucket, data=b'', **more):
    """One line of truth.jsonl; `path` is bytes relative to OUT."""
    entry = {'path': path, 'bucket': bucket, 'codes': [], 'sop_instance': None, 'study': None, 'transfer_syntax': None,
             'pixel_source': None, 'raw_pixels_sha256': None, 'pixel_sha256': None, 'bytes': len(data), 'dataset': None}
    entry.update(more)
    return entry


def place(out, path, data):
    """Writes one file below OUT."""
    full = os.path.join(os.fsencode(out), path)
    os.makedirs(os.path.dirname(full), exist_ok=True)
    with open(full, 'wb') as file:
        file.write(data)


def image_series(study, number, series, folder):
    """Yields (dataset, syntax, truth values) for each image of a series."""
    rng = np.random.Generator(np.random.PCG64([study['seed'], study['n'], number]))
    everything, syntax = series_pixels(rng, series), series['syntax']
    streams, photometric = None, series['photometric']
    if syntax not in NATIVE:
        streams, photometric = encode(everything, series['bits'], series['signed'], photometric, syntax, folder)
    for i in range(series['count']):
        ds = image_attributes(header(study, SOP[series['kind']], series['modality'], series, number, i + 1), series, i + 1)
        part = slice(i * series['frames'], (i + 1) * series['frames'])
        values = {'pixel_source': f'p{study["n"]}-{number}-{i + 1}'}
        if syntax != J50:
            full, raw = pixels.pix1(everything[part], series['bits'], series['signed'], series['photometric'])
            values.update(pixel_sha256=full, raw_pixels_sha256=raw)
        if streams is None:
            set_native(ds, everything[part], syntax)
        else:
            ds.PhotometricInterpretation = photometric
            set_encapsulated(ds, streams[part], study['n'] % 2 == 0)
        if syntax == J50:
            ds.LossyImageCompression, ds.LossyImageCompressionMethod = '01', 'ISO_10918_1'
            ratio = everything[part].nbytes / sum(len(s) for s in streams[part])
            ds.LossyImageCompressionRatio = f'{ratio:.2f}'
            ds.ImageType = ['DERIVED'] + list(ds.ImageType)[1:]
        yield ds, syntax, values


def reference(ds):
    item = Dataset()
    item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = ds.SOPClassUID, ds.SOPInstanceUID
    return item


def code(value, scheme, meaning):
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, scheme, meaning
    return item


def document(study, kind, number, images):
    """A text report, key object note or presentation state about the first images of the study."""
    ds = header(study, SOP[kind], kind, None, number, 1)
    chosen = images[:3]
    by_series = Dataset()
    by_series.SeriesInstanceUID, by_series.ReferencedSOPSequence = chosen[0].SeriesInstanceUID, Sequence([reference(d) for d in chosen])
    if kind == 'PR':
        by_series.ReferencedImageSequence = by_series.ReferencedSOPSequence
        del by_series.ReferencedSOPSequence
        ds.ContentLabel, ds.ContentDescription, ds.ContentCreatorName = 'STATE', 'Window', 'Wong^A'
        ds.PresentationCreationDate, ds.PresentationCreationTime = study['date'], study['time']
        ds.ReferencedSeriesSequence, ds.PresentationLUTShape = Sequence([by_series]), 'IDENTITY'
        area = Dataset()
        area.DisplayedAreaTopLeftHandCorner, area.DisplayedAreaBottomRightHandCorner = [1, 1], [chosen[0].Columns, chosen[0].Rows]
        area.PresentationSizeMode, area.PresentationPixelAspectRatio = 'SCALE TO FIT', [1, 1]
        ds.DisplayedAreaSelectionSequence = Sequence([area])
        return ds
    evidence = Dataset()
    evidence.StudyInstanceUID, evidence.ReferencedSeriesSequence = study['uid'], Sequence([by_series])
    ds.CurrentRequestedProcedureEvidenceSequence, ds.ValueType, ds.ContinuityOfContent = Sequence([evidence]), 'CONTAINER', 'SEPARATE'
    title = code('113000', 'DCM', 'Of Interest') if kind == 'KO' else code('18748-4', 'LN', 'Diagnostic Imaging Report')
    ds.ConceptNameCodeSequence = Sequence([title])
    if kind == 'SR':
        ds.CompletionFlag, ds.VerificationFlag = 'COMPLETE', 'UNVERIFIED'
        ds.PerformedProcedureCodeSequence = Sequence([])
    ds.ReferencedPerformedProcedureStepSequence = Sequence([])
    content = []
    if kind == 'SR':
        text = Dataset()
        text.RelationshipType, text.ValueType = 'CONTAINS', 'TEXT'
        text.ConceptNameCodeSequence, text.TextValue = Sequence([code('121071', 'DCM', 'Finding')]), 'No change since the study before.'
        content.append(text)
    for image in chosen:
        item = Dataset()
        item.RelationshipType, item.ValueType, item.ReferencedSOPSequence = 'CONTAINS', 'IMAGE', Sequence([reference(image)])
        content.append(item)
    ds.ContentSequence = Sequence(content)
    return ds


def build_study(out, study):
    """Writes the files of a study; returns their truth."""
    pydicom.config.settings.reading_validation_mode = pydicom.config.IGNORE
    entries, images, listed, count = [], [], [], 0

    def add(ds, syntax, values):
        nonlocal count
        count += 1
        if study['scenario'] == 'two-patients' and count % 2 == 0:
            ds.PatientName, ds.PatientID, ds.PatientBirthDate = 'Halloran^Brigid', '70000001', '19611224'
        name = f'IM{count:04d}{study["suffix"]}'
        path, data = f'{study["folder"]}/{name}'.encode(), part10(ds, syntax)
        place(out, path, data)
        listed.append((name, ds, syntax))
        entries.append(truth(path, 'instance', data, codes=list(OWN_CODES.get(syntax, [])), sop_instance=str(ds.SOPInstanceUID),
                             study=study['uid'], transfer_syntax=syntax, dataset=str(ds.SOPInstanceUID), **values))

    with tempfile.TemporaryDirectory() as folder:
        for number, series in enumerate(study['series'], 1):
            for ds, syntax, values in image_series(study, number, series, folder):
                add(ds, syntax, values)
                del ds.PixelData
                images.append(ds)
    for number, kind in enumerate(study['documents'], len(study['series']) + 1):
        add(document(study, kind, number, images), (EXPLICIT, IMPLICIT, DEFLATED)[study['n'] % 3], {})
    if study['dicomdir']:
        only_images = listed[:len(images)]  # as old writers did: reports and key objects stand beside it unlisted
        data = dicomdir(study['seed'], study['uid'], study['patient'], only_images)
        path = f'{study["folder"]}/DICOMDIR'.encode()
        place(out, path, data)
        unlisted = ['DIR-EXTRA'] if study['documents'] else []
        entries.append(truth(path, 'dicomdir', data, codes=unlisted, transfer_syntax=EXPLICIT))
    return entries
